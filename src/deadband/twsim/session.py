"""One connected client: greeting, frames in and out, and the accidents of the line between.

Rules:
1. A client says its range of versions, hears ours, starts with a number of its own, and only then
   is served.
2. Whatever a client sends, the gateway lives on and the other clients do not notice.
3. Bytes that cannot be frames end the session (507); a message that cannot be read is answered
   (320, 505) and forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from . import replies
from .accounts import Account
from .answers import answer
from .contracts import Contract
from .fault_names import FaultName
from .faults import Fault
from .replies import Message
from .requests import Request, UnknownRequest, decode
from .wire import (
    NEWEST_VERSION,
    OLDEST_VERSION,
    BadField,
    BadFrame,
    Frames,
    frame,
    offered_versions,
    split,
)
from .world import World

MOST_A_SECOND = 50
STRIKES = 3


class Session:
    """A client, served; bytes go out through `transmit`, and `hang_up` closes the line."""

    def __init__(
        self,
        world: World,
        transmit: Callable[[bytes], None],
        hang_up: Callable[[], None],
        line: int,
    ) -> None:
        self.world, self.line = world, line
        self._transmit, self._hang_up = transmit, hang_up
        self._frames = Frames()
        self.version = 0
        self.number = -1
        self.is_closed = self.is_frozen = False
        self.data_type = 1
        self.wants_positions = False
        self.refreshers: dict[object, Callable[[], None]] = {}
        self._unsent, self._unread = bytearray(), bytearray()
        self._swapped: Message | None = None
        self._times: deque[datetime] = deque()
        self._strikes = 0

    # --- in

    def receive(self, data: bytes) -> None:
        """Take bytes as they come, in any pieces."""
        if self.is_frozen:
            self._unread += data
        elif not self.is_closed:
            self._read(data)

    def freeze(self) -> None:
        """The line is half open: what either side says is held up on the way."""
        self.is_frozen = True

    def thaw(self) -> None:
        """What was held up arrives."""
        self.is_frozen = False
        unsent, self._unsent = self._unsent, bytearray()
        unread, self._unread = self._unread, bytearray()
        self._put(bytes(unsent))
        self.receive(bytes(unread))

    def _read(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                if not self.version:
                    self._greet(body)
                else:
                    self._take(body)
                if self.is_closed:
                    return
        except BadFrame as fault:
            if self.version:
                self.error(-1, 507, f"Bad Message Length: {fault}")
            self.close()

    def _greet(self, body: bytes) -> None:
        least, greatest = offered_versions(body)
        version = min(greatest, NEWEST_VERSION)
        if version < max(least, OLDEST_VERSION):
            raise BadFrame(
                f"the client speaks {least} to {greatest}, the gateway {OLDEST_VERSION} up"
            )
        self.version = version
        self._write(replies.server_version(version, self.world.timeline.now))

    def _take(self, body: bytes) -> None:
        try:
            request = decode(split(body), self.version)
            if self.number < 0 and request.kind != "startApi":
                self.error(-1, 504, "Not connected")
            elif self._is_paced():
                self._serve(request)
        except UnknownRequest as fault:
            self.error(-1, 505, f"Fatal Error: Unknown message id. {fault}")
        except BadField as fault:
            self.error(-1, 320, f"Server error when reading an API client request. {fault}")

    def _serve(self, request: Request) -> None:
        faults, now = self.world.faults, self.world.timeline.now
        if faults.strikes(FaultName.NO_ANSWER, now, client=self.number, kind=request.kind):
            return
        answer(self.world, self, request)

    def _is_paced(self) -> bool:
        """Whether the client keeps to 50 messages a second, where that is enforced."""
        if not self.world.is_rate_strict:
            return True
        now = self.world.timeline.now
        while self._times and now - self._times[0] >= timedelta(seconds=1):
            self._times.popleft()
        self._times.append(now)
        if len(self._times) <= MOST_A_SECOND:
            return True
        self._times.clear()
        self._strikes += 1
        self.error(-1, 100, "Max rate of messages per second has been exceeded.")
        if self._strikes >= STRIKES:
            self.close()
        return False

    # --- out

    def error(self, req_id: int, code: int, said: str) -> None:
        self.send(replies.error(req_id, code, said))

    def send(self, message: Message, symbol: str = "") -> None:
        """Send a message, unless the script has an accident for it."""
        faults, now = self.world.faults, self.world.timeline.now

        def struck(name: FaultName) -> Fault | None:
            return faults.strikes(name, now, symbol=symbol, client=self.number, kind=message.kind)

        if self.is_closed or struck(FaultName.DROP_MESSAGE):
            return
        if struck(FaultName.DROP_SOCKET_MID_FRAME):
            whole = frame(message.fields)
            self._put(whole[: len(whole) // 2])
            self.close()
        elif late := struck(FaultName.DELAY_MESSAGE):
            self.world.timeline.after(late.seconds, lambda: self._write(message))
        elif struck(FaultName.SWAP_MESSAGES):
            self._swapped = message
        else:
            self._write(message)
            if struck(FaultName.DUPLICATE_MESSAGE):
                self._write(message)
            if self._swapped is not None:
                swapped, self._swapped = self._swapped, None
                self._write(swapped)

    def _write(self, message: Message) -> None:
        self._put(frame(message.fields))

    def _put(self, data: bytes) -> None:
        if self.is_closed or not data:
            return
        if self.is_frozen:
            self._unsent += data
        elif self.world.is_fragmenting:
            for place in range(len(data)):
                self._transmit(data[place : place + 1])
        else:
            self._transmit(data)

    def position_changed(self, account: Account, contract: Contract) -> None:
        """Tell those who asked for positions and account values that a fill has moved them."""
        position = account.positions[contract.con_id]
        if self.wants_positions:
            self.send(replies.position(position, account.name), contract.symbol)
        for refresh in list(self.refreshers.values()):
            refresh()

    def close(self) -> None:
        """End the session from our side."""
        if not self.is_closed:
            self.lost()
            self._hang_up()

    def lost(self) -> None:
        """The line is gone; orders live on."""
        self.is_closed = True
        self.world.forget(self)

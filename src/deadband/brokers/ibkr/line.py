"""What hangs on one line to a gateway, made once, and the numbers that are used on it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from ...core.broker import Clock, Memory
from ...core.events import BrokerEvent, Notice, Severity
from .account import Account
from .contracts import Contracts
from .orders import OrderTable
from .pacer import Pacer
from .questions import Questions
from .quotes import Quotes
from .rows import remembered
from .said import Said
from .session import Session
from .settings import IbkrSettings
from .wire import Wire

FIRST_REQUEST = 1_000_000_000
"""Questions are numbered from here, so that no number means an order and a question."""


class Line:
    """The parts; `hear` is given what the gateway says, `emit` what changed by it."""

    def __init__(
        self,
        settings: IbkrSettings,
        clock: Clock,
        emit: Callable[[BrokerEvent], None],
        hear: Callable[[Said], None],
        memory: Memory,
    ) -> None:
        self.settings, self.clock, self.emit = settings, clock, emit
        self.session = Session(emit)
        self.pacer = Pacer(clock, settings.messages_per_s, settings.burst)
        self.questions = Questions(clock, self.pacer, settings.answer_s)
        self.wire = Wire(hear)
        self.orders = OrderTable(
            settings.account, settings.client_id, clock, emit, rows=remembered(memory)
        )
        self.account = Account(settings.account)
        self._req_ids = count(FIRST_REQUEST)
        self.contracts = Contracts(self.questions, self.wire, self.next_req_id)
        self.quotes = Quotes(clock, self.wire, self.pacer, self.contracts, self.next_req_id, emit)
        self.high_water = self._used = memory.high_water

    def next_req_id(self) -> int:
        return next(self._req_ids)

    def reserve(self) -> int:
        """One more order number may be used, as soon as that is durable; the greatest now."""
        self.high_water += 1
        return self.high_water

    def number(self) -> int:
        """The number of an order that leaves now: numbers have to grow on the wire."""
        self._used += 1
        self.high_water = max(self.high_water, self._used)
        return self._used

    def raise_numbers(self, used: int) -> None:
        """The gateway has seen this number: ours go on above it."""
        self._used = max(self._used, used)
        self.high_water = max(self.high_water, self._used)

    def note(self, severity: Severity, text: str, code: int = 0) -> None:
        self.emit(Notice(severity, text, code))

"""A connected client, as those who answer it see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .replies import Message
from .reports import Listener


class Client(Listener, Protocol):
    """What a session shows of itself; `session` has the bytes."""

    line: int
    """Counts lines; never used again."""
    number: int
    """The client's own, its clientId; -1 until it has started."""
    is_closed: bool
    data_type: int
    """Market data asked for: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""
    wants_positions: bool
    refreshers: dict[object, Callable[[], None]]
    """Account subscriptions, sent again every three minutes and after each fill."""

    def send(self, message: Message, symbol: str = "") -> None: ...
    def error(self, req_id: int, code: int, said: str) -> None: ...
    def close(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...

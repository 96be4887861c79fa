"""Questions under way: one future for each, shared by all who ask the same at the same time.

Rules
  * An answer counts when its end has come; until then it is nothing, not a part.
  * A number in place of an answer is Failed, silence is TimedOut, a line that goes fails all.
  * Lists that carry no number of their own are asked once at a time: a second asker waits for the
    first one's answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ...core.broker import Answer, Clock, Failed, Ok, TimedOut
from .pacer import Lane, Pacer


class Questions:
    """Who waits for what, by the question's key."""

    def __init__(self, clock: Clock, pacer: Pacer, seconds: float) -> None:
        self._clock, self._pacer, self._seconds = clock, pacer, seconds
        self._waiting: dict[str, asyncio.Future[Answer[Any]]] = {}
        self._rows: dict[str, list[Any]] = {}

    async def ask(
        self, key: str, send: Callable[[], None], *, lane: Lane = Lane.REQUEST
    ) -> Answer[tuple[Any, ...]]:
        """Ask, and wait for the end of the answer; the rows that came before it are its value."""
        if not self._pacer.is_open:
            return Failed("there is no session")
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[key], self._rows[key] = waiting, []
            self._pacer.put(lane, send, f"?{key}")
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), self._seconds)
        except TimeoutError:
            self._done(key, TimedOut(self._seconds))
            self._pacer.drop(f"?{key}")
            return TimedOut(self._seconds)

    def is_open(self, key: str) -> bool:
        return key in self._waiting

    def row(self, key: str, row: Any) -> None:
        """One row of an answer under way; a row nobody asked for is passed over."""
        if key in self._rows:
            self._rows[key].append(row)

    def end(self, key: str) -> None:
        self._done(key, Ok(tuple(self._rows.get(key, ())), self._clock.wall_ns()))

    def fail(self, key: str, text: str, code: int = 0) -> bool:
        """A question is answered by a refusal; whether anyone had asked it."""
        return self._done(key, Failed(text, code))

    def fail_all(self, text: str) -> None:
        for key in list(self._waiting):
            self._done(key, Failed(text))

    def _done(self, key: str, answer: Answer[Any]) -> bool:
        waiting = self._waiting.pop(key, None)
        self._rows.pop(key, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
        return waiting is not None

"""Where a model is asked and its answer waited for: at once, or beside the cycle and within time.

A desk is asked, then collected. `AtOnce` answers in the caller's thread, however long it takes: the
same run comes out the same each time. `Beside` has a thread of its own and waits `budget_ms`; an
answer that comes later is taken up at a later cycle, and a model that is still busy then is neither
asked again nor waited for.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Protocol

from ..core.features import Features
from .answer import Answer, answer_of
from .voice import Voice


class Desk(Protocol):
    """One model's place."""

    @property
    def model(self) -> Voice: ...

    def ask(self, features: Features) -> None: ...

    def collect(self) -> Answer | None:
        """The newest answer that came since the last one was collected, None where none did."""
        ...


class AtOnce:
    """Waits for every answer."""

    def __init__(self, model: Voice) -> None:
        self.model = model
        self._answer: Answer | None = None

    def ask(self, features: Features) -> None:
        self._answer = answer_of(self.model, features)

    def collect(self) -> Answer | None:
        return self._answer


class Beside:
    """Waits no longer than the model's budget; the thread dies with the program."""

    def __init__(self, model: Voice) -> None:
        self.model = model
        self._asked: SimpleQueue[Features] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._late: Answer | None = None
        self._busy = False
        self._until = 0.0
        Thread(target=self._work, name=f"model {model.name}", daemon=True).start()

    def ask(self, features: Features) -> None:
        self._late = self._taken(0.0) if self._busy else None
        if not self._busy:
            self._until = monotonic() + self.model.budget_ms / 1e3
            self._busy = True
            self._asked.put(features)

    def collect(self) -> Answer | None:
        return self._taken(max(0.0, self._until - monotonic())) or self._late

    def _taken(self, within_s: float) -> Answer | None:
        try:
            answer = self._answers.get(timeout=within_s) if within_s else self._answers.get_nowait()
        except Empty:
            return None
        self._busy = False
        return answer

    def _work(self) -> None:
        while True:
            self._answers.put(answer_of(self.model, self._asked.get()))

"""How a process dies: at the n-th crossing of a boundary, before or after it, and nothing after.

A process crosses a boundary with every record that it makes durable, with every frame that it
sends, and with every frame that it reads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Killed(BaseException):
    """The process is gone: nothing may catch it."""


class Boundary(StrEnum):
    """What a process crosses."""

    RECORD = "record"
    SEND = "send"
    RECEIVE = "receive"


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process dies; `nth` 0 is never."""

    boundary: Boundary = Boundary.RECORD
    nth: int = 0
    is_after: bool = False
    loses_sent: bool = False
    """What it had sent in the same instant never arrives, as when the machine dies with it."""

    def __str__(self) -> str:
        if not self.nth:
            return "none"
        lost = ", what was on its way lost" if self.loses_sent else ""
        return f"{'after' if self.is_after else 'before'} {self.boundary} {self.nth}{lost}"


@dataclass(slots=True, eq=False)
class Life:
    """One process: counts what it crosses, and dies at one of them."""

    death: Death = Death()
    crossed: Counter[Boundary] = field(default_factory=Counter)
    died: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        return self.died.is_set()

    def cross(self, boundary: Boundary, act: Callable[[], None]) -> None:
        """Do what crosses a boundary, unless this is where it ends; raises Killed then."""
        if self.is_over:
            raise Killed
        self.crossed[boundary] += 1
        death = self.death
        dies = boundary is death.boundary and self.crossed[boundary] == death.nth
        if not dies or death.is_after:
            act()
        if dies:
            self.died.set()
            raise Killed

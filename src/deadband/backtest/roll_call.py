"""What became of each model's votes over a run: how often it was silent, and for what reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.arrays import Bools
from ..core.reasons import BY_NUMBER, Code
from ..core.seen import Scores

FAILURES = frozenset(
    {
        *(Code.MODEL_RAISED, Code.MODEL_LATE, Code.MODEL_BAD_SHAPE, Code.MODEL_WRONG_UNIT),
        *(Code.MODEL_UNKNOWN_SYMBOL, Code.DATA_NOT_FINITE),
    }
)
"""What no sound model does."""


@dataclass(slots=True)
class RollCall:
    """One model over a run.

    `silent`: cycles in which it spoke for no traded name. `cycles_lost`: cycles in which it lost at
    least one vote to a code, or was in that trouble; `votes_lost`: votes, one a name and cycle.
    `words`: the first that was said of a trouble.
    """

    version: str
    unit: str
    horizon_min: float
    cycles: int = 0
    silent: int = 0
    cycles_lost: Counter[str] = field(default_factory=Counter)
    votes_lost: Counter[str] = field(default_factory=Counter)
    words: dict[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As `run --json` shows it."""
        return {
            "version": self.version,
            "unit": self.unit,
            "horizon_min": self.horizon_min,
            "cycles": self.cycles,
            "silent": self.silent,
            "cycles_lost": dict(self.cycles_lost.most_common()),
            "votes_lost": dict(self.votes_lost.most_common()),
            "words": self.words,
        }


def take_roll(calls: dict[str, RollCall], scores: Scores, traded: Bools, oldest_s: float) -> None:
    """Add one cycle; a score as old as `oldest_s` has lost its vote too. `traded` (n,)."""
    for m, name in enumerate(scores.models):
        stated = scores.version[m], scores.unit[m], scores.horizon_min[m]
        call = calls.setdefault(name, RollCall(*stated))
        stale = (scores.defect[m] == 0) & (scores.age_s[m] >= oldest_s)
        defect = np.where(stale, Code.DATA_STALE_SCORE.number, scores.defect[m])[traded]
        call.cycles += 1
        call.silent += bool((defect != 0).all())
        lost = Counter(defect[defect != 0].tolist())
        by_code = {str(BY_NUMBER[number]): votes for number, votes in lost.items()}
        troubles = [trouble for trouble in scores.troubles if trouble.model == name]
        call.votes_lost.update(by_code)
        call.cycles_lost.update({*by_code, *(str(trouble.code) for trouble in troubles)})
        for trouble in troubles:
            call.words.setdefault(str(trouble.code), trouble.text)


def roll_lines(calls: dict[str, RollCall]) -> list[str]:
    """A sentence for each model that failed, or was silent more often than not: for people.

    Scores that are missing early in a session, or for a few names, are in the report alone.
    """
    lines = []
    for name, call in calls.items():
        failed = any(code in FAILURES for code in call.cycles_lost)
        if failed or 2 * call.silent > call.cycles:
            lost = ", ".join(
                f"{code} in {cycles}{_quoted(call.words.get(code, ''))}"
                for code, cycles in call.cycles_lost.most_common()
            )
            lines.append(f"model {name}: silent in {call.silent} of {call.cycles} cycles; {lost}")
    return lines


def _quoted(words: str) -> str:
    return f" ({words})" if words else ""

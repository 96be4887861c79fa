"""Which names are watched when there are more of them than market data lines.

Rules
  * Names that are held, at work, or near to a trade are watched all the time, the first ones named
    first; the other lines, a tenth of all at least, are shared by the rest in turns.
  * Who was seen longest ago is next. A name gives up its line once it was seen, or after
    `patience_s` without a live quote, and only where another one waits for it.
  * A turn changes at most `most_changes` subscriptions, so that orders never wait behind quotes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from math import inf

NEVER = -inf


@dataclass(frozen=True, slots=True)
class Watched:
    """A line in use: loop seconds since when, and when its name was last seen on it."""

    since: float
    seen_at: float = NEVER


@dataclass(frozen=True, slots=True)
class Pace:
    """How lines change hands, seconds."""

    lines: int
    most_changes: int = 5
    """Lines that change hands in one turn; each costs two messages."""
    stay_s: float = 2.0
    """A name that was seen stays at least so long, so that a trade is seen too."""
    patience_s: float = 10.0

    def most_pinned(self, names: int) -> int:
        """Lines that may be kept all the time, where so many names share them."""
        return self.lines if names <= self.lines else self.lines - max(self.lines // 10, 1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What to unsubscribe and then to subscribe."""

    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()


def turn(
    now: float,
    pace: Pace,
    first: Sequence[str],
    names: Sequence[str],
    watched: Mapping[str, Watched],
    turned_at: Mapping[str, float],
) -> Turn:
    """The next changes of subscriptions.

    `first`: names that are always watched, the most urgent in front; `names`: all of them;
    `turned_at`: when the last turn of a name that is not watched ended. Times are loop seconds.
    """
    known = set(names)
    pinned = [name for name in dict.fromkeys(first) if name in known][
        : pace.most_pinned(len(known))
    ]
    gone = tuple(name for name in watched if name not in known)
    kept = {name: line for name, line in watched.items() if name in known}
    queue = _queue(pinned, names, kept, turned_at)
    leaving = _leaving(now, pace, frozenset(pinned), kept)
    free = pace.lines - len(kept)
    drop: list[str] = []
    add: list[str] = []
    for name, is_pinned in queue:
        if len(add) >= pace.most_changes:
            break
        if free > 0:
            free -= 1
        elif leaving and (is_pinned or leaving[0][1]):
            drop.append(leaving.pop(0)[0])
        else:
            continue
        add.append(name)
    return Turn((*gone, *drop), tuple(add))


def _queue(
    pinned: Sequence[str],
    names: Sequence[str],
    watched: Mapping[str, Watched],
    turned_at: Mapping[str, float],
) -> list[tuple[str, bool]]:
    """Who waits for a line, in order, and whether it may take one that is not done yet."""
    urgent = [name for name in pinned if name not in watched]
    others = [name for name in names if name not in watched and name not in urgent]
    # Sorting is stable: names that were never watched keep their order.
    others.sort(key=lambda name: turned_at.get(name, NEVER))
    return [(name, True) for name in urgent] + [(name, False) for name in others]


def _leaving(
    now: float, pace: Pace, pinned: Set[str], watched: Mapping[str, Watched]
) -> list[tuple[str, bool]]:
    """Lines that may be taken, in order, and whether each is done: seen, or waited for in vain."""

    def is_done(line: Watched) -> bool:
        stayed = now - line.since
        is_seen = line.seen_at >= line.since
        return stayed >= (pace.stay_s if is_seen else pace.patience_s)

    rows = [(name, is_done(line)) for name, line in watched.items() if name not in pinned]
    return sorted(rows, key=lambda row: (not row[1], watched[row[0]].since))

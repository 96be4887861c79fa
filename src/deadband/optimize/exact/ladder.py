"""Decides which limits give way when no weights keep all of them, and says why none do.

Limits are given up by class, in an order (SEMANTICS §3, "When limits conflict"): violations are
minimized from the class given up last to the one given up first, each held at its least.

1. Every weight is its home plus moves along straight segments, on which every limit, and how far a
   name is outside its box, is linear; every limit has a slack. So each step is a linear program.
2. From the class given up first onward, classes are freed until some weights keep all the others.
   The classes never freed are kept; the last one freed is at its least.
3. From there back to the first, the total violation of each class is minimized and held.
4. Of the weights that remain, those that look best from home decide which limits of a class, and
   which names, pass their bounds. Just these are widened, by just that much and a hair.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import Floats
from ...core.limits import RELAX_ORDER, Limit
from .duality import limit_bounds, limit_values, risk_gradient
from .elastic import HAIR, Box, Elastic, elastic, least_cost, least_total
from .program import Program

NEVER, NOTHING = "never", ""
"""The class of limits that are always kept, and of no limit at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """A program that some weights satisfy, and what each limit gave up for it, fraction of NAV.

    `relaxed` goes by the limit's own name ("SECTOR:Energy"); "TURNOVER_NAME" is the sum over names
    of what they move beyond their box. Empty when nothing had to give way.
    """

    program: Program
    relaxed: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """Limits that cannot hold together, though any of them dropped, the others can.

    `bounds`: lower and upper bound of each, fraction of NAV. `loosen`: by how much each, alone,
    would have to be loosened for the whole program to be feasible; infinite where that is not
    enough. The boxes of all names are one limit each: TURNOVER_NAME, PER_NAME_CAP (the bounds most
    names have) and PERMIT (the others), loosened by the same amount for every name.
    """

    bounds: Mapping[str, tuple[float, float]]
    loosen: Mapping[str, float]

    def text(self) -> str:
        """One sentence: which limits, their numbers, the cure."""
        named = [_described(name, *bounds) for name, bounds in self.bounds.items()]
        several = "cannot both hold" if len(named) == 2 else "cannot all hold"
        what = f"{_listed(named, 'and')} {several if len(named) > 1 else 'cannot hold'}"
        if any(name.startswith(Limit.TURNOVER) for name in self.bounds):
            what += " from the current weights"
        cures = [
            _cure(name, *self.bounds[name], amount)
            for name, amount in self.loosen.items()
            if amount < np.inf
        ]
        if not cures:
            return f"{what}: loosen more than one limit, other limits are in conflict as well."
        return f"{what}: {_listed(cures, 'or')}."


def relax(program: Program, hard: Box, order: Sequence[str] = RELAX_ORDER) -> Relaxation | None:
    """The least relaxed program that some weights satisfy, or None where no order helps.

    low, high of `program` contain TURNOVER_NAME, `hard` is the box (n,), (n,) without it, which
    nothing leaves. A class that `order` does not name is kept. The least total of a class is
    unique, its split among names and limits is not: see step 4. A two-sided limit gives way on the
    side that is passed, so fully invested becomes the interval between what can be reached and 1.
    """
    assert set(order) <= set(RELAX_ORDER), f"{order} names a class that is none of {RELAX_ORDER}."
    classes = _classes(program)
    boxes = {True: hard, False: (program.low, program.high)}
    allowed: dict[str, float] = {}
    # The first class is freed at once: where nothing has to give way, its least is zero.
    for given_up in [rung for rung in order if rung in classes] or [NOTHING]:
        allowed[given_up] = np.inf
        system = elastic(program, boxes["turnover_name" in allowed], classes)
        x = least_total(system, given_up, allowed)
        if x is not None:
            break
    else:
        return None
    if given_up == NOTHING:
        return Relaxation(program, {})
    last, *earlier = reversed(allowed)
    allowed[last] = system.total(x, last)
    for given_up in earlier:
        # The weights at hand keep what is allowed: only a solver that failed finds none.
        x = _first(least_total(system, given_up, allowed), x)
        allowed[given_up] = system.total(x, given_up)
    if any(_is_split(classes, given_up, most) for given_up, most in allowed.items()):
        x = _first(least_cost(system, _outlook(program, system), allowed), x)
    return _widened(program, hard, system.weights(x), set(allowed))


def conflict(program: Program, name_turnover: float, hard: Box) -> Conflict | None:
    """Limits that cannot hold together, none of them superfluous; None where all can hold.

    By deletion: each limit in turn is left out for good if the others still conflict. Boxes and
    what is never given up go first, so that what remains is rather what a person set.
    """
    boxes = _boxes(program, name_turnover, hard)
    lower, upper = limit_bounds(program)
    limits = dict(zip(program.names, zip(lower.tolist(), upper.tolist(), strict=True), strict=True))
    kept = [name for name, bounds in limits.items() if min(-bounds[0], bounds[1]) < np.inf]
    kept += boxes
    if _agree(program, boxes, kept):
        return None
    for name in reversed(tuple(kept)):
        fewer = [other for other in kept if other != name]
        if not _agree(program, boxes, fewer):
            kept = fewer
    spans = limits | {name: _span(name, box, name_turnover) for name, box in boxes.items()}
    return Conflict(
        {name: spans[name] for name in kept},
        {name: _loosening(program, boxes, name) for name in kept},
    )


def _first(found: Floats | None, otherwise: Floats) -> Floats:
    return otherwise if found is None else found


# --- the relaxed program ----------------------------------------------------------------------


def _classes(program: Program) -> tuple[str, ...]:
    """The class of every limit in the order of Program.names, then that of the boxes.

    Own rows may be named as they like, so limits go by place.
    """
    special = {
        limit.value: limit.lower() for limit in (Limit.FULLY_INVESTED, Limit.NET, Limit.BETA)
    }
    sectors = ("sector",) * len(program.sector)
    signed = program.names[: len(program.floor)]
    rows = (special.get(name, "rows") for name in signed)
    return (*rows, *sectors, "turnover", NEVER, *sectors, "turnover_name")


def _is_split(classes: Sequence[str], given_up: str, total: float) -> bool:
    """Whether the total of a class can be divided in more ways than one."""
    several = given_up == "turnover_name" or classes.count(given_up) > 1
    return several and total > HAIR


def _outlook(program: Program, system: Elastic) -> Floats:
    """What each move costs (columns,) by the slope of the objective at home."""
    segments = system.segments
    at_home = program.linear + risk_gradient(program, segments.base)
    slope = segments.sign * at_home[segments.name]
    for bend, weight in zip(program.hinge_at, program.hinge_weight, strict=True):
        toward = segments.sign * (bend - segments.base)[segments.name] > 0.0
        slope += np.where(toward, -1.0, 1.0) * weight[segments.name]
    return np.concatenate([slope, np.zeros(system.columns - len(slope))])


def _widened(program: Program, hard: Box, weights: Floats, classes: set[str]) -> Relaxation:
    """The program with the limits of `classes` as wide as `weights` (n,) need them."""
    *labels, _ = _classes(program)
    lower, upper = limit_bounds(program)
    used = limit_values(program, weights)
    over = np.maximum(0.0, np.maximum(used - upper, lower - used))
    over[[label not in classes for label in labels]] = 0.0
    hair = HAIR * (1.0 + np.abs(np.where(used > upper, upper, lower)))
    given_up = over > hair
    relaxed = {program.names[k]: float(over[k]) for k in np.flatnonzero(given_up).tolist()}
    # Less than a hair is not given up, yet it is room that the others count on.
    over += np.where(given_up, hair, 0.0)
    upper = np.where(used > upper, upper + over, upper)
    lower = np.where(used < lower, lower - over, lower)
    low, high = program.low, program.high
    if "turnover_name" in classes:
        below, above = np.maximum(0.0, low - weights), np.maximum(0.0, weights - high)
        total = math.fsum([*below.tolist(), *above.tolist()])
        if total > HAIR:
            relaxed[Limit.TURNOVER_NAME.value] = total
            below[below > 0.0] += HAIR
            above[above > 0.0] += HAIR
        low, high = np.maximum(low - below, hard[0]), np.minimum(high + above, hard[1])
    return Relaxation(_bounded(program, lower, upper, (low, high)), relaxed)


def _bounded(program: Program, lower: Floats, upper: Floats, box: Box) -> Program:
    """The program with other bounds, in the order of Program.names."""
    signed, groups = len(program.floor), len(program.sector)
    sectors = slice(signed, signed + groups)
    return replace(
        program,
        low=box[0],
        high=box[1],
        floor=lower[:signed],
        ceiling=upper[:signed],
        sector=np.maximum(upper[sectors], -lower[sectors]),
        turnover=float(upper[signed + groups]),
        gross=float(upper[signed + groups + 1]),
        sector_gross=upper[signed + groups + 2 :],
    )


# --- the conflict -----------------------------------------------------------------------------


def _boxes(program: Program, name_turnover: float, hard: Box) -> dict[str, Box]:
    """The boxes of all names by the limit they are of; infinite for names it does not bound."""
    near = program.home - name_turnover, program.home + name_turnover
    # The hedge and cuts are outside TURNOVER_NAME.
    exempt = (program.low < near[0] - HAIR) | (program.high > near[1] + HAIR)
    common = [ends == _commonest(ends) for ends in hard]
    found = {
        Limit.PERMIT.value: (
            np.where(common[0], -np.inf, hard[0]),
            np.where(common[1], np.inf, hard[1]),
        ),
        Limit.PER_NAME_CAP.value: (
            np.where(common[0], hard[0], -np.inf),
            np.where(common[1], hard[1], np.inf),
        ),
        Limit.TURNOVER_NAME.value: (
            np.where(exempt, -np.inf, near[0]),
            np.where(exempt, np.inf, near[1]),
        ),
    }
    return {name: box for name, box in found.items() if np.isfinite(box).any()}


def _commonest(values: Floats) -> float:
    different, count = np.unique(values, return_counts=True)
    return float(different[count.argmax()])


def _span(name: str, box: Box, name_turnover: float) -> tuple[float, float]:
    if name == Limit.TURNOVER_NAME:
        return -name_turnover, name_turnover
    return float(box[0].max()), float(box[1].min())


def _meet(program: Program, boxes: Mapping[str, Box], names: Sequence[str]) -> Box:
    """What the boxes of `names` have in common."""
    whole = np.full(program.size, np.inf)
    return (
        np.maximum.reduce([-whole, *(boxes[name][0] for name in names if name in boxes)]),
        np.minimum.reduce([whole, *(boxes[name][1] for name in names if name in boxes)]),
    )


def _agree(program: Program, boxes: Mapping[str, Box], kept: Sequence[str]) -> bool:
    """Whether some weights satisfy the limits `kept`, whatever the others say."""
    box = _meet(program, boxes, kept)
    lower, upper = limit_bounds(program)
    left_out = np.array([name not in kept for name in program.names])
    lower, upper = np.where(left_out, -np.inf, lower), np.where(left_out, np.inf, upper)
    system = elastic(_bounded(program, lower, upper, box), box, (*program.names, NOTHING))
    return least_total(system, NOTHING, {}) is not None


def _loosening(program: Program, boxes: Mapping[str, Box], name: str) -> float:
    """By how much one limit must be loosened for all to hold, infinite where that is no cure."""
    hard = _meet(program, boxes, [other for other in boxes if other != name])
    own = boxes.get(name, hard)
    labels = (*program.names, name if name in boxes else NOTHING)
    system = elastic(replace(program, low=own[0], high=own[1]), hard, labels, alike=True)
    x = least_total(system, name, {name: np.inf})
    return np.inf if x is None else system.total(x, name)


# --- in words ---------------------------------------------------------------------------------


def _described(name: str, lower: float, upper: float) -> str:
    if name == Limit.PERMIT:
        return f"{name} of single names"
    if lower == upper:
        return f"{name} {upper:.6g}"
    if lower in (-upper, -np.inf):
        return f"{name} at most {upper:.6g}"
    if upper == np.inf:
        return f"{name} at least {lower:.6g}"
    return f"{name} between {lower:.6g} and {upper:.6g}"


def _cure(name: str, lower: float, upper: float, amount: float) -> str:
    # Rounded up, so that the number said is enough; but for the last bits of a round one.
    digits = 3 - math.floor(math.log10(amount))
    enough = f"{math.ceil(amount * (1.0 - 1e-9) * 10.0**digits) / 10.0**digits:.6g}"
    if name == Limit.PERMIT:
        return f"widen {name} by {enough}"
    if lower == upper:
        return f"give up {enough} of {name}"
    if lower in (-upper, -np.inf):
        return f"raise {name} by {enough}"
    if upper == np.inf:
        return f"lower {name} by {enough}"
    return f"widen {name} by {enough}"


def _listed(parts: Sequence[str], last: str) -> str:
    *head, tail = parts
    return f"{', '.join(head)} {last} {tail}" if head else tail

"""Finds the best weights near an optimum in which no trade is smaller than a least size.

1. Every trade that is too small is dropped or raised to the least, whichever costs less at the
   prices of limits; its name stays home from then on, or beyond the least.
2. The program is solved again with these boxes, until no trade is too small.
3. The same with every small trade dropped; the better answer counts. Where neither keeps all
   limits, because a small trade was a repair, small trades are raised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ..exact.duality import admissible, impact_cost, priced_slopes, risk_gradient, value
from ..exact.program import Answer, Program
from ..exact.segments import own_curvature
from ..solvers.qp import optimum

ROUNDS = 20
"""Each settles some names for good; three or four do."""
SAME = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Small trades of `names` (m,) from home: what each weight is now, and would be if raised.

    may_stay, may_grow (m,): whether its box holds home, and the raised weight.
    """

    names: Ints
    weights: Floats
    raised: Floats
    may_stay: Bools
    may_grow: Bools


Rule = Callable[[Program, Answer, Choice], Bools]
"""Which small trades (m,) are dropped."""


def at_least(program: Program, answer: Answer, least: float) -> Answer | None:
    """The answer with no trade below `least` (fraction of NAV), None where limits forbid it.

    Trades to exactly zero, and those that their own box leaves no other size, may be smaller.
    """
    best, least_value = None, np.inf
    for rule in (_cheaper, _dropped, _raised):
        if rule is _raised and best is not None:
            break
        found = _settled(program, answer, least, rule)
        if found is not None and (worth := value(program, found.weights)) < least_value:
            best, least_value = found, worth
        if found is answer:
            break
    return best


def _settled(program: Program, answer: Answer, least: float, rule: Rule) -> Answer | None:
    """The answer that a rule leads to."""
    for _ in range(ROUNDS):
        choice = _choice(program, answer.weights, least)
        if len(choice.names) == 0:
            return answer
        program = _narrowed(program, choice, rule(program, answer, choice))
        found = optimum(program, answer.weights)
        if found is None:
            return None
        answer = found.answer
    return None


def _choice(program: Program, weights: Floats, least: float) -> Choice:
    """The trades that are too small and need not be."""
    low, high, home = program.low, program.high, program.home
    move = weights - home
    raised = home + np.copysign(least, move)
    may_stay = (low <= home) & (home <= high)
    may_grow = (low <= raised) & (raised <= high)
    small = (np.abs(move) < least - SAME) & (weights != home) & (weights != 0.0) & (low < high)
    names = (small & (may_stay | may_grow)).nonzero()[0]
    return Choice(names, weights[names], raised[names], may_stay[names], may_grow[names])


def _narrowed(program: Program, choice: Choice, dropped: Bools) -> Program:
    """The program with each small trade at home for good, or beyond the least."""
    dropped = (dropped & choice.may_stay) | ~choice.may_grow
    names, home, up = choice.names, program.home[choice.names], choice.raised > choice.weights
    low, high = program.low.copy(), program.high.copy()
    low[names] = np.where(dropped, home, np.where(up, choice.raised, low[names]))
    high[names] = np.where(dropped, home, np.where(up, high[names], choice.raised))
    return replace(program, low=low, high=high)


def _cheaper(program: Program, answer: Answer, choice: Choice) -> Bools:
    """Dropped where home costs less than the raised weight, at the prices of limits."""
    names = choice.names
    risk = risk_gradient(program, answer.weights)
    slopes = priced_slopes(program, admissible(program, answer.prices), risk)
    curvature = 0.5 * own_curvature(program)[names]

    def cost(to: Floats) -> Floats:
        step = to - choice.weights
        part = (slopes.smooth[names] + curvature * step) * step
        for kink, weight in slopes.bends:
            part += weight[names] * np.abs(to - kink[names])
        if program.impact is not None:
            part += impact_cost(program.impact[names], to - program.home[names])
        return part

    dropped: Bools = cost(program.home[names]) <= cost(choice.raised)
    return dropped


def _dropped(program: Program, answer: Answer, choice: Choice) -> Bools:
    return np.ones(len(choice.names), dtype=np.bool_)


def _raised(program: Program, answer: Answer, choice: Choice) -> Bools:
    return np.zeros(len(choice.names), dtype=np.bool_)

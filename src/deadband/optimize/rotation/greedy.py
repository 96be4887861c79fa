"""Greedy top-K rotation, one function per rule, in the order of SEMANTICS §4.

1. Cut     names that must go leave, whatever turnover says
2. Trim    breached limits are repaired by shrinking (trim.py)
3. Buy     the best names below target take free budget
4. Rotate  the best names left take weight from the worst donors
5. Hedge   the residual beta goes into the hedge instrument
No accepted trade lowers edge minus cost. O(n) for the selection, then loops over K names.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import numpy as np

from ...core.arrays import EQUALITY
from ...core.config import OptimizationConfig
from ...core.limits import Limit
from ...core.problem import Problem
from ...core.reasons import BY_NUMBER, Code
from .draft import NOTHING, Draft, Part, Refusal, hedge_box
from .side import Side, sides
from .trim import trim

BOOK_WIDE = {Limit.NET, Limit.BETA, Limit.SECTOR, Limit.SECTOR_GROSS}
"""Limits that a trade on the other side may open again."""


def rotate_top_k(problem: Problem, config: OptimizationConfig) -> Draft:
    """Work out target weights; the draft holds them with the reason of every move and refusal."""
    draft = Draft(problem)
    hedged = problem.hedge >= 0
    cut(draft)
    trim(draft, beta=not hedged)
    books = sides(problem, draft.weights, config)
    buy(draft, books, config)
    for side in books:
        rotate(draft, side, config)
    if hedged:
        hedge(draft)
    draft.measure()
    trim(draft)
    return draft


def cut(draft: Draft) -> None:
    problem = draft.problem
    for name in np.flatnonzero(problem.cut).tolist():
        zero = min(max(0.0, float(problem.hard_low[name])), float(problem.hard_high[name]))
        change = zero - float(draft.weights[name])
        code = BY_NUMBER[int(problem.cut[name])]
        if change != 0.0:
            draft.move(name, change, code, Part(cost=float(problem.cost[name])))
        else:
            draft.refuse(name, Refusal(Code.HOLD_LIMIT, Limit.PERMIT.number))


def buy(draft: Draft, books: tuple[Side, ...], config: OptimizationConfig) -> None:
    """Fill the best names below target from free budget, both sides in turn.

    The better head goes first. One that NET, BETA or SECTOR blocks lets the other side go, whose
    trade may open room for it; when neither can move, both step aside.
    """
    queues = [(side, deque(side.buyers)) for side in books]
    while live := [(side, queue) for side, queue in queues if queue]:
        live.sort(key=lambda one: (-one[0].side_z[one[1][0]], draft.problem.symbols[one[1][0]]))
        for side, queue in live:
            bought = _buy_one(draft, side, queue[0], config)
            if bought is Bought.NONE:
                continue
            if bought is Bought.ALL:
                queue.popleft()
            break
        else:
            for _side, queue in live:
                queue.popleft()


class Bought(Enum):
    """How far a buy came: as far as it will ever, up to a limit of the whole book, or nowhere."""

    ALL = "ALL"
    PART = "PART"
    NONE = "NONE"


def _buy_one(draft: Draft, side: Side, name: int, config: OptimizationConfig) -> Bought:
    """Buy what can be bought of one name from free budget."""
    need = _need(draft, side, name)
    if need <= NOTHING:
        return Bought.ALL
    opens = draft.weights[name] == 0.0
    if opens and len(draft.open[side.sign]) >= side.places:
        draft.refuse(name, Refusal(Code.HOLD_LIMIT, Limit.SLOTS.number))
        return Bought.ALL
    book_room, book_limit = draft.room((name, side.sign))
    step, limit = _tightest(
        (need, Limit.PER_NAME_CAP),
        (side.budget - draft.invested[side.sign], Limit.BUDGET),
        (draft.turnover_left, Limit.TURNOVER),
        (draft.name_turnover_left(name), Limit.TURNOVER_NAME),
        (_permitted_growth(draft, side, name), Limit.PERMIT),
        (book_room, book_limit),
    )
    if step <= NOTHING:
        draft.refuse(name, Refusal(Code.HOLD_LIMIT, limit.number))
        return Bought.NONE if limit in BOOK_WIDE else Bought.ALL
    edge, cost = float(draft.problem.edge[name]) * side.sign, float(draft.problem.cost[name])
    gain = edge * step - cost * step
    if not gain > config.tau_utility:
        draft.refuse(name, Refusal(Code.HOLD_NO_EDGE, gain=gain, cost=cost * step))
        return Bought.ALL
    draft.move(name, side.sign * step, Code.BUY_TOP_K, Part(gain=gain, cost=cost * step))
    return Bought.PART if limit in BOOK_WIDE else Bought.ALL


def rotate(draft: Draft, side: Side, config: OptimizationConfig) -> None:
    """Move weight from the worst donors to the best names still below target."""
    draining: set[int] = set()
    last_short: tuple[int, int] | None = None
    for buyer in side.buyers:
        if _need(draft, side, buyer) <= NOTHING:
            continue
        asked = False
        for place, donor in enumerate(side.donors):
            if _need(draft, side, buyer) <= NOTHING:
                break
            if draft.weights[donor] == 0.0:
                continue
            asked = True
            gap = _gap(side, donor, buyer)
            if gap <= config.delta_z_min - EQUALITY:
                # Donors come worst first: every later one has a smaller gap still.
                _refuse_pair(draft, donor, buyer, Code.HOLD_NO_GAP, gap=gap)
                last_short = buyer, place
                break
            _swap(draft, side, donor, buyer, gap, draining, config)
        if not asked:
            _refuse_lonely(draft, buyer)
    if last_short:
        # Buyers come best first: nobody after this one came further down the donors.
        buyer, place = last_short
        for donor in side.donors[place:]:
            gap = _gap(side, donor, buyer)
            draft.refuse(donor, Refusal(Code.HOLD_NO_GAP, counterpart=buyer, gap=gap))


def _gap(side: Side, donor: int, buyer: int) -> float:
    return float(side.side_z[buyer] - side.side_z[donor])


def _swap(
    draft: Draft,
    side: Side,
    donor: int,
    buyer: int,
    gap: float,
    draining: set[int],
    config: OptimizationConfig,
) -> None:
    if draft.weights[buyer] == 0.0:
        # A draining donor shares its buyer's slot.
        kept = draft.open[side.sign] - draining - {donor}
        if len(kept) >= side.places:
            _refuse_pair(draft, donor, buyer, Code.HOLD_LIMIT, limit=Limit.SLOTS, gap=gap)
            return
    give = _permitted_shrink(draft, side, donor)
    book_room, book_limit = draft.room((donor, -side.sign), (buyer, side.sign))
    step, limit = _tightest(
        (_need(draft, side, buyer), Limit.PER_NAME_CAP),
        (give, Limit.PERMIT),
        (_permitted_growth(draft, side, buyer), Limit.PERMIT),
        (draft.turnover_left / 2, Limit.TURNOVER),
        (draft.name_turnover_left(donor), Limit.TURNOVER_NAME),
        (draft.name_turnover_left(buyer), Limit.TURNOVER_NAME),
        (book_room, book_limit),
    )
    if step <= NOTHING:
        _refuse_pair(draft, donor, buyer, Code.HOLD_LIMIT, limit=limit, gap=gap)
        return
    problem = draft.problem
    edge_gap = side.sign * float(problem.edge[buyer] - problem.edge[donor])
    swap_cost = float(problem.cost[buyer] + problem.cost[donor])
    gain = edge_gap * step - swap_cost * step
    if not gain > config.tau_utility:
        _refuse_pair(
            draft, donor, buyer, Code.HOLD_NO_EDGE, gap=gap, gain=gain, cost=swap_cost * step
        )
        return
    out = Code.DROP_GREEN if problem.in_profit[donor] else Code.ROTATE_OUT
    facts = {"gap": gap, "gain": gain, "cost": swap_cost * step}
    draft.move(donor, -side.sign * step, out, Part(counterpart=buyer, **facts))
    draft.move(buyer, side.sign * step, Code.BUY_BETTER, Part(counterpart=donor, **facts))
    rest = _remainder(draft, side, donor, gain, config)
    if rest > 0.0:
        draft.move(donor, -side.sign * rest, out, Part(counterpart=buyer, **facts))
    draining.add(donor)


def _remainder(
    draft: Draft,
    side: Side,
    donor: int,
    gain: float,
    config: OptimizationConfig,
) -> float:
    """What goes along with a donor left with less than its band, if the trade still pays.

    `gain` is that of the swap just made; the whole must clear tau_utility too.
    """
    rest = abs(float(draft.weights[donor]))
    if rest >= config.name_drift_threshold:
        return 0.0
    loss = (side.sign * float(draft.problem.edge[donor]) + float(draft.problem.cost[donor])) * rest
    allowed = min(
        _permitted_shrink(draft, side, donor),
        draft.turnover_left,
        draft.name_turnover_left(donor),
        draft.room((donor, -side.sign))[0],
    )
    return rest if rest <= allowed + NOTHING and gain - loss > config.tau_utility else 0.0


def hedge(draft: Draft) -> None:
    """Take the book's beta into the hedge instrument, as far as its cap, GROSS and NET allow."""
    problem = draft.problem
    beta = problem.structure.beta
    name = problem.hedge
    if beta is None or beta[name] == 0.0 or problem.cut[name]:
        return
    wanted = float(draft.weights[name]) - draft.used.beta / float(beta[name])
    low, high = hedge_box(problem)
    wanted = min(max(wanted, low), high)
    change = wanted - float(draft.weights[name])
    direction = float(np.sign(change))
    if direction == 0.0:
        return
    # Crossing zero first frees gross, then uses it: walk in two legs.
    for _ in range(2):
        here = float(draft.weights[name])
        leg = abs(here) if here * direction < 0 else np.inf
        step = min(abs(change), leg, draft.room((name, direction))[0])
        if step <= NOTHING:
            return
        draft.move(name, direction * step, Code.HEDGE_BETA, Part())
        change -= direction * step


def _tightest(*rooms: tuple[float, Limit]) -> tuple[float, Limit]:
    """The least room; of several that leave nothing the first, not the one with fewer last bits."""
    return min(rooms, key=lambda room: room[0] if room[0] > NOTHING else 0.0)


def _need(draft: Draft, side: Side, name: int) -> float:
    bounds = draft.problem.bounds
    cap = float(bounds.high[name] if side.sign > 0 else -bounds.low[name])
    size = side.sign * float(draft.weights[name])
    # With z_keep below 0 a name can stand in both queues; the first to buy it has it.
    return min(side.target[name], cap) - size if size >= 0.0 else 0.0


def _permitted_growth(draft: Draft, side: Side, name: int) -> float:
    problem = draft.problem
    w = float(draft.weights[name])
    if side.sign > 0:
        return min(float(problem.high[name]), float(problem.hard_high[name])) - w
    return w - max(float(problem.low[name]), float(problem.hard_low[name]))


def _permitted_shrink(draft: Draft, side: Side, name: int) -> float:
    """How much of a donor may go; never through zero."""
    problem = draft.problem
    w = float(draft.weights[name])
    if side.sign > 0:
        return w - max(0.0, float(problem.low[name]), float(problem.hard_low[name]))
    return min(0.0, float(problem.high[name]), float(problem.hard_high[name])) - w


def _refuse_lonely(draft: Draft, buyer: int) -> None:
    """A buyer that only lacked budget or a place, and finds nobody to take them from."""
    refusal = draft.refusals.get(buyer)
    if refusal and refusal.limit in (Limit.SLOTS.number, Limit.BUDGET.number):
        draft.refuse(buyer, Refusal(Code.HOLD_NO_DONOR))


def _refuse_pair(
    draft: Draft,
    donor: int,
    buyer: int,
    code: Code,
    limit: Limit | None = None,
    gap: float = 0.0,
    gain: float = 0.0,
    cost: float = 0.0,
) -> None:
    number = limit.number if limit else 0
    draft.refuse(donor, Refusal(code, number, buyer, gap, gain, cost))
    draft.refuse(buyer, Refusal(code, number, donor, gap, gain, cost))

"""Keeps cash and limits in whole shares: what of a draft must be given back.

1. Where cash runs short, opening buys are reduced; covers never are.
2. Where rounding or a dropped order broke a limit, orders are reduced, the most relieving first.
3. Where that keeps no limit more, all lots are chosen together (together.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..core.reasons import Code
from .draft import FEE_ALLOWANCE, WHOLE, Draft
from .together import Choice, together

MORE = 2
"""Lots beyond what was decided that an order may take where only that keeps every limit."""


def keep_cash(draft: Draft) -> None:
    """Reduce opening buys, least edge first, until cash covers them."""
    market, universe = draft.seen.market, draft.universe
    short = draft.cash_missing(draft.returnable)
    opening = np.flatnonzero(draft.growing & (draft.shares > 0) & (draft.undoes == 0)).tolist()
    edge = draft.problem.edge
    for name in sorted(opening, key=lambda i: (float(edge[i]), universe.symbols[i])):
        if short <= 0:
            return
        price, lot = float(market.ask[name]) * (1 + FEE_ALLOWANCE), int(universe.lot[name])
        less = min(int(draft.shares[name]), int(np.ceil(short / price / lot)) * lot)
        less = draft.enough(name, less)
        short -= less * price
        draft.reduce(name, less, Code.ORDER_NO_CASH)


def keep_limits(draft: Draft) -> None:
    """Give shares back until whole shares keep every limit.

    A growing order may also take the one lot that it was rounded down by, where there is cash for
    it and the name's own cap leaves room: in a hedged book the smaller position is not always the
    smaller risk.
    """
    universe, ask = draft.universe, draft.seen.market.ask
    spare = draft.returnable
    cut_off = draft.exact - np.abs(draft.shares)
    short = draft.growing & (cut_off > WHOLE) & (cut_off < universe.lot)
    undoes = draft.undoes > 0
    short &= ~undoes | (np.abs(draft.shares) + universe.lot <= draft.undoes)
    while (over := draft.excess()) > 0:
        offers = []
        for name in np.flatnonzero(spare).tolist():
            excess = partial(draft.excess_less, name)
            less = _fewest(excess, over, int(spare[name]), int(universe.lot[name]))
            if spare[name] == abs(draft.shares[name]):
                less = draft.enough(name, less)
            offers.append((excess(less), universe.symbols[name], name, less))
        missing = draft.cash_missing(draft.returnable)
        for name in np.flatnonzero(short & draft.takes_a_lot).tolist():
            lot = int(universe.lot[name])
            cost = lot * float(ask[name]) * (1 + FEE_ALLOWANCE)
            if draft.shares[name] < 0 or undoes[name] or missing + cost <= 0:
                offers.append((draft.excess_less(name, -lot), universe.symbols[name], name, -lot))
        left, _, best, less = min(offers, default=(over, "", -1, 0))
        if left >= over:
            _keep_together(draft, over)
            return
        draft.reduce(best, less, Code.ORDER_ROUNDED_FOR_LIMIT)
        short[best] &= less > 0
        spare[best] = max(0, int(spare[best]) - less)


def _fewest(excess: Callable[[int], float], over: float, spare: int, lot: int) -> int:
    """How many of `spare` shares to give back so that an excess of `over` goes, or nearly.

    `excess` is convex in the shares given back: the first lot tells how many may be needed.
    """
    first = over - excess(lot)
    if first <= 0:
        return spare
    less = min(spare, int(np.ceil(over / first)) * lot)
    while less > lot and over - excess(less) < first:
        less = max(lot, less // (2 * lot) * lot)
    return less


def _keep_together(draft: Draft, over: float) -> None:
    """Choose all lots at once where giving them back one by one leaves an excess of `over`.

    Exits and orders through zero stay as they are; the rest may shrink to nothing, or be rounded up
    and grow by MORE lots.
    """
    held, exact, market = draft.held, draft.exact, draft.seen.market
    through = held * (held + draft.shares) < 0
    names = np.flatnonzero((draft.shares != 0) & (draft.decision.target != 0) & ~through)
    if not len(names):
        return
    side, lot = np.sign(draft.shares[names]), draft.universe.lot[names]
    lots = np.maximum(np.ceil(exact[names] / lot - WHOLE), np.abs(draft.shares[names]) / lot)
    reach = ((lots + MORE) * lot).astype(np.int64)
    undoes = draft.undoes[names]
    reach = np.where(undoes > 0, np.minimum(reach, undoes), reach)
    shrinking = held[names] * side < 0
    reach = side * np.where(shrinking, np.minimum(reach, np.abs(held[names])), reach)
    others = draft.shares.copy()
    others[names] = 0
    rest = Draft(draft.universe, draft.decision, draft.problem, draft.seen, draft.settings, others)
    rest.canceled, rest.undoes = draft.canceled, draft.undoes
    # Only closing sales bring cash; shares sold short are no cash to buy with.
    sale = np.where(shrinking, market.bid[names], 0.0)
    choice = Choice(
        names=names,
        wanted=side * exact[names],
        least=np.minimum(0, reach),
        most=np.maximum(0, reach),
        lot=lot,
        held=held + others,
        per_share=draft.seen.portfolio.price / draft.seen.portfolio.nav,
        usd=np.where(
            undoes > 0,
            0.0,
            np.where(side > 0, market.ask[names] * (1 + FEE_ALLOWANCE), sale),
        ),
        cash=-rest.cash_missing(rest.returnable),
    )
    found = together(choice, draft.problem.bounds, draft.problem.structure)
    if found is None:
        return
    others[names] = found
    if draft.excess(others) >= over:
        return
    for name, shares in zip(names.tolist(), found.tolist(), strict=True):
        less = abs(int(draft.shares[name])) - abs(shares)
        if less:
            draft.reduce(name, less, Code.ORDER_ROUNDED_FOR_LIMIT)

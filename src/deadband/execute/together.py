"""Whole lots that keep every limit together, where giving them back one by one does not.

In a book hedged to several limits at once the lot that mends one breaks another. An integer program
over all orders finds lots that keep them all, nearest to what was decided in dollars:

    minimize Σ price_i |x_i − wanted_i|   over whole lots x_i within their range
    subject to the boxes, NET, BETA, SECTOR, GROSS, SECTOR_GROSS and the cash there is

Signs of orders and positions do not change within the ranges, so all of it is linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.arrays import Floats, Ints
from ..core.limits import Bounds, Structure

INSIDE = 1e-10
"""By how much the program stays inside a limit, fraction of NAV."""
SCALE = 1e5
"""Weights are multiplied by this: HiGHS keeps a row to 1e-6, which is then less than INSIDE."""
SOLVE_ERROR = 4
"""How HiGHS says that it failed, not that nothing can be found."""
NODES = 5_000
"""Nodes of the search after which it is given up; counted, never timed."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What the orders (m,) may become: whole lots from `least` to `most`, signed shares.

    names (m,) index the book; held (n,) shares with all orders that are not chosen from; per_share
    (n,) weight of a share; wanted (m,) shares before rounding. usd (m,): what a share takes from
    cash, signed as shares are; `cash` is what there is for them.
    """

    names: Ints
    wanted: Floats
    least: Ints
    most: Ints
    lot: Ints
    held: Ints
    per_share: Floats
    usd: Floats
    cash: float


def together(choice: Choice, bounds: Bounds, structure: Structure) -> Ints | None:
    """Signed shares (m,) that keep every limit, or None where none are found."""
    # Seldom needed, and slow to load.
    from scipy.optimize import Bounds as Box
    from scipy.optimize import LinearConstraint, milp

    m, lot = len(choice.names), choice.lot.astype(np.float64)
    rows, low, high = _limits(choice, bounds, structure)
    weight = SCALE * choice.per_share[choice.names]
    # The lots, then by how much (weight) each order is off what was wanted.
    lots, off = np.diag(weight * lot), np.eye(m)
    ask = partial(
        milp,
        np.concatenate((np.zeros(m), np.ones(m))),
        integrality=np.concatenate((np.ones(m), np.zeros(m))),
        bounds=Box(
            np.concatenate((choice.least / lot, np.zeros(m))),
            np.concatenate((choice.most / lot, np.full(m, np.inf))),
        ),
        constraints=[
            LinearConstraint(np.hstack((rows * lot, np.zeros((len(rows), m)))), low, high),
            LinearConstraint(np.hstack((lots, off)), weight * choice.wanted, np.inf),
            LinearConstraint(np.hstack((lots, -off)), -np.inf, weight * choice.wanted),
        ],
    )
    found = ask(options={"node_limit": NODES})
    if found.status == SOLVE_ERROR:
        # Its presolve fails now and then; without it the answer is right.
        found = ask(options={"node_limit": NODES, "presolve": False})
    if found.x is None:
        return None
    shares: Ints = np.rint(found.x[:m]).astype(np.int64) * choice.lot
    return shares


def _limits(choice: Choice, bounds: Bounds, structure: Structure) -> tuple[Floats, Floats, Floats]:
    """Rows (limits, m) per share, and what they must lie between, the book being where it is."""
    names, base = choice.names, choice.held * choice.per_share
    side = np.sign(choice.held)
    # A name of which nothing is held is on the side its order puts it.
    side[names] = np.where(side[names] == 0, np.sign(choice.wanted), side[names])
    ones = np.ones(len(base))
    rows = [(ones, -bounds.net, bounds.net), (side, -np.inf, bounds.gross)]
    if structure.beta is not None:
        rows.append((structure.beta, -bounds.beta, bounds.beta))
    for k, (net, gross) in enumerate(zip(bounds.sector, bounds.sector_gross, strict=True)):
        member = (structure.group == k).astype(np.float64)
        rows += [(member, -net, net), (member * side, -np.inf, gross)]
    weight = choice.per_share[names]
    found = [
        (row[names] * weight, low - row.dot(base), high - row.dot(base))
        for row, low, high in rows
        # What no order changes is not for the program to keep.
        if row[names].any()
    ]
    coefficients, low, high = (np.array(part) for part in zip(*found, strict=True))
    lowest = np.concatenate((low, bounds.low[names] - base[names]))
    highest = np.concatenate((high, bounds.high[names] - base[names]))
    return (
        np.vstack((SCALE * coefficients, SCALE * np.diag(weight), choice.usd)),
        np.append(SCALE * (lowest + INSIDE), -np.inf),
        np.append(SCALE * (highest - INSIDE), choice.cash),
    )

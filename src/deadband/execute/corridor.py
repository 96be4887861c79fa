"""How far the legs of a basket may run ahead of each other, for net exposure and for beta.

Planned net at any moment is the whole basket's net in proportion to what has filled, in USD at
arrival: N·f with f = filled/planned. So the deviation is linear in the filled shares,

    net filled − N·f = Σ filled_i · c_i,    c_i = p_i (sign_i − N/G),    G = Σ planned_i p_i,

and for beta the same with sign_i·β_i and N_β. A basket of one side alone has c = 0: nothing holds
it. The bound is on the worst case, in which everything working on one side fills and nothing on the
other; a leg may pass it by one lot at most, where without that lot it could never begin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.arrays import Floats
from ..core.orders import Algorithm
from ..core.parents import Basket, Progress
from ..core.reasons import NOT_DISCRETIONARY


class Corridor:
    """The room each leg has, as fills and working shares stand; columns are in USD a share."""

    def __init__(self, basket: Basket) -> None:
        works = basket.works
        price = np.array([price_of(work) for work in works])
        sign = np.array([work.parent.order.side.sign for work in works], dtype=np.float64)
        beta = sign * np.array([work.parent.beta for work in works])
        planned = price * [work.parent.order.order_qty for work in works]
        self.coefficient = np.stack([_against_plan(side, price, planned) for side in (sign, beta)])
        self.bound = basket.nav * np.array([basket.tactics.corridor, basket.tactics.beta_corridor])
        self.filled = np.array([work.filled for work in works], dtype=np.float64)
        self.working = np.array([work.worst_leaves for work in works], dtype=np.float64)

    def deviation(self) -> Floats:
        """Net and beta (2,) against plan, USD, of what has filled."""
        return np.asarray(self.coefficient @ self.filled)

    def room(self, k: int, lot: int) -> int:
        """Shares that leg `k` may have working in all, as the others stand."""
        most = np.inf
        for row, bound in zip(self.coefficient, self.bound, strict=True):
            each = abs(row[k])
            # A coefficient of nothing but rounding does not bind.
            if each < 1e-9:
                continue
            ahead = np.sign(row[k]) * row
            now = float(ahead @ self.filled)
            others = float(np.maximum(ahead, 0.0) @ self.working) - each * self.working[k]
            shares = (bound - now - others) / each
            if shares < lot and now <= 0 and others <= 0:
                shares = lot
            most = min(most, shares)
        return int(min(max(most, 0.0), 2**62))


def price_of(work: Progress) -> float:
    """What a share counts for: the mid at the decision."""
    return work.parent.order.arrival


def is_free(work: Progress) -> bool:
    """Exits, repairs and commands count in the corridor but are not held by it.

    Nor is the auction, in which the legs fill at one instant and can be sent in one piece only.
    """
    at_close = work.parent.route.algorithm is Algorithm.CLOSE
    return at_close or work.parent.order.reason in NOT_DISCRETIONARY


def _against_plan(side: Floats, price: Floats, planned: Sequence[float] | Floats) -> Floats:
    gross = float(np.sum(planned))
    share = float(side @ planned) / gross if gross > 0 else 0.0
    return np.asarray(price * (side - share))

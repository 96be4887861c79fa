"""Works a basket: sells before buys by cash, legs together, within the second's messages.

In each round, for parents whose name has a tick or whose deadline has come:
  1. sells come before buys, then the urgent, then the larger in USD
  2. what each may have working is the least of what cash and the corridor leave
  3. nothing is sent to open one side of a name while a child of its other side lives
  4. messages go out cancels first, then in the order of 1, until the second's are spent;
     who gets none is asked again at the next tick, with nothing lost
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..core.orders import Action, ExecutionReport, Side
from ..core.parents import Basket, Instruction, Progress, Tick, parent_of_child
from ..core.reasons import Code
from .corridor import Corridor, is_free, price_of
from .machine import SECOND, Allowance, act, hear, observe
from .purse import affordable, after_fill, reserved, spendable


def work(
    basket: Basket, ticks: Mapping[str, Tick], now: int
) -> tuple[Basket, tuple[Instruction, ...]]:
    """The basket after a round at `now` (ns), and the messages to send, in order."""
    sent = tuple(ts for ts in basket.sent if now - ts < SECOND)
    told = [_told(one, ticks, now) for one in basket.works]
    works = [
        one if tick is None else observe(one, tick)
        for one, tick in zip(basket.works, told, strict=True)
    ]
    basket = replace(basket, works=tuple(works), sent=sent)
    rounds = _Round(basket)
    wanted = [
        (k, *rounds.ask(k, tick))
        for k in sorted(range(len(works)), key=lambda k: _priority(works[k]))
        if (tick := told[k]) is not None
    ]
    # Sorting is stable: within cancels, and within the rest, the order of priority holds.
    wanted.sort(key=lambda one: one[2] is None or one[2].action is not Action.CANCEL)
    intents: list[Instruction] = []
    left = basket.tactics.messages_per_s - len(sent)
    for k, after, intent in wanted:
        if intent is None:
            works[k] = after
        elif len(intents) < left:
            works[k] = after
            intents.append(intent)
        else:
            works[k] = replace(works[k], waits=Code.ORDER_WAITS_MESSAGES)
    sent += (now,) * len(intents)
    return replace(basket, works=tuple(works), sent=sent), tuple(intents)


def _told(one: Progress, ticks: Mapping[str, Tick], now: int) -> Tick | None:
    """What a parent is shown of its name: nothing without a tick, but when it is over.

    A feed that has stopped would otherwise leave its order in the market for good.
    """
    tick = ticks.get(one.parent.order.symbol)
    deadline = one.parent.deadline
    is_late = now >= deadline and (tick is None or tick.ts < deadline)
    if is_late or (tick is None and one.outcome is not None):
        return Tick(now, 0.0, 0.0, 0.0, 0.0)
    return tick


class _Round:
    """What cash and corridor leave while the parents are asked one after the other."""

    def __init__(self, basket: Basket) -> None:
        self.basket = basket
        self.corridor = Corridor(basket)
        self.cash = spendable(basket)
        self.alive = {_side(one) for one in basket.works if one.child is not None}

    def ask(self, k: int, tick: Tick) -> tuple[Progress, Instruction | None]:
        """What parent `k` would do now, counted as if it were done."""
        before = self.basket.works[k]
        after, intent = act(before, tick, self._allowance(k))
        costs = self.basket.costs
        self.cash -= max(0.0, reserved(after, costs) - reserved(before, costs))
        self.corridor.working[k] = max(self.corridor.working[k], after.worst_leaves)
        if after.child is not None:
            self.alive.add(_side(after))
        return after, intent

    def _allowance(self, k: int) -> Allowance:
        one = self.basket.works[k]
        symbol, sign = _side(one)
        if (symbol, -sign) in self.alive:
            # The two could trade with each other.
            return Allowance(0, Code.ORDER_CANCEL_FIRST)
        allowance = Allowance(affordable(one, self.cash, self.basket.costs), Code.ORDER_WAITS_CASH)
        if is_free(one):
            return allowance
        room = self.corridor.room(k, one.parent.lot)
        return Allowance(room, Code.ORDER_WAITS_LEGS) if room < allowance.qty else allowance


def _side(one: Progress) -> tuple[str, int]:
    return one.parent.order.symbol, one.parent.order.side.sign


def _priority(one: Progress) -> tuple[bool, bool, float, str]:
    order = one.parent.order
    usd = one.leaves_qty * price_of(one)
    return order.side is Side.BUY, not is_free(one), -usd, order.cl_ord_id


def heard(basket: Basket, report: ExecutionReport) -> Basket:
    """The basket after a report on a child of one of its parents; once, however often it comes."""
    parent_id = parent_of_child(report.cl_ord_id)
    works = list(basket.works)
    for k, one in enumerate(works):
        if one.parent.order.cl_ord_id != parent_id or report.exec_id in one.heard:
            continue
        works[k] = hear(one, report)
        return replace(basket, works=tuple(works), cash=after_fill(basket.cash, report))
    return basket

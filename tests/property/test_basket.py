"""Any basket in any market: cash, legs and messages stay within their bounds all the way."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.brokers.quotes import QuoteBroker
from deadband.core.costs import CostSettings, commission
from deadband.core.orders import Action, Algorithm, ExecutionReport, Side
from deadband.core.parents import Basket, Instruction, Parent, Progress, Tick
from deadband.core.quotes import Traded
from deadband.core.tactics import Tactics
from deadband.execute.basket import heard, work
from deadband.execute.corridor import Corridor, is_free
from deadband.execute.purse import spendable
from deadband.execute.short_horizon import adopt, amend
from deadband.journal.codec import Decoder, Encoder
from tests.kit import symbols
from tests.kit.parents import SECOND, START, parent

NAMES = symbols(4)
STEP_NS = SECOND // 4
OURS = [a for a in Algorithm if not a.startswith("ib_")]


@st.composite
def parents(draw: st.DrawFn, prefix: str = "p") -> tuple[Parent, ...]:
    """Up to six orders, at most one a name and side, some of them exits."""
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(list(Side))),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    tactics = Tactics(min_reprice_s=0.0, imbalance=0.0, max_spread_bps=500.0)
    return tuple(
        parent(
            draw(st.sampled_from(OURS)),
            order_id=f"{prefix}.{k}",
            symbol=symbol,
            side=side,
            qty=draw(st.integers(1, 900)),
            seconds=draw(st.integers(3, 30)),
            reason=draw(st.sampled_from(["BUY_TOP_K", "BUY_TOP_K", "CUT_LOSER"])),
            beta=draw(st.sampled_from([0.0, 0.8, 1.5])),
            tactics=tactics,
        )
        for k, (symbol, side) in enumerate(keys)
    )


MARKETS = st.lists(
    st.lists(
        st.tuples(st.integers(-8, 8), st.integers(1, 4), st.integers(0, 3)), min_size=4, max_size=4
    ),
    min_size=5,
    max_size=50,
)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    tactics = Tactics(
        corridor=draw(st.sampled_from([0.001, 0.02, 1.0])),
        beta_corridor=draw(st.sampled_from([0.002, 1.0])),
        messages_per_s=draw(st.sampled_from([1, 3, 40])),
    )
    cash = draw(st.sampled_from([500.0, 20_000.0, 1e6]))
    empty = Basket((), cash, 0.0, 1e6, tactics, CostSettings())
    return adopt(empty, draw(parents()))


def fee_of(one: Progress, costs: CostSettings) -> float:
    if one.child is None:
        return 0.0
    return commission(one.child.order.order_qty, one.parent.order.price * 1.1, costs)


@dataclass
class Watch:
    """What is looked at after every message and every report."""

    sent: list[int]

    def messages(self, basket: Basket, intents: tuple[Instruction, ...], now: int) -> None:
        self.sent += [now] * len(intents)
        recent = [ts for ts in self.sent if now - ts < SECOND]
        assert len(recent) <= basket.tactics.messages_per_s
        kinds = [intent.action is Action.CANCEL for intent in intents]
        assert kinds == sorted(kinds, reverse=True), "cancels go first"

    def books(self, basket: Basket) -> None:
        assert basket.cash >= -1e-6
        # A child's commission is counted whole until it is done, what it has paid of it too.
        twice = sum(fee_of(one, basket.costs) for one in basket.works)
        assert spendable(basket) >= -twice - 1e-6, "what is in flight could cost more than it may"
        for symbol in NAMES:
            alive = {
                one.parent.order.side.sign
                for one in basket.works
                if one.child is not None and one.parent.order.symbol == symbol
            }
            assert len(alive) < 2, "the two sides could trade with each other"

    def legs(self, basket: Basket) -> None:
        """Net and beta against plan, in the worst case of what works, within a lot of the bound."""
        if any(is_free(one) for one in basket.works):
            # Exits are held by nothing, and may lead the book anywhere.
            return
        corridor = Corridor(basket)
        for row, bound in zip(corridor.coefficient, corridor.bound, strict=True):
            now, lot = float(row @ corridor.filled), float(np.abs(row).max(initial=0.0))
            up = now + float(np.maximum(row, 0.0) @ corridor.working)
            down = now + float(np.minimum(row, 0.0) @ corridor.working)
            assert up <= bound + lot + 1e-6
            assert down >= -bound - lot - 1e-6


def ticks(
    step: list[tuple[int, int, int]], mids: dict[str, float], now: int
) -> tuple[dict[str, Tick], dict[str, Traded]]:
    quotes, trades = {}, {}
    for symbol, (move, spread, volume) in zip(NAMES, step, strict=True):
        mids[symbol] = max(5.0, mids[symbol] + move * 0.01)
        bid = round(mids[symbol], 2)
        ask = round(bid + 0.01 * spread, 2)
        quotes[symbol] = Tick(now, bid, ask, 300.0, 300.0, 200 * volume)
        print_at = bid if move < 0 else ask
        trades[symbol] = (
            Traded(print_at, print_at, 200 * volume) if volume else Traded(math.nan, math.nan, 0)
        )
    return quotes, trades


def spent(report: ExecutionReport) -> float:
    """What a report does to the cash buys may use, USD, by hand."""
    traded = {
        Side.BUY: -report.last_qty * report.last_px,
        Side.SELL: report.last_qty * report.last_px,
        Side.SELL_SHORT: 0.0,
    }
    return traded[report.side] - report.fee_micro / 1e6


def restarted(basket: Basket) -> Basket:
    shelf: dict[bytes, bytes] = {}
    data = Encoder(shelf.__setitem__).encode(basket)
    back: Basket = Decoder(shelf.__getitem__).decode(data)
    return back


@settings(max_examples=100, deadline=None)
@given(baskets(), MARKETS)
def test_cash_legs_and_messages_stay_within_bounds(basket: Basket, market: Any) -> None:
    broker, watch, cash = QuoteBroker(basket.costs), Watch([]), basket.cash
    mids = dict.fromkeys(NAMES, 100.0)
    for k, step in enumerate(market):
        now = START + k * STEP_NS
        quotes, trades = ticks(step, mids, now)
        for symbol in NAMES:
            for report in broker.advance(symbol, quotes[symbol], trades[symbol]):
                basket = heard(basket, report)
                assert heard(basket, report) is basket, "a report that comes twice counts once"
                cash += spent(report)
                assert abs(basket.cash - cash) < 1e-6
                watch.books(basket)
        again = work(restarted(basket), quotes, now)
        basket, intents = work(basket, quotes, now)
        assert again == (basket, intents), "a restart changes nothing"
        broker.send(intents)
        watch.messages(basket, intents, now)
        watch.books(basket)
        watch.legs(basket)
        for one in basket.works:
            assert one.filled + one.worst_leaves <= one.parent.order.order_qty


@settings(max_examples=80, deadline=None)
@given(baskets(), MARKETS, parents("q"), st.integers(1, 20))
def test_an_amended_basket_ends_within_what_it_was_amended_to(
    basket: Basket, market: Any, wanted: tuple[Parent, ...], at: int
) -> None:
    broker = QuoteBroker(basket.costs)
    mids = dict.fromkeys(NAMES, 100.0)
    most = {one.parent.order.cl_ord_id: one.parent.order.order_qty for one in basket.works}
    for k, step in enumerate(market):
        now = START + k * STEP_NS
        quotes, trades = ticks(step, mids, now)
        for symbol in NAMES:
            for report in broker.advance(symbol, quotes[symbol], trades[symbol]):
                basket = heard(basket, report)
        if k == at:
            moved = tuple(replace(p, start=now, deadline=p.deadline + now - START) for p in wanted)
            basket = amend(basket, moved)
            for one in basket.works:
                key = one.parent.order.cl_ord_id
                most[key] = max(most.get(key, 0), one.parent.order.order_qty)
        basket, intents = work(basket, quotes, now)
        broker.send(intents)
        assert basket.cash >= -1e-6
        for one in basket.works:
            order = one.parent.order
            assert one.filled <= most[order.cl_ord_id]
            for intent in intents:
                if intent.order.parent_id == order.cl_ord_id and intent.action is not Action.CANCEL:
                    assert one.filled + one.leaves_qty == max(one.filled, order.order_qty)
                    assert intent.order.order_qty <= order.order_qty

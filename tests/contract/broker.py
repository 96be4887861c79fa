"""What every broker has to keep: one class of tests, inherited once for each adapter.

A subclass says how to make a broker for `SYMBOLS` with `CASH` dollars (S0002 halted, S0003 not to
be borrowed, at most a tenth of a bar's volume filled) and inherits the rest. Ids are for citing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from deadband.core.bars import Bar
from deadband.core.orders import ExecType, ExecutionReport, Order, Replacement, Side
from deadband.core.ports import SimulatedBroker, Statement
from deadband.core.seen import Universe
from deadband.core.units import micros
from tests.kit import NOW, column, order, universe

NAMES = universe(4)
PLAIN, OTHER, HALTED, UNBORROWED = NAMES.symbols
CASH = 1_000_000.0
VOLUME = 10_000.0
PARTICIPATION = 0.1
FULL = int(VOLUME * PARTICIPATION)
"""Shares of one name that a bar fills at most."""
HALF = 0.02
"""Half the spread of every bar, USD."""
FINAL = {ExecType.CANCELED, ExecType.REJECTED, ExecType.EXPIRED}


def bar(names: Universe = NAMES, start: datetime = NOW, **given: Any) -> Bar:
    """A bar around 100 dollars, four cents wide; keywords are scalars or mappings by symbol."""
    defaults = {
        "open": 100.0,
        "high": 100.5,
        "low": 99.5,
        "close": 100.2,
        "volume": VOLUME,
        "half_spread": HALF,
        "adv": 1_000_000.0,
        "sigma_day": 0.02,
    }
    columns = {
        name: column(names, given.get(name, value), value).astype(np.float64)
        for name, value in defaults.items()
    }
    return Bar(start=start, **columns)


def buy(qty: int, *, at: float = 102.0, symbol: str = PLAIN, id_: str = "b") -> Order:
    return order(id_, symbol, order_qty=qty, price=at)


def sell(qty: int, *, at: float = 98.0, symbol: str = PLAIN, id_: str = "s") -> Order:
    return order(id_, symbol, side=Side.SELL, order_qty=qty, price=at)


def short(qty: int, *, at: float = 98.0, symbol: str = PLAIN, id_: str = "x") -> Order:
    return order(id_, symbol, side=Side.SELL_SHORT, order_qty=qty, price=at)


def kinds(reports: Iterable[ExecutionReport]) -> list[tuple[str, ExecType]]:
    return [(report.cl_ord_id, report.exec_type) for report in reports]


def fills(reports: Iterable[ExecutionReport]) -> list[ExecutionReport]:
    return [report for report in reports if report.exec_type is ExecType.TRADE]


def booked(reports: Iterable[ExecutionReport], cash: float = CASH) -> Statement:
    """Shares and cash as the sum of what was reported, from the reports alone."""
    shares: Counter[str] = Counter()
    micro = micros(cash)
    for report in fills(reports):
        signed = report.last_qty if report.side is Side.BUY else -report.last_qty
        shares[report.symbol] += signed
        micro -= signed * round(report.last_px * 1e6) + report.fee_micro
    return Statement({symbol: qty for symbol, qty in sorted(shares.items()) if qty}, micro)


class BrokerContract:
    """Inherit, and give the fixtures `broker` and `twin`, another one just like it."""

    def held(self, broker: SimulatedBroker, qty: int = 500) -> None:
        """Own `qty` shares of the plain name."""
        broker.submit((buy(qty, id_="held"),), NOW)
        filled = fills(broker.advance(bar()))
        assert sum(report.last_qty for report in filled) == qty, "the contract needs a filled buy"

    # TC-A: acknowledgements and refusals

    def test_a1_every_order_is_acknowledged_once_in_the_sequence_sent(
        self, broker: SimulatedBroker
    ) -> None:
        orders = tuple(buy(100, id_=f"b{k}", symbol=(PLAIN, OTHER)[k % 2]) for k in range(4))
        reports = broker.submit(orders, NOW)
        assert kinds(reports) == [(f"b{k}", ExecType.NEW) for k in range(4)]
        assert [(r.symbol, r.side, r.last_qty) for r in reports] == [
            (sent.symbol, Side.BUY, 0) for sent in orders
        ]

    @pytest.mark.parametrize(
        ("refused", "because"),
        [
            (buy(100, symbol=HALTED), HALTED),
            (short(100, symbol=UNBORROWED), UNBORROWED),
            (sell(100), PLAIN),
            (buy(100, symbol="NOWHERE"), "NOWHERE"),
        ],
        ids=["halted", "not to be borrowed", "more than is held", "unknown symbol"],
    )
    def test_a2_a_refused_order_says_why_and_never_fills(
        self, broker: SimulatedBroker, refused: Order, because: str
    ) -> None:
        reports = broker.submit((refused, buy(50, id_="good")), NOW)
        assert kinds(reports) == [
            (refused.cl_ord_id, ExecType.REJECTED),
            ("good", ExecType.NEW),
        ]
        assert because in reports[0].text
        assert kinds(broker.advance(bar())) == [("good", ExecType.TRADE)]

    def test_a3_what_is_held_may_be_sold_but_not_more(self, broker: SimulatedBroker) -> None:
        self.held(broker, 500)
        assert kinds(broker.submit((sell(501, id_="over"),), NOW)) == [("over", ExecType.REJECTED)]
        assert kinds(broker.submit((sell(500, id_="all"),), NOW)) == [("all", ExecType.NEW)]

    def test_a4_a_share_already_on_sale_is_not_sold_again(self, broker: SimulatedBroker) -> None:
        self.held(broker, 500)
        reports = broker.submit((sell(400, id_="s1"), sell(101, id_="s2"), sell(100)), NOW)
        assert [report.exec_type for report in reports] == [
            ExecType.NEW,
            ExecType.REJECTED,
            ExecType.NEW,
        ]
        broker.advance(bar())
        assert broker.statement().shares == {}

    def test_a5_a_name_that_may_be_borrowed_is_sold_short(self, broker: SimulatedBroker) -> None:
        broker.submit((short(300),), NOW)
        (fill,) = fills(broker.advance(bar()))
        assert (fill.side, fill.last_qty) == (Side.SELL_SHORT, 300)
        assert broker.statement().shares == {PLAIN: -300}

    # TC-F: fills

    def test_f1_nothing_fills_before_the_next_bar(self, broker: SimulatedBroker) -> None:
        assert not fills(broker.submit((buy(100),), NOW))
        assert broker.statement() == Statement({}, micros(CASH))

    def test_f2_a_large_order_fills_over_several_bars(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(2 * FULL + 300),), NOW)
        filled = [sum(f.last_qty for f in fills(broker.advance(bar()))) for _ in range(4)]
        assert filled == [FULL, FULL, 300, 0]

    def test_f3_orders_of_one_name_share_the_bar_first_come_first(
        self, broker: SimulatedBroker
    ) -> None:
        broker.submit((buy(700, id_="b1"), buy(700, id_="b2")), NOW)
        broker.submit((buy(FULL, id_="c", symbol=OTHER),), NOW)
        first = {f.cl_ord_id: f.last_qty for f in fills(broker.advance(bar()))}
        assert first == {"b1": 700, "b2": FULL - 700, "c": FULL}
        second = {f.cl_ord_id: f.last_qty for f in fills(broker.advance(bar()))}
        assert second == {"b2": 700 - (FULL - 700)}

    @pytest.mark.parametrize(
        "quiet",
        [{"volume": np.nan}, {"volume": 0.0}, {"volume": 9.0}, {"open": np.nan}],
        ids=["no volume", "nothing traded", "less than a share of it", "no bar"],
    )
    def test_f4_a_name_that_does_not_trade_does_not_fill(
        self, broker: SimulatedBroker, quiet: dict[str, float]
    ) -> None:
        broker.submit((buy(100), buy(100, symbol=OTHER, id_="other")), NOW)
        silent = bar(**{field: {PLAIN: value} for field, value in quiet.items()})
        assert kinds(broker.advance(silent)) == [("other", ExecType.TRADE)]
        assert kinds(broker.advance(bar())) == [("b", ExecType.TRADE)]

    def test_f5_a_fill_carries_the_time_of_its_bar_and_an_id_of_its_own(
        self, broker: SimulatedBroker
    ) -> None:
        acks = broker.submit((buy(2 * FULL), buy(FULL, symbol=OTHER, id_="other")), NOW)
        filled = fills(broker.advance(bar())) + fills(broker.advance(bar()))
        assert {fill.ts for fill in filled} == {int(NOW.timestamp()) * 1_000_000_000}
        ids = [report.exec_id for report in (*acks, *filled)]
        assert len(set(ids)) == len(ids) == 5

    # TC-P: prices

    def test_p1_a_fill_at_the_open_costs_at_least_half_the_spread(
        self, broker: SimulatedBroker
    ) -> None:
        self.held(broker, 500)
        broker.submit((sell(500), buy(400, symbol=OTHER)), NOW)
        paid = {fill.side: fill.last_px for fill in fills(broker.advance(bar()))}
        assert paid[Side.SELL] <= 100.0 - HALF
        assert paid[Side.BUY] >= 100.0 + HALF

    def test_p2_more_shares_fill_at_a_worse_price(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(10, id_="small"), buy(900, id_="large", symbol=OTHER)), NOW)
        paid = {fill.cl_ord_id: fill.last_px for fill in fills(broker.advance(bar()))}
        assert paid["large"] > paid["small"]

    @pytest.mark.parametrize("open_", [100.001, 100.004, 100.0099, 57.123])
    def test_p3_prices_are_on_the_tick_rounded_against_us(
        self, broker: SimulatedBroker, open_: float
    ) -> None:
        self.held(broker, 10)
        broker.submit((sell(10, at=50.0), buy(10, symbol=OTHER)), NOW)
        for fill in fills(broker.advance(bar(open=open_, high=101.0, low=50.0))):
            assert fill.last_px == round(fill.last_px, 2)
            cost = (fill.last_px - open_) * (1 if fill.side is Side.BUY else -1)
            assert cost >= HALF

    def test_p4_below_a_dollar_the_tick_is_a_hundredth_of_a_cent(
        self, broker: SimulatedBroker
    ) -> None:
        penny = bar(open=0.50001, high=0.6, low=0.4, close=0.5, half_spread=0.00002)
        broker.submit((buy(10, at=0.55),), NOW)
        (fill,) = fills(broker.advance(penny))
        assert fill.last_px == round(fill.last_px, 4)
        assert 0.50001 + 0.00002 <= fill.last_px < 0.51

    def test_p5_a_limit_is_never_passed(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(100, at=99.40), short(100, at=100.60, symbol=OTHER)), NOW)
        assert not fills(broker.advance(bar(low=99.39, high=100.61)))
        fell = fills(broker.advance(bar(low=99.30, high=100.70)))
        assert {fill.cl_ord_id: fill.last_px for fill in fell} == {"b": 99.40, "x": 100.60}

    def test_p6_a_touch_by_the_mid_alone_does_not_fill(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(100, at=99.50),), NOW)
        assert not fills(broker.advance(bar(low=99.50)))
        assert fills(broker.advance(bar(low=99.00)))

    # TC-C: commissions

    def test_c1_an_order_in_pieces_pays_one_minimum(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(150),), NOW)
        thin = bar(volume=500.0)
        fees = [fill.fee_micro for _ in range(3) for fill in fills(broker.advance(thin))]
        assert fees == [1_000_000, 0, 0]

    def test_c2_a_large_order_pays_by_the_share_whatever_its_pieces(
        self, broker: SimulatedBroker
    ) -> None:
        broker.submit((buy(2 * FULL + 500), buy(500, symbol=OTHER, id_="one")), NOW)
        reports = [report for _ in range(3) for report in broker.advance(bar())]
        paid: Counter[str] = Counter()
        for fill in fills(reports):
            paid[fill.cl_ord_id] += fill.fee_micro
        assert paid == {"b": micros(0.005 * (2 * FULL + 500)), "one": micros(0.005 * 500)}

    def test_c3_two_orders_pay_two_minimums(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(10, id_="b1"), buy(10, id_="b2")), NOW)
        assert [f.fee_micro for f in fills(broker.advance(bar()))] == [1_000_000] * 2

    # TC-X: the end of an order

    def test_x1_a_canceled_order_fills_no_more(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(2 * FULL),), NOW)
        broker.advance(bar())
        assert kinds(broker.cancel(("b",), NOW)) == [("b", ExecType.CANCELED)]
        assert broker.advance(bar()) == ()
        assert broker.statement().shares == {PLAIN: FULL}

    def test_x2_canceling_what_is_done_says_nothing(self, broker: SimulatedBroker) -> None:
        self.held(broker)
        assert broker.cancel(("held", "never sent"), NOW) == ()
        broker.submit((buy(10),), NOW)
        broker.cancel(("b",), NOW)
        assert broker.cancel(("b",), NOW) == ()

    def test_r1_a_reduced_order_fills_what_is_left_of_it_in_its_place(
        self, broker: SimulatedBroker
    ) -> None:
        broker.submit((buy(400, id_="b1"), buy(400, id_="b2")), NOW)
        (changed,) = broker.replace((Replacement("b1", 150, 102.0),), NOW)
        assert (changed.exec_type, changed.order_qty, changed.price) == (
            ExecType.REPLACED,
            150,
            102.0,
        )
        told = fills(broker.advance(bar(volume=2_000.0)))
        assert [(one.cl_ord_id, one.last_qty) for one in told] == [("b1", 150), ("b2", 50)]

    def test_r2_a_raised_order_goes_behind_the_others_and_pays_one_minimum(
        self, broker: SimulatedBroker
    ) -> None:
        broker.submit((buy(50, id_="b1"), buy(100, id_="b2")), NOW)
        broker.replace((Replacement("b1", 150, 102.0),), NOW)
        told = fills(broker.advance(bar(volume=2_000.0)))
        assert [(one.cl_ord_id, one.last_qty) for one in told] == [("b2", 100), ("b1", 100)]
        (rest,) = fills(broker.advance(bar()))
        assert (rest.last_qty, rest.fee_micro) == (50, 0)

    def test_r3_a_raise_that_would_sell_more_than_is_held_is_refused(
        self, broker: SimulatedBroker
    ) -> None:
        self.held(broker)
        broker.submit((sell(300),), NOW)
        (refused,) = broker.replace((Replacement("s", 501, 98.0),), NOW)
        assert refused.exec_type is ExecType.CANCEL_REJECTED and refused.text
        (made,) = broker.replace((Replacement("s", 500, 98.0),), NOW)
        assert made.exec_type is ExecType.REPLACED
        assert sum(one.last_qty for one in fills(broker.advance(bar()))) == 500

    def test_r4_changing_what_is_done_says_nothing(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(100),), NOW)
        broker.advance(bar())
        assert broker.replace((Replacement("b", 50, 102.0),), NOW) == ()

    def test_r5_a_change_to_what_has_filled_ends_the_order(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(400),), NOW)
        broker.advance(bar(volume=2_000.0))
        (over,) = broker.replace((Replacement("b", 200, 102.0),), NOW)
        assert over.exec_type is ExecType.CANCELED
        assert broker.advance(bar()) == ()

    def test_x3_what_rests_expires_with_the_session(self, broker: SimulatedBroker) -> None:
        broker.submit((buy(2 * FULL), buy(100, symbol=OTHER, id_="done")), NOW)
        broker.advance(bar())
        assert kinds(broker.close(NOW)) == [("b", ExecType.EXPIRED)]
        assert broker.close(NOW) == ()
        assert broker.advance(bar()) == ()

    # TC-S: its own books

    def test_s1_the_statement_is_the_sum_of_the_reports(self, broker: SimulatedBroker) -> None:
        rng = np.random.default_rng(11)
        reports: list[ExecutionReport] = []
        for k in range(40):
            held = broker.statement().shares.get(PLAIN, 0)
            orders = [buy(int(rng.integers(1, 1500)), id_=f"b{k}", at=100 + rng.normal())]
            orders += [short(int(rng.integers(1, 900)), id_=f"x{k}", symbol=OTHER)]
            orders += [sell(int(rng.integers(1, held + 2)), id_=f"s{k}")]
            sent = tuple(replace(one, price=round(one.price, 2)) for one in orders)
            reports += broker.submit(sent, NOW)
            reports += broker.advance(bar(open=100 + rng.normal(), volume=rng.uniform(0, 2e4)))
            reports += broker.cancel((f"b{k - 3}", f"s{k - 3}"), NOW)
            assert broker.statement() == booked(reports)
        reports += broker.close(NOW)
        assert broker.statement() == booked(reports)
        ended = Counter(report.cl_ord_id for report in reports if report.exec_type in FINAL)
        assert max(ended.values()) == 1
        assert len(fills(reports)) > 60

    def test_s2_the_same_calls_get_the_same_answers(
        self, broker: SimulatedBroker, twin: SimulatedBroker
    ) -> None:
        orders = (buy(2 * FULL), short(300, symbol=OTHER), buy(1, symbol=HALTED, id_="no"))
        answers = [
            (one.submit(orders, NOW), one.advance(bar()), one.close(NOW), one.statement())
            for one in (broker, twin)
        ]
        assert answers[0] == answers[1]

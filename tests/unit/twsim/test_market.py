"""Prices, from a seed and from bars, and what trades against them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

from deadband.core.errors import DataError, MissingError
from deadband.core.session import open_minutes, sessions_between
from deadband.twsim.contracts import BUILT_IN, Contract, Listing, listed
from deadband.twsim.market import Quote, SeededMarket, quote, volume_share
from deadband.twsim.matching import Fill, is_triggered, levels, rest, take
from deadband.twsim.orders import Order
from deadband.twsim.recorded import RecordedMarket, recorded
from deadband.twsim.ticket import Ticket

from ...kit.tws import MONDAY, at

AAPL = BUILT_IN[0]
STANDING = Quote(199.99, 200.01, 300, 200, 200.01, 100, 1_000_000)


def order(**fields: object) -> Order:
    written = {"action": "BUY", "totalQuantity": "500", "orderType": "LMT", "lmtPrice": "200.01"}
    written |= {name: str(value) for name, value in fields.items()}
    ticket = Ticket(MappingProxyType(written))
    return Order(ticket, AAPL, 1, 1, 1, "DU1", at("10:00"))


# --- seeded prices


def test_prices_move_with_the_root_of_time() -> None:
    market = SeededMarket(11)
    sessions = sessions_between(MONDAY, MONDAY + timedelta(days=60))
    logs = [
        math.log(market.mid(AAPL, session.open + timedelta(minutes=step)))
        for session in sessions
        for step in range(0, round(session.minutes), 2)
    ]

    def sigma(lag: int) -> float:
        moves = [b - a for a, b in zip(logs, logs[lag:], strict=False)]
        return math.sqrt(sum(m * m for m in moves) / len(moves))

    minute = AAPL.daily_sigma / math.sqrt(390)
    for lag in (1, 8, 64):
        assert sigma(lag) == pytest.approx(minute * math.sqrt(2 * lag), rel=0.35)


def test_a_price_stands_still_while_the_market_is_closed() -> None:
    market = SeededMarket(7)
    assert market.mid(AAPL, at("20:00")) == market.mid(AAPL, at("16:00"))
    assert open_minutes(at("16:00"), at("20:00")) == 0


def test_quotes_are_on_ticks_and_apart() -> None:
    for contract in BUILT_IN:
        for minute in range(0, 390, 13):
            seen = quote(SeededMarket(7), contract, at("09:30") + timedelta(minutes=minute), 7)
            assert seen.ask > seen.bid > 0
            for price in (seen.bid, seen.ask):
                assert price == round(price, 2)
            assert seen.last in (seen.bid, seen.ask)
            assert min(seen.bid_size, seen.ask_size) >= 100


def test_volume_runs_from_nothing_to_all_of_the_day_and_is_u_shaped() -> None:
    done = [volume_share(minute, 390) for minute in range(391)]
    assert (done[0], done[390]) == (0.0, 1.0)
    rates = [b - a for a, b in pairwise(done)]
    assert min(rates) > 0
    assert rates[0] > 2 * rates[195]
    assert rates[389] > 2 * rates[195]
    market = SeededMarket(7)
    assert market.volume(AAPL, at("09:30")) == 0
    assert market.volume(AAPL, at("16:00")) == pytest.approx(AAPL.daily_shares, rel=0.31)


# --- recorded prices


def tables(rows: list[list[float]], quoted: float = math.nan) -> SimpleNamespace:
    """Bars of two names; a row is open, high, low, close of both."""
    columns = np.array(rows).T
    both = [np.stack([column, column + 50], axis=1) for column in columns]
    volume = np.full((len(rows), 2), 6000.0)
    return SimpleNamespace(
        open=both[0],
        high=both[1],
        low=both[2],
        close=both[3],
        volume=volume,
        quoted=np.full((len(rows), 2), quoted),
    )


def test_bars_become_quotes_between_them() -> None:
    found = recorded(
        ("AAPL", "ZZZ"), 5.0, {MONDAY: tables([[100, 104, 98, 102], [102, 103, 99, 100]], 0.02)}
    )
    aapl, zzz = found.contracts
    assert (aapl.con_id, zzz.con_id) == (265598, 900_000_002)
    assert found.start == at("09:30")
    assert zzz.daily_shares == 12_000
    mids = [found.market.mid(aapl, at("09:30") + timedelta(seconds=s)) for s in range(0, 301, 100)]
    assert mids == [100, 98, 104, 102], "a rising bar sees its low first"
    falling = [found.market.mid(aapl, at("09:35") + timedelta(seconds=s)) for s in (100, 200)]
    assert falling == pytest.approx([103, 99])
    assert found.market.half_quote(aapl, 100.0, at("09:31")) == 0.02
    assert found.market.volume(aapl, at("09:37") + timedelta(seconds=30)) == 9000
    assert found.market.mid(aapl, at("15:00")) == 100, "after the last bar its close stands"


def test_bars_without_quotes_have_modeled_spreads() -> None:
    found = recorded(("AAPL", "ZZZ"), 5.0, {MONDAY: tables([[100, 104, 98, 102]])})
    assert 0.005 <= found.market.half_quote(found.contracts[0], 100.0, at("09:31")) < 1


def test_bars_that_hold_nothing_are_an_error() -> None:
    with pytest.raises(DataError, match="no name that trades"):
        recorded(("AAPL", "ZZZ"), 5.0, {MONDAY: tables([[math.nan] * 4])})
    with pytest.raises(MissingError, match="AAPL"):
        RecordedMarket({}, 5.0).mid(AAPL, at("10:00"))


def test_names_without_an_id_of_their_own_get_one() -> None:
    contracts = listed(["MSFT", "QQQX", "AAAX"])
    assert len({contract.con_id for contract in contracts}) == 3
    listing = Listing(contracts)
    assert listing.find({"symbol": "QQQX"}) is not None
    assert listing.find({"symbol": "AAPL"}) is None
    msft = listing.find({"conId": "272093"})
    assert msft is not None
    assert msft.symbol == "MSFT"
    assert [contract.symbol for contract in listing] == ["AAAX", "MSFT", "QQQX"]


def test_a_cent_from_a_dollar_up() -> None:
    assert AAPL.tick(0.5) == 0.0001
    assert AAPL.tick(1.0) == 0.01


# --- matching


def test_a_taker_walks_the_book_to_its_limit() -> None:
    assert list(levels(STANDING, 1, 0.01))[:3] == [(200.01, 200), (200.02, 300), (200.03, 400)]
    assert take(order(lmtPrice=200.02), STANDING, 900, 0) == [
        Fill(200, 200.01, 2),
        Fill(300, 200.02, 2),
    ]
    assert take(order(lmtPrice=200.00), STANDING, 900, 0) == []
    sold = take(order(action="SELL", orderType="MKT", lmtPrice=""), STANDING, 400, 0)
    assert sold == [Fill(300, 199.99, 2), Fill(100, 199.98, 2)]


def test_what_one_took_is_not_there_for_the_next() -> None:
    assert take(order(lmtPrice=200.02), STANDING, 100, 150) == [
        Fill(50, 200.01, 2),
        Fill(50, 200.02, 2),
    ]


def test_a_book_ends_at_zero() -> None:
    penny = replace(STANDING, bid=0.0002, ask=0.0003, bid_size=100)
    assert [price for price, _ in levels(penny, -1, 0.0001)] == [0.0002, 0.0001]


def test_a_resting_order_waits_for_its_turn() -> None:
    waiting = order(lmtPrice=199.99)
    assert rest(waiting, STANDING, 500, 10_000) == [], "the first step only joins"
    assert waiting.queue_ahead == 300
    assert rest(waiting, STANDING, 500, 400) == []
    assert waiting.queue_ahead == 100
    assert rest(waiting, STANDING, 500, 460) == [Fill(100, 199.99, 1)], "whole lots"
    assert rest(waiting, STANDING, 500, 4000) == [Fill(500, 199.99, 1)]
    moved = replace(STANDING, bid=200.05, ask=200.07)
    assert rest(waiting, moved, 500, 4000) == []
    assert waiting.queue_ahead is None, "behind the touch the place is lost"


def test_inside_the_spread_there_is_no_queue() -> None:
    first = order(lmtPrice=200.00)
    rest(first, STANDING, 500, 0)
    assert first.queue_ahead == 0
    assert rest(order(orderType="MKT", lmtPrice=""), STANDING, 500, 4000) == []


@pytest.mark.parametrize(
    ("side", "stop", "hit"),
    [("BUY", 200.01, True), ("BUY", 200.02, False), ("SELL", 200.01, True), ("SELL", 200, False)],
)
def test_stops_look_at_the_last_trade(side: str, stop: float, hit: bool) -> None:
    assert is_triggered(order(action=side, orderType="STP", auxPrice=stop), STANDING) is hit
    assert not is_triggered(order(action=side, orderType="STP", auxPrice=""), STANDING)


def test_contracts_may_contradict() -> None:
    listing = Listing((Contract(5, "X", "NYSE", "X", "X CORP", 10.0, 1e6),))
    assert listing.find({"conId": "5", "symbol": "other"}) is not None, "an id decides"
    assert listing.find({"symbol": "X", "secType": "OPT"}) is None

"""The gateway's books: cash, positions and fees are the fold of what was executed, to the micro."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.units import micros, usd
from deadband.twsim.accounts import Account
from deadband.twsim.contracts import BUILT_IN

from ..kit.tws import RawClient, bid_of, books, gateway

FILLS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(-500, 500).filter(bool),
        st.integers(1, 60_000).map(lambda cents: cents / 100),
        st.integers(0, 5_000_000),
    ),
    max_size=60,
)


@given(FILLS)
@settings(max_examples=300, deadline=None)
def test_money_is_neither_made_nor_lost(fills: list[tuple[int, int, float, int]]) -> None:
    account = Account("DU1")
    cash, shares, fees = account.cash_micros, [0, 0, 0], 0
    for name, signed, price, fee in fills:
        account.fill(BUILT_IN[name], signed, price, fee)
        cash -= signed * micros(price) + fee
        shares[name] += signed
        fees += fee
    held = [account.shares_of(BUILT_IN[name]) for name in range(3)]
    cost = sum(p.cost_micros for p in account.positions.values())
    realized = sum(p.realized_micros for p in account.positions.values())
    assert account.cash_micros == cash
    assert held == shares
    assert account.fees_micros == fees
    assert account.cash_micros + cost - realized == account.start_micros
    assert all(p.cost_micros == 0 for p in account.positions.values() if p.shares == 0)


def test_a_gain_is_realized_on_average_cost() -> None:
    account = Account("DU1")
    aapl = BUILT_IN[0]
    assert account.fill(aapl, 100, 10.0, 0) is None
    assert account.fill(aapl, 100, 12.0, 0) is None
    assert account.positions[aapl.con_id].average_cost == 11.0
    assert account.fill(aapl, -50, 13.0, micros(1.0)) == micros(99.0)
    assert account.fill(aapl, -250, 10.0, 0) == micros(-150.0)
    assert account.shares_of(aapl) == -100
    assert account.positions[aapl.con_id].average_cost == 10.0


@given(st.integers(0, 10_000), st.lists(st.integers(-900, 900).filter(bool), max_size=25))
@settings(max_examples=30, deadline=None)
def test_a_client_can_fold_the_books_from_what_it_is_told(seed: int, sizes: list[int]) -> None:
    host = gateway(seed=seed, cash_usd=1e8, step_s=5.0)
    client = RawClient(host)
    for number, signed in enumerate(sizes, 1):
        symbol = ("AAPL", "SPY", "KO")[number % 3]
        side = "BUY" if signed > 0 else "SELL"
        kind = "MKT" if number % 2 else "LMT"
        client.place(
            number,
            symbol=symbol,
            action=side,
            totalQuantity=abs(signed),
            orderType=kind,
            lmtPrice=bid_of(host, symbol),
        )
        client.wait(7)
    client.wait(30)
    fills, fees = client.rows(11), client.rows(59)
    assert [fee["execId"] for fee in fees] == [fill["execId"] for fill in fills]
    fold = micros(1e8) - sum(micros(float(fee["commission"])) for fee in fees)
    for fill in fills:
        sign = 1 if fill["side"] == "BOT" else -1
        fold -= sign * int(fill["shares"]) * micros(float(fill["price"]))
    assert host.accounts["DU1234567"].cash_micros == fold, "to the micro-dollar"
    cash = usd(fold)
    client.inbox.clear()
    client.send(61, 1)
    held = {row["symbol"]: float(row["position"]) for row in client.rows(61)}
    assert held == {symbol: shares for symbol, shares in books(fills).items() if shares}
    client.send(6, 2, 1, "")
    values = {row["key"]: row["value"] for row in client.rows(6)}
    assert float(values["TotalCashValue"]) == pytest.approx(cash, abs=0.006)
    value = sum(float(row["marketValue"]) for row in client.rows(7))
    assert float(values["NetLiquidation"]) == pytest.approx(cash + value, abs=0.03)


def day(seed: int) -> bytes:
    """All bytes of a client's day, from 09:25 to 16:05, orders and streams."""
    host = gateway(clock="09:25", seed=seed, step_s=30.0)
    client = RawClient(host)
    client.send(6, 2, 1, "")
    client.send(
        1, 11, 1, "0", "AAPL", "STK", "", 0, "", "", "SMART", "", "USD", "", "", 0, "", 0, 0, ""
    )
    for number in range(1, 40):
        client.place(
            number,
            action=("BUY", "SELL")[number % 2],
            symbol=("AAPL", "SPY", "MSFT")[number % 3],
            orderType=("MKT", "LMT", "MIDPRICE", "MOC")[number % 4],
            lmtPrice="" if number % 4 != 1 else bid_of(host, ("AAPL", "SPY", "MSFT")[number % 3]),
            totalQuantity=10 * number,
        )
        client.wait(600)
    return bytes(client.stream)


def test_the_same_seed_gives_the_same_bytes_all_day() -> None:
    first = day(3)
    assert len(first) > 100_000
    assert first == day(3)
    assert first != day(4)


def test_prices_do_not_depend_on_who_looks() -> None:
    quiet, busy = gateway(step_s=5.0), gateway(step_s=5.0)
    watcher = RawClient(busy)
    for number, symbol in enumerate(("AAPL", "SPY", "TSLA")):
        watcher.send(
            *(97, number, "0", symbol, "STK", "", 0, "", "", "SMART", "", "USD", "", ""),
            *("BidAsk", 0, 0),
        )
    quiet.timeline.run_for(3600)
    busy.timeline.run_for(3600)
    for symbol in ("AAPL", "SPY", "TSLA", "KO"):
        assert bid_of(quiet, symbol) == bid_of(busy, symbol)

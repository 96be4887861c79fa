"""The gateway's price lists: what fills are billed, what a preview says, and what nights accrue."""

from datetime import date, timedelta

import pytest

from deadband.core.costs import CostSettings
from deadband.core.units import micros

from ...kit.tws import RawClient, bid_of, fault, gateway

TIERED = CostSettings(plan="tiered")
NIGHTS = CostSettings(borrow_pct=7.2, financing=True, benchmark_pct=3.6)
ACCOUNT = "DU1234567"


def fees(client: RawClient) -> list[float]:
    return [float(row["commission"]) for row in client.rows(59)]


def test_a_purchase_that_takes_pays_tier_venue_clearing_and_what_is_passed_through() -> None:
    host = gateway(costs=TIERED)
    client = RawClient(host)
    client.place(1, symbol="AAPL", action="BUY", totalQuantity=100, orderType="MKT", lmtPrice="")
    client.wait(5)
    assert sum(fees(client)) == pytest.approx(0.35 * 1.000735 + 0.3 + 0.02, abs=2e-6)


def test_a_sale_pays_the_regulators_too() -> None:
    host = gateway(costs=TIERED)
    client = RawClient(host)
    client.place(1, symbol="AAPL", action="SELL", totalQuantity=100, orderType="MKT", lmtPrice="")
    client.wait(5)
    value = sum(float(row["shares"]) * float(row["price"]) for row in client.rows(11))
    taxed = 0.35 * 1.000735 + 0.32 + 20.6e-6 * value + 0.0195
    assert sum(fees(client)) == pytest.approx(taxed, abs=3e-6)


def test_an_order_that_waits_gets_its_rebate() -> None:
    host = gateway(costs=TIERED)
    client = RawClient(host)
    client.place(1, symbol="INTC", totalQuantity=400, lmtPrice=bid_of(host, "INTC"))
    client.wait(60)
    marks = {row["lastLiquidity"] for row in client.rows(11)}
    assert marks == {"1"}
    own = max(0.35, 400 * 0.0035) * 1.000735
    assert sum(fees(client)) == pytest.approx(own - 400 * 0.0018, abs=5e-6)


def test_the_months_shares_are_counted_over_orders() -> None:
    host = gateway(costs=CostSettings(plan="tiered", month_shares=299_900.0))
    client = RawClient(host)
    for number in (1, 2):
        client.place(
            number, symbol="AAPL", action="BUY", totalQuantity=300, orderType="MKT", lmtPrice=""
        )
        client.wait(10)
    rest = 300 * 0.0032
    first, second = (0.35 + 0.4) * 1.000735 + rest, 0.6 * 1.000735 + rest
    assert sum(fees(client)) == pytest.approx(first + second, abs=5e-6)


def test_a_bust_gives_the_fee_back_and_the_books_still_tie() -> None:
    host = gateway(costs=TIERED, faults=(fault("exec_busted", nth=1, seconds=2.0),))
    client = RawClient(host)
    client.place(1, symbol="AAPL", action="BUY", totalQuantity=100, orderType="MKT", lmtPrice="")
    client.wait(10)
    account = host.accounts[ACCOUNT]
    assert account.cash_micros == account.start_micros
    assert account.fees_micros == 0


def test_a_night_accrues_and_is_posted_with_the_next_month() -> None:
    host = gateway(costs=NIGHTS, step_s=60.0)
    client = RawClient(host)
    client.place(1, symbol="KO", action="SELL", totalQuantity=1_000, orderType="MKT", lmtPrice="")
    client.wait(300)
    account = host.accounts[ACCOUNT]
    cash = account.cash_micros
    assert account.accrued_micros == 0
    host.timeline.run_until(host.timeline.now.replace(hour=23))
    one = account.accrued_micros
    assert one is not None
    price = one * 360 / 0.072 / 1_000 / 1e6
    assert price == pytest.approx(round(price), abs=1e-3), "collateral is whole dollars"
    client.inbox.clear()
    client.send(6, 2, 1, "")
    values = {row["key"]: row["value"] for row in client.rows(6)}
    assert float(values["AccruedCash"]) == pytest.approx(-one / 1e6, abs=0.006)
    assert account.cash_micros == cash, "nothing is posted yet"
    while host.timeline.now.date() < date(2026, 4, 1):
        host.timeline.run_until(host.timeline.now + timedelta(days=1))
    # March was posted with the first close of April, whose own night is all that is open.
    assert account.cash_micros < cash - 25 * one
    assert account.accrued_micros == pytest.approx(one, rel=0.1)


def test_without_rates_nothing_accrues_and_no_key_is_sent() -> None:
    host = gateway()
    client = RawClient(host)
    client.send(6, 2, 1, "")
    assert "AccruedCash" not in {row["key"] for row in client.rows(6)}
    assert host.accounts[ACCOUNT].accrued_micros is None
    assert host.accounts[ACCOUNT].start_micros == micros(1_000_000.0)

"""What counts as shares of a stock, and how large an order may be."""

from types import SimpleNamespace

import pytest

from deadband.brokers.ibkr.rows import Row, Trade
from deadband.brokers.ibkr.sink import held_as
from tests.kit.ibkr import buy


@pytest.mark.parametrize(
    ("kind", "currency", "name"),
    [
        ("STK", "USD", "AAPL"),
        ("OPT", "USD", "AAPL  260320C00200000 OPT USD"),
        ("STK", "EUR", "AAPL  260320C00200000 STK EUR"),
    ],
)
def test_only_a_us_stock_is_held_under_its_symbol(kind: str, currency: str, name: str) -> None:
    contract = SimpleNamespace(
        secType=kind, currency=currency, symbol="AAPL", localSymbol="AAPL  260320C00200000"
    )
    assert held_as(contract) == name


def test_an_order_of_which_the_broker_made_two_is_as_wide_as_all_that_may_trade() -> None:
    """The old one rests with 597 shares, listed late; the new one had traded all of its 1,192."""
    row = Row(buy("a", qty=597), order_ids=[1, 2])
    row.trades["x"] = Trade("x", "01", 1_100, 83.9, 2)
    row.trades["y"] = Trade("y", "01", 92, 83.9, 2)
    row.sizes[1] = 597
    assert row.widest_qty == 1_789
    # What has traded is not counted beside the size that it is of.
    row.trades["z"] = Trade("z", "01", 400, 83.7, 1)
    assert row.widest_qty == 1_789

"""What counts as shares of a stock."""

from types import SimpleNamespace

import pytest

from deadband.brokers.ibkr.sink import held_as


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

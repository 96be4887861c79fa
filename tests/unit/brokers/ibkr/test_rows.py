"""What a journal's memory makes of an order, and what counts as shares of a stock."""

from types import SimpleNamespace

import pytest

from deadband.brokers.ibkr.rows import remembered
from deadband.brokers.ibkr.sink import held_as
from deadband.core.broker import Memory
from deadband.core.events import Intent
from deadband.core.orders import Action, ExecType, ExecutionReport, OrdStatus, Side, Source
from tests.kit.ibkr import buy


def told(kind: ExecType, source: Source = Source.LIVE) -> ExecutionReport:
    return ExecutionReport("a", "AAPL", Side.BUY, f"a.{kind}", kind, 0, 0.0, 0, 1, source=source)


@pytest.mark.parametrize(
    ("source", "status"),
    [(Source.LIVE, OrdStatus.PENDING_CANCEL), (Source.LOCAL, OrdStatus.NEW)],
)
def test_a_cancel_that_a_dead_process_asked_for_is_believed_from_the_broker_alone(
    source: Source, status: OrdStatus
) -> None:
    reports = (told(ExecType.NEW), told(ExecType.PENDING_CANCEL, source))
    memory = Memory(1, (Intent(Action.NEW, buy("a"), 1),), reports)
    row = remembered(memory)["a"]
    assert row.status is status
    assert row.reports == 2


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

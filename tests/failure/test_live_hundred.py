"""A hundred names, a whole day, real sockets, real processes, a real kill -9."""

from pathlib import Path

import pytest

from ..kit.hundred import lived
from ..kit.life import NAMES

SEED = 20


@pytest.mark.timeout(300)
def test_a_day_of_a_hundred_names_through_a_broken_line_kill_9_and_a_night(tmp_path: Path) -> None:
    """One test, so that the day is lived once; how fast this machine is decides nothing of it."""
    day = lived(tmp_path, SEED)
    day.check()
    assert day.killer.in_flight >= 1
    assert [kind for kind, *_ in day.entries() if kind in ("RUN", "RESUMED", "END")] == [
        *("RUN", "RESUMED", "END", "RESUMED", "END")
    ]
    executions = day.host.exchange.books.executions
    assert len(day.state().universe) == NAMES == 100
    assert len({one.order.contract.symbol for one in executions}) > 50
    assert len(day.host.desk.orders) > 300
    assert len(executions) > 300
    assert len({at[:10] for _, at, _ in day.entries("CYCLE")}) == 2
    # While the gateway restarted and while the process was dead, orders went on to trade.
    assert len(day.away()) >= 3
    # The night has accrued at the gateway; what is posted next month moves no cash yet.
    assert all(account.accrued_micros for account in day.host.accounts.values())

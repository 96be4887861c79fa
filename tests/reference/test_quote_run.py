"""Quotes from a file to fills, and from fills to their analysis, on a made-up market."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests import kit
from tests.kit.parents import SECOND, route

from deadband import cycle
from deadband.backtest.quote_run import Played, play
from deadband.backtest.tca.played import trades_of
from deadband.backtest.tca.shortfall import paper_less_real, shortfall
from deadband.brokers.quotes import QuoteBroker
from deadband.core.errors import DataError
from deadband.core.orders import Algorithm, ExecType, Order, Side
from deadband.core.quotes import QuoteDay
from deadband.core.reasons import Code
from deadband.core.session import session_on
from deadband.core.units import epoch_ns
from deadband.execute.short_horizon import Facts
from deadband.feeds.quotes import STALE_STEPS, read_quotes

DAY = date(2026, 3, 3)
NEXT = date(2026, 3, 4)
NAMES = ("AAA", "BBB")


def quotes(seed: int = 1, days: tuple[date, ...] = (DAY,), seconds: int = 2400) -> pd.DataFrame:
    """Two names, a cent wide, moving a cent now and then, 300 shares on each side and traded."""
    rng = np.random.default_rng(seed)
    tables = []
    for day in days:
        session = session_on(day)
        assert session is not None
        for name in NAMES:
            bid = 50.0 + 0.01 * np.cumsum(
                rng.integers(-1, 2, seconds) * (rng.random(seconds) < 0.05)
            )
            at_ask = rng.random(seconds) < 0.5
            price = np.where(at_ask, bid + 0.01, bid)
            tables.append(
                pd.DataFrame(
                    {
                        "ts": [session.open + timedelta(seconds=k) for k in range(seconds)],
                        "symbol": name,
                        "high": price,
                        "low": price,
                        "volume": 100.0,
                        "bid": bid.round(2),
                        "ask": (bid + 0.01).round(2),
                        "bid_size": 300.0,
                        "ask_size": 300.0,
                    }
                )
            )
    return pd.concat(tables)


def written(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "quotes.parquet"
    frame.to_parquet(path)
    return path


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QuoteDay]:
    made = read_quotes(written(quotes(), tmp_path_factory.mktemp("quotes")), 1)
    return {day.symbol: day for day in made}


def orders(algorithm: Algorithm, at: int, qty: int = 900) -> tuple[Order, ...]:
    sides = ((Side.BUY, NAMES[0], 50.5), (Side.SELL, NAMES[1], 49.5))
    return tuple(
        kit.order(
            f"db.{k}",
            symbol,
            side=side,
            order_qty=qty,
            price=price,
            arrival=50.0,
            transact_time=at,
            route=route(algorithm),
        )
        for k, (side, symbol, price) in enumerate(sides)
    )


def played(days: dict[str, QuoteDay], algorithm: Algorithm, **tactics: Any) -> Played:
    settings = kit.settings(**({"corridor": 1.0, "beta_corridor": 1.0} | tactics))
    at = int(days["AAA"].ts[59])
    opens, closes = int(days["AAA"].ts[0]) - SECOND, int(days["AAA"].ts[-1])
    facts = dict.fromkeys(NAMES, Facts(1, 0.01, 0.015, 5e5, opens, closes))
    basket = cycle.open_basket(settings, 1e6, 1e6)
    basket = cycle.take_up(basket, orders(algorithm, at), facts, at)
    return play(basket, QuoteBroker(settings.costs), days, at, at + 400 * SECOND)


OURS = sorted(a for a in Algorithm if not a.startswith("ib_") and a is not Algorithm.CLOSE)


@pytest.mark.parametrize("algorithm", OURS)
def test_what_was_played_ties_out_from_fills_to_shortfall(
    days: dict[str, QuoteDay], algorithm: Algorithm
) -> None:
    run = played(days, algorithm, max_participation=1.0)
    trades = trades_of(run, days)
    assert [trade.algorithm for trade in trades] == [algorithm.value] * 2
    fills = [report for report in run.reports if report.exec_type is ExecType.TRADE]
    assert sum(fill.last_qty for fill in fills) == sum(trade.filled for trade in trades) > 0
    cash = sum(f.side.sign * f.last_qty * f.last_px + f.fee_micro / 1e6 for f in fills)
    assert run.basket.cash == pytest.approx(1e6 - cash, abs=1e-6)
    for trade in trades:
        assert shortfall(trade).total == pytest.approx(paper_less_real(trade), abs=1e-9 * 1e5)


def test_all_is_done_in_time_where_the_market_is_liquid(days: dict[str, QuoteDay]) -> None:
    for algorithm in (Algorithm.MARKETABLE, Algorithm.PASSIVE, Algorithm.TWAP, Algorithm.ARRIVAL):
        run = played(days, algorithm, corridor=0.01)
        assert [one.outcome for one in run.basket.works] == [Code.ORDER_DONE] * 2
        deadline = run.basket.works[0].parent.deadline
        assert all(intent.order.transact_time < deadline for intent in run.sent)


def test_resting_costs_less_than_crossing_in_a_market_that_knows_nothing(
    days: dict[str, QuoteDay],
) -> None:
    """No edge, no memory: who rests earns about what who crosses pays."""
    cost = {}
    for algorithm in (Algorithm.MARKETABLE, Algorithm.PASSIVE):
        trades = trades_of(played(days, algorithm), days)
        cost[algorithm] = sum(shortfall(trade).spread for trade in trades)
    assert cost[Algorithm.PASSIVE] < 0 < cost[Algorithm.MARKETABLE]


def test_the_auction_is_met_at_the_close(days: dict[str, QuoteDay]) -> None:
    grid = days["AAA"].ts
    closes = int(grid[-1])
    at = closes - 1200 * SECOND
    # The made-up market ends early, so its last quotes stand until they are stale: shown again.
    shown = {
        symbol: QuoteDay(
            symbol,
            grid,
            *(np.full(len(grid), v) for v in (50.0, 50.01, 300.0, 300.0)),
            high=np.full(len(grid), np.nan),
            low=np.full(len(grid), np.nan),
            volume=np.zeros(len(grid), dtype=np.int64),
        )
        for symbol in NAMES
    }
    settings = kit.settings()
    facts = dict.fromkeys(NAMES, Facts(1, 0.01, 0.015, 5e5, closes - 23_400 * SECOND, closes))
    basket = cycle.open_basket(settings, 1e6, 1e6)
    basket = cycle.take_up(basket, orders(Algorithm.CLOSE, at), facts, at)
    run = play(basket, QuoteBroker(settings.costs), shown, at, closes)
    fills = [report for report in run.reports if report.exec_type is ExecType.TRADE]
    assert [(f.last_qty, f.last_px) for f in fills] == [(900, pytest.approx(50.005))] * 2


# The file


def test_quotes_are_laid_out_on_an_even_grid_and_stand_until_they_are_stale(
    tmp_path: Path,
) -> None:
    frame = quotes(days=(DAY, NEXT), seconds=300)
    session = session_on(DAY)
    assert session is not None
    seconds = (frame.ts - session.open).dt.total_seconds()
    thinned = frame[seconds % 7 == 0]
    made = read_quotes(written(thinned, tmp_path), 1)
    assert {(day.symbol, len(day.ts)) for day in made} == {(name, 23_400) for name in NAMES}
    assert len(made) == 4
    day = made[0]
    assert day.ts[0] == epoch_ns(session.open) + SECOND
    assert day.bid[0] == day.bid[6] == thinned[thinned.symbol == "AAA"].iloc[0].bid
    assert day.volume[:8].tolist() == [100, 0, 0, 0, 0, 0, 0, 100]
    last = 294
    assert day.bid[last + STALE_STEPS] > 0
    assert day.bid[last + STALE_STEPS + 1] == 0.0
    assert np.isnan(day.mid[-1])
    assert day.last_mid[-1] == day.mid[last + STALE_STEPS]
    assert day.index_at(int(day.ts[10])) == 10
    assert day.index_at(int(day.ts[0]) - 1) == -1


def test_a_crossed_quote_is_none(tmp_path: Path) -> None:
    frame = quotes(seconds=10)
    frame.loc[5, "bid"] = 60.0
    made = read_quotes(written(frame, tmp_path), 1)
    assert made[0].bid[5] == made[0].bid[4]


def test_a_file_without_a_quote_in_a_session_is_refused(tmp_path: Path) -> None:
    frame = quotes(seconds=10)
    frame["ts"] -= pd.Timedelta(hours=12)
    with pytest.raises(DataError, match="holds no quote inside a session"):
        read_quotes(written(frame, tmp_path), 1)

"""What a cycle sees and remembers: universe, market, scores, portfolio, state, settings."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from deadband.core.arrays import Floats
from deadband.core.config import Settings
from deadband.core.orders import Book, WorkingOrder
from deadband.core.seen import History, Market, Portfolio, RiskGiven, Scores, Seen, Switch, Universe
from deadband.core.session import session_on
from deadband.core.types import RiskModel, State, Watch
from deadband.core.units import micros

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
"""10:00 in New York on a full day: open, outside every default window and clamp."""
NAV = 1_000_000.0
PRICE = 100.0

Column = float | Mapping[str, float] | Any


def clock(hhmm: str, day: str = "2026-03-03") -> datetime:
    """The UTC instant at which New York clocks show `hhmm` on a session day."""
    session = session_on(date.fromisoformat(day))
    assert session is not None, f"{day} has no session"
    return session.at_clock(hhmm)


def symbols(n: int) -> tuple[str, ...]:
    return tuple(f"S{i:04d}" for i in range(n))


def universe(n: int = 6, **sectors: str) -> Universe:
    """`n` names S0000, S0001, …; keywords give sectors by symbol."""
    return Universe.of(symbols(n), sectors)


def column(names: Universe, given: Column, default: Any = 0.0) -> Any:
    """A full column (n,) from a scalar, a mapping by symbol over `default`, or an array."""
    if isinstance(given, Mapping):
        values = np.array(np.broadcast_to(default, len(names)))
        for symbol, value in given.items():
            values[names.index[symbol]] = value
        return values
    return np.array(np.broadcast_to(given, len(names)))


def market(
    names: Universe, *, price: Column = PRICE, spread_bps: Column = 5.0, **other: Any
) -> Market:
    """Quotes `spread_bps` wide around `price`; 100 million dollars a day at the default price."""
    mid = column(names, price, PRICE).astype(np.float64)
    half = mid * column(names, spread_bps, 5.0) * 0.5e-4
    defaults: dict[str, Any] = {
        "bid": mid - half,
        "ask": mid + half,
        "last": mid,
        "volume": 10_000.0,
        "adv": 1_000_000.0,
        "bar_return": 0.0,
        "quote_age_s": 1.0,
        "halted": False,
        "shortable": True,
    }
    scalars = {"asof": NOW, "bar_min": 5.0, "norm_move": 1e-3, "norm_spread": 5e-4}
    scalars |= {name: other.pop(name) for name in tuple(other) if name in scalars}
    unknown = other.keys() - defaults.keys()
    assert not unknown, f"a Market has no {sorted(unknown)}"
    columns = {
        name: column(names, other.get(name, value), value) for name, value in defaults.items()
    }
    return Market(universe=names, **columns, **scalars)


def scores(
    names: Universe,
    z: Column = 0.0,
    *,
    age_s: Column = 60.0,
    defect: Column = 0,
    unit: str = "z",
    horizon_min: float = 30.0,
) -> Scores:
    """One model's scores."""
    return Scores(
        universe=names,
        models=("model",),
        unit=(unit,),
        horizon_min=(horizon_min,),
        value=column(names, z).astype(np.float64)[None],
        age_s=column(names, age_s, 60.0).astype(np.float64)[None],
        defect=column(names, defect, 0).astype(np.int16)[None],
    )


def portfolio(
    names: Universe,
    *,
    weights: Column = 0.0,
    shares: Column | None = None,
    price: Column = PRICE,
    nav: float = NAV,
    cash: float | None = None,
    entry_price: Column | None = None,
    holding_min: Column = 30.0,
    working: Column = 0,
    unknown: Column = 0,
) -> Portfolio:
    """Shares, or the whole shares nearest to `weights`; cash is what the book leaves of `nav`."""
    paid = column(names, price, PRICE).astype(np.float64)
    if shares is None:
        owned = np.rint(column(names, weights) * nav / paid).astype(np.int64)
    else:
        owned = column(names, shares, 0).astype(np.int64)
    held = owned != 0
    entered: Floats = np.where(held, paid, 0.0)
    return Portfolio(
        account="SIM",
        currency="USD",
        shares=owned,
        working=column(names, working, 0).astype(np.int64),
        unknown=column(names, unknown, 0).astype(np.int64),
        price=paid,
        cash=nav - float(owned @ paid) if cash is None else cash,
        nav=nav,
        entry_price=entered if entry_price is None else column(names, entry_price, entered),
        holding_min=np.where(held, column(names, holding_min, 30.0), 0.0),
    )


def seen(
    names: Universe,
    *,
    now: datetime = NOW,
    market: Market | None = None,
    scores: Scores | None = None,
    portfolio: Portfolio | None = None,
    switch: Switch | None = None,
    history: History | None = None,
    risk_given: RiskGiven | None = None,
) -> Seen:
    """Everything quiet, flat and ACTIVE unless said otherwise."""
    return Seen(
        now=now,
        market=_market(names) if market is None else market,
        history=history,
        risk_given=risk_given,
        scores=_scores(names) if scores is None else scores,
        portfolio=_portfolio(names) if portfolio is None else portfolio,
        switch=Switch() if switch is None else switch,
    )


_market, _scores, _portfolio = market, scores, portfolio


def state(
    names: Universe,
    *,
    portfolio: Portfolio | None = None,
    working: tuple[WorkingOrder, ...] = (),
    cycle: int = 7,
    day: str = "2026-03-03",
    turnover_today: float = 0.0,
    start_nav: float = NAV,
    peak_nav: float = NAV,
    last_nav: float = 0.0,
    cut_at: Column = -1,
    watch: Watch | None = None,
    risk: RiskModel | None = None,
) -> State:
    """Mid-session, nothing latched; the book is that of `portfolio`, flat without one."""
    book = Book.empty(len(names), micros(NAV))
    if portfolio is not None:
        entered = np.where(portfolio.shares != 0, int(NOW.timestamp()) * 1_000_000_000, -1)
        book = Book(portfolio.shares, micros(portfolio.cash), portfolio.entry_price, entered)
    return State(
        universe=names,
        book=book,
        working=working,
        cycle=cycle,
        day=day,
        turnover_today=turnover_today,
        start_nav=start_nav,
        peak_nav=peak_nav,
        last_nav=last_nav,
        cut_at=column(names, cut_at, -1).astype(np.int64),
        watch=Watch() if watch is None else watch,
        risk=risk,
    )


def settings(**given: Any) -> Settings:
    """Defaults with single fields replaced in whatever table they live: `settings(K=5)`."""
    made = Settings()
    for table in (f.name for f in fields(Settings)):
        room = getattr(made, table)
        if is_dataclass(room):
            mine = {f.name: given.pop(f.name) for f in fields(room) if f.name in given}
            made = replace(made, **{table: replace(room, **mine)})
        elif table in given:
            made = replace(made, **{table: given.pop(table)})
    assert not given, f"no settings table has {sorted(given)}"
    return made

"""A seeded simulated market: bars of invented names, and scores that know a little of the future.

Returns are a market factor, a factor per sector and noise of each name's own, loud at the open and
the close; each name also carries a slow drift of its own, which the scores see through noise. It is
made to exercise every rule, not to resemble any real name: its profits mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ..core.arrays import Floats
from ..core.config import Settings
from ..core.seen import Universe
from ..core.session import Session, next_session, session_on
from .score_table import ScoreTable
from .tape import BarTape, DayBars

BAR_MIN = 5.0
FIRST_DAY = date(2026, 3, 2)
HISTORY_DAYS = 5
SECTORS = ("Energy", "Finance", "Health", "Industry", "Media", "Retail", "Software", "Transport")
DRIFT_BPS = 3.0
"""Drift per bar, bps, of a name whose latent score is one."""
DRIFT_MEMORY = 0.985
"""AR(1) coefficient of the latent score per bar."""
SCORE_SKILL = 0.7
"""Correlation of the published score with the latent one."""
SCORE_EVERY = 3
"""Bars between scores."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedMarket:
    """A tape, the scores that go with it, and the sessions to run."""

    tape: BarTape
    scores: ScoreTable
    sessions: tuple[Session, ...]


def simulated_market(
    settings: Settings,
    seed: int,
    names: int = 100,
    symbols: tuple[str, ...] = (),
    days: int = 1,
) -> SimulatedMarket:
    """`days` sessions of `names` invented names, or of the given symbols.

    The same seed gives the same bars.
    """
    listed = symbols or tuple(f"SIM{i:03d}" for i in range(1, names + 1))
    universe = Universe.of(listed, {s: SECTORS[i % len(SECTORS)] for i, s in enumerate(listed)})
    rng = np.random.Generator(np.random.PCG64(seed))
    sessions = _sessions(days)
    world = _World(rng, universe)
    bars_of: dict[date, DayBars] = {}
    asof: list[int] = []
    scores: list[Floats] = []
    for session in sessions:
        bars, latent = world.session(round(session.minutes / BAR_MIN))
        bars_of[session.day] = bars
        for k in range(SCORE_EVERY, len(bars.close), SCORE_EVERY):
            stamp = session.open.timestamp() + k * BAR_MIN * 60
            asof.append(int(stamp) * 1_000_000_000)
            scores.append(world.score(latent[k - 1]))
    tape = BarTape(
        universe=universe,
        bar_min=BAR_MIN,
        days=bars_of,
        market="",
        risk=settings.risk,
        costs=settings.costs,
        shortable=np.ones(len(universe), dtype=np.bool_),
    )
    table = np.array(scores)
    source = ScoreTable(
        universe,
        "simulated",
        "z",
        30.0,
        np.array(asof, dtype=np.int64),
        table,
        np.ones(table.shape, dtype=np.bool_),
    )
    return SimulatedMarket(tape, source, tuple(sessions[HISTORY_DAYS:]))


def _sessions(days: int) -> list[Session]:
    first = session_on(FIRST_DAY)
    assert first is not None, "the simulated market starts on a session day"
    sessions = [first]
    while len(sessions) < HISTORY_DAYS + days:
        sessions.append(next_session(sessions[-1].day))
    return sessions


class _World:
    """The state that runs on from bar to bar: prices and latent scores."""

    def __init__(self, rng: np.random.Generator, universe: Universe) -> None:
        n = len(universe)
        self.rng, self.group = rng, universe.group
        self.price = rng.uniform(15.0, 250.0, n)
        self.beta = rng.uniform(0.6, 1.5, n)
        self.sigma = rng.uniform(12e-4, 30e-4, n)
        self.daily_volume = np.exp(rng.normal(15.0, 0.8, n))
        self.latent = rng.normal(size=n)

    def session(self, bars: int) -> tuple[DayBars, Floats]:
        """One session's bars and the latent scores (b, n) at each bar's end."""
        n, rng = len(self.price), self.rng
        self.price = self.price * (1 + rng.normal(0, 0.006, n))
        shape = self._shape(bars)
        tables = np.empty((5, bars, n))
        latents = np.empty((bars, n))
        for row in range(bars):
            drift = DRIFT_BPS * 1e-4 * self.latent
            open_ = self.price * (1 + rng.normal(0, 1e-4, n))
            moved = shape[row] * self._returns() + drift
            close = open_ * (1 + moved)
            reach = np.abs(rng.normal(0, 0.4, (2, n))) * self.sigma * shape[row]
            tables[0, row], tables[3, row] = open_, close
            tables[1, row] = np.maximum(open_, close) * (1 + reach[0])
            tables[2, row] = np.minimum(open_, close) * (1 - reach[1])
            busy = shape[row] / shape.sum() * self.daily_volume
            tables[4, row] = np.floor(busy * np.exp(rng.normal(0, 0.3, n)))
            tables[:4, row] = np.round(tables[:4, row], 2)
            self.price = tables[3, row]
            noise = rng.normal(0, np.sqrt(1 - DRIFT_MEMORY**2), n)
            self.latent = DRIFT_MEMORY * self.latent + noise
            latents[row] = self.latent
        open_, high, low, close, volume = tables
        high, low = np.maximum(high, open_), np.minimum(low, open_)
        return DayBars(open_, high, low, close, volume, np.full((bars, n), np.nan)), latents

    def _returns(self) -> Floats:
        rng, n = self.rng, len(self.price)
        market = rng.normal(0, 8e-4)
        sector = rng.normal(0, 5e-4, len(SECTORS))
        own: Floats = rng.normal(0, 1, n) * self.sigma
        return self.beta * market + sector[self.group] + own

    def _shape(self, bars: int) -> Floats:
        """Louder at the open and the close, mean one."""
        at = np.linspace(0.0, 1.0, bars)
        shape: Floats = 0.8 + 1.4 * np.exp(-at / 0.06) + 0.5 * np.exp(-(1 - at) / 0.05)
        normed: Floats = shape / shape.mean()
        return normed

    def score(self, latent: Floats) -> Floats:
        noise = self.rng.normal(size=len(latent))
        score: Floats = SCORE_SKILL * latent + np.sqrt(1 - SCORE_SKILL**2) * noise
        return score

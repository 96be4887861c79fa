"""The risk model against what happened: forecasts for many random portfolios, out of sample.

For every session that has enough history before it, and at each decision in it:
1. Random portfolios, long-only and dollar-neutral, drawn anew each session.
2. Our σ and correlation as `cycle.step` would have had them at that instant; and each peer's
   covariance, fitted on the bars up to then.
3. The return of each portfolio over the horizon that follows, inside the session.
Decisions: five minutes after the open, and every half hour up to half an hour before the close.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from .. import cycle
from ..core.arrays import Bools, Floats, Ints
from ..core.bars import SessionBars, bar_returns
from ..core.config import Settings
from ..core.correlation import DenseCorrelation
from ..core.errors import DataError
from ..core.ports import Tape
from ..core.session import SESSION_MIN, Session
from ..core.types import RiskModel
from .risk_peers import Peer, peers
from .risk_quality import DRAWS, Outcomes, Quality, qualities

OURS = "ours"
PORTFOLIOS = 100
"""Of each kind, in each session."""
NAMES_A_SIDE = 20
FIRST_MIN = 5.0
LEAST_NAMES = 10
LEAST_VARIANCE = 1e-16
LEAST_PRICED = 0.5
"""Share of names with a price at both ends of a horizon, under which nothing is measured."""

Progress = Callable[[Session], None]


@dataclass(frozen=True, slots=True, eq=False)
class RiskCheck:
    """What was found: the quality by estimator, ours first, and what it was found on."""

    quality: dict[str, Quality]
    given: dict[str, str]
    left_out: tuple[str, ...]
    sessions: int
    decisions: int

    def figures(self) -> dict[str, dict[str, float]]:
        """All figures by estimator, rounded, for JSON."""
        return {name: quality.rounded() for name, quality in self.quality.items()}


def check_risk(
    settings: Settings,
    tape: Tape,
    sessions: tuple[Session, ...],
    seed: int,
    progress: Progress = lambda _: None,
) -> RiskCheck:
    """Forecast and compare over the sessions; raises DataError where none can be measured."""
    rows_a_session = SESSION_MIN / tape.bar_min
    rivals, left_out = peers(rows_a_session, settings.risk.half_life_days)
    chance = np.random.Generator(np.random.PCG64(seed))
    found: list[_Decision] = []
    # One BLAS thread, as in a run: the same bars give the same figures.
    with threadpool_limits(limits=1, user_api="blas"):
        for number, session in enumerate(sessions):
            found += _session(settings, tape.day(session), number, rivals, chance)
            progress(session)
    if not found:
        raise DataError(
            f"in {len(sessions)} sessions no decision had {LEAST_NAMES} names with an estimate and "
            "a price half an hour later. Give bars of more names or more days."
        )
    days, day = np.unique([one.day for one in found], return_inverse=True)
    outcomes = Outcomes(np.array([one.returns for one in found]), day, PORTFOLIOS)
    variance = {name: np.array([one.variance[name] for one in found]) for name in found[0].variance}
    draws = chance.integers(0, len(days), (DRAWS, len(days)))
    when = {True: "at every decision, with today's bars", False: "before each session"}
    return RiskCheck(
        quality=qualities(outcomes, variance, draws),
        given={OURS: when[True]} | {peer.name: when[peer.at_every_decision] for peer in rivals},
        left_out=left_out,
        sessions=len(days),
        decisions=len(found),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Decision:
    """Returns (p,) of the portfolios of one decision, and each estimator's variances (p,)."""

    day: int
    returns: Floats
    variance: dict[str, Floats]


def _session(
    settings: Settings,
    day: SessionBars,
    number: int,
    rivals: list[Peer],
    chance: np.random.Generator,
) -> list[_Decision]:
    horizon = round(30.0 / day.bar_min)
    model: RiskModel | None = None
    weights: Floats | None = None
    names, past = _alive(day), day.history.returns
    today = np.nan_to_num(bar_returns(day.open, day.close))
    before: dict[str, Floats] = {}
    found = []
    for k in range(1, len(day) - horizon + 1):
        model = cycle.foresee(settings.risk, day.market_after(k), day.history, model)
        if k == 1:
            names = names[model.defect[names] == 0]
            weights = _portfolios(names, len(day.universe), chance)
            quiet = past[:, names]
            before = {p.name: p.fit(quiet) for p in rivals if not p.at_every_decision}
        if weights is None or k not in _decision_rows(day, horizon):
            continue
        returns, priced = _outcome(day, k, horizon)
        if priced[names].mean() < LEAST_PRICED:
            continue
        held = weights * priced
        rows = np.vstack([past, today[:k]])[:, names]
        loud, bars_ahead = _time_of_day(model, day, k, horizon)
        timed = rows / np.sqrt(loud)[:, None]
        variance = {OURS: _variance(model, held)}
        for peer in rivals:
            seen = timed if peer.told_the_time else rows
            one_bar = peer.fit(seen) if peer.at_every_decision else before[peer.name]
            ahead = bars_ahead if peer.told_the_time else horizon
            variance[peer.name] = _over(ahead, one_bar, held[:, names])
        found.append(_Decision(number, held @ returns, variance))
    return found


def _over(bars: float, covariance: Floats, weights: Floats) -> Floats:
    """Variance (p,) of portfolios over so many bars by the covariance of one."""
    one_bar: Floats = ((weights @ covariance) * weights).sum(axis=1)
    return np.maximum(bars * one_bar, LEAST_VARIANCE)


def _time_of_day(model: RiskModel, day: SessionBars, k: int, horizon: int) -> tuple[Floats, float]:
    """The curve at each row of history and of today's k bars, and its sum over the horizon.

    Bars of a half-day count by their distance from the open.
    """
    assert model.level is not None, "there is a history"
    curve, past = model.level.curve, day.history.row_of_day
    if past is None:
        past = np.arange(len(day.history.returns)) % len(curve)
    return curve[np.append(past, np.arange(k))], float(curve[k : k + horizon].sum())


def _alive(day: SessionBars) -> Ints:
    """Names that traded in the last session: some estimators refuse one that stands still."""
    last = day.history.observed[-round(SESSION_MIN / day.bar_min) :]
    return np.flatnonzero(last.any(axis=0))


def _decision_rows(day: SessionBars, horizon: int) -> set[int]:
    """Bars after whose end is decided, from 1."""
    halves = range(horizon, len(day) - horizon + 1, horizon)
    return {max(1, round(FIRST_MIN / day.bar_min)), *halves}


def _outcome(day: SessionBars, k: int, horizon: int) -> tuple[Floats, Bools]:
    """Return (n,) from the end of the k-th bar over the horizon, where both ends have a price."""
    start, end = day.close[k - 1], day.close[k + horizon - 1]
    priced = np.isfinite(start) & np.isfinite(end)
    ratio = np.divide(end, start, out=np.ones_like(start), where=priced)
    returns: Floats = ratio - 1.0
    return returns, priced


def _portfolios(names: Ints, n: int, chance: np.random.Generator) -> Floats | None:
    """Weights (2p, n): long-only ones of Σw = 1, then neutral ones of Σ|w| = 2; None: too few."""
    side = min(NAMES_A_SIDE, len(names) // 2)
    if 2 * side < LEAST_NAMES:
        return None
    weights = np.zeros((2 * PORTFOLIOS, n))
    for p in range(PORTFOLIOS):
        chosen = chance.permutation(names)
        weights[p, chosen[:side]] = chance.dirichlet(np.ones(side))
        chosen = chance.permutation(names)
        weights[PORTFOLIOS + p, chosen[:side]] = chance.dirichlet(np.ones(side))
        weights[PORTFOLIOS + p, chosen[side : 2 * side]] = -chance.dirichlet(np.ones(side))
    return weights


def _variance(model: RiskModel, weights: Floats) -> Floats:
    """Our variance (p,) of each portfolio over the horizon."""
    assert model.sigma is not None and model.correlation is not None, "there is a history"
    scaled = weights * model.sigma
    if isinstance(model.correlation, DenseCorrelation):
        found: Floats = ((scaled @ model.correlation.matrix) * scaled).sum(axis=1)
        return found
    common = scaled @ model.correlation.loadings
    own: Floats = (scaled**2) @ model.correlation.specific
    factor: Floats = (common**2).sum(axis=1) + own
    return factor

"""σ within the day: what a bar changes, when it changes nothing, and the time of day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from tests import kit

from deadband.core.config import RiskSettings
from deadband.core.correlation import DenseCorrelation, FactorCorrelation
from deadband.core.reasons import Code
from deadband.core.seen import History, Market, Universe
from deadband.core.session import session_on
from deadband.core.types import RiskModel
from deadband.risk.estimate import estimate
from deadband.risk.level import LARGEST, MOST
from deadband.risk.time_of_day import ahead, clock_of, on_curve

ROWS, DAYS, N = 78, 6, 24
OPEN = session_on(kit.NOW.date()).open  # type: ignore[union-attr]
SECTORS = {f"S{i:04d}": f"sector {i % 3}" for i in range(N)}
NAMES = Universe.of(kit.symbols(N), SECTORS)
LOUD = 1.0 + 2.0 * np.exp(-np.arange(ROWS) / 8.0)
SETTINGS = RiskSettings(min_days=1.0)


def returns(days: int = DAYS, seed: int = 1) -> np.ndarray:
    """A market, three sectors and names of their own, louder at the open."""
    rng = np.random.default_rng(seed)
    rows = days * ROWS
    common = rng.standard_normal((rows, 1)) + rng.standard_normal((rows, 3))[:, NAMES.group]
    own = rng.standard_normal((rows, N)) * np.linspace(0.5, 2.0, N)
    return 5e-4 * np.sqrt(np.tile(LOUD, days))[:, None] * (common + own)


def history(made: np.ndarray | None = None, **changed: Any) -> History:
    made = returns() if made is None else made
    flat = np.full((30, N), 100.0)
    given: dict[str, Any] = {
        "universe": NAMES,
        "bar_min": 5.0,
        "returns": made,
        "observed": np.ones(made.shape, np.bool_),
        "market": made.mean(axis=1),
        "range_min": 30.0,
        "range_high": flat * 1.01,
        "range_low": flat * 0.99,
        "range_close": flat,
        "version": "v",
    }
    return History(**(given | changed))


def market(k: int, move: float = 0.0, names: Universe = NAMES, **other: Any) -> Market:
    """The market when the k-th bar of five minutes has ended."""
    asof = OPEN + timedelta(minutes=5 * k)
    return kit.market(names, asof=asof, bar_return=np.full(len(names), move), **other)


def model(
    k: int = 1, made: History | None = None, settings: RiskSettings = SETTINGS, **other: Any
) -> RiskModel:
    return estimate(market(k, **other), made or history(), None, settings, None)


def sigma(risk: RiskModel) -> np.ndarray:
    assert risk.sigma is not None
    return risk.sigma


def test_sigma_follows_the_time_of_day() -> None:
    at = [float(sigma(model(k, move=1e-3)).mean()) for k in (1, 40)]
    assert at[0] > 1.2 * at[1]


def test_the_whole_sessions_sigma_does_not_depend_on_the_hour() -> None:
    quiet = replace(SETTINGS, level_half_life_min=1e9)
    early, late = model(1, settings=quiet), model(40, settings=quiet)
    assert early.sigma_day == pytest.approx(late.sigma_day, rel=0.03)


def test_a_loud_bar_raises_every_sigma_and_a_still_one_lowers_it() -> None:
    first = model(20, move=1e-3)
    louder = estimate(market(21, move=0.02), history(), None, SETTINGS, first)
    calmer = estimate(market(21, move=0.0), history(), None, SETTINGS, first)
    assert (sigma(louder) > 1.1 * sigma(first)).all()
    assert (sigma(calmer) < sigma(first)).all()
    assert louder.correlation is first.correlation
    assert louder.beta is first.beta


def test_a_bar_is_folded_in_once() -> None:
    first = model(20, move=0.02)
    again = estimate(market(20, move=0.02), history(), None, SETTINGS, first)
    assert again is first


def test_a_cycle_between_two_bars_folds_nothing_in_again() -> None:
    first = model(20, move=5e-3)
    between = replace(market(20, move=5e-3), asof=OPEN + timedelta(minutes=5 * 20, seconds=40))
    assert estimate(between, history(), None, SETTINGS, first) is first


def test_one_wild_print_counts_as_six_sigma() -> None:
    first = model(20)
    wild, at_bound = (
        estimate(market(21, move=move), history(), None, SETTINGS, first) for move in (0.5, 50.0)
    )
    assert sigma(wild) == pytest.approx(sigma(at_bound))
    assert wild.level is not None
    assert wild.level.fast.max() < 1.0 + MOST


def test_a_name_without_a_quote_of_the_bar_keeps_its_own_mean() -> None:
    first = model(20)
    quotes = kit.column(NAMES, {"S0003": 9_000.0}, 0.0)
    after = estimate(market(21, move=0.02, quote_age_s=quotes), history(), None, SETTINGS, first)
    assert first.level is not None and after.level is not None
    moved = after.level.fast != first.level.fast
    assert moved.sum() == N - 1
    assert not moved[3]


def test_outside_a_session_nothing_moves() -> None:
    first = model(20)
    night = kit.market(NAMES, asof=datetime(2026, 3, 7, 15, 0, tzinfo=UTC))
    assert estimate(night, history(), None, SETTINGS, first) is first


def test_with_all_the_day_gone_sigma_is_that_of_the_last_bars() -> None:
    last, before = model(78), model(72)
    assert sigma(last) == pytest.approx(sigma(before), rel=0.4)


def test_a_half_day_closes_as_loud_as_a_full_one() -> None:
    assert int(on_curve(np.array(41), np.array(42), 5.0)) == 77
    assert int(on_curve(np.array(0), np.array(42), 5.0)) == 0
    assert int(on_curve(np.array(41), np.array(78), 5.0)) == 41


def test_the_curve_is_that_of_the_data_and_of_mean_one() -> None:
    clock = clock_of(history(returns(days=40)))
    assert clock.curve.mean() == pytest.approx(1.0)
    assert clock.curve == pytest.approx(LOUD / LOUD.mean(), rel=0.25)


def test_one_wild_day_does_not_shape_the_curve() -> None:
    made = returns(days=10)
    calm = clock_of(history(made)).curve
    made[3 * ROWS : 4 * ROWS] *= 20.0
    assert clock_of(history(made)).curve == pytest.approx(calm, rel=0.2)


def test_past_the_close_the_last_bars_go_on() -> None:
    curve = np.array([4.0, 1.0, 1.0, 2.0])
    assert ahead(curve, 3, 2) == 4.0
    assert ahead(curve, 4, 2) == 3.0


def test_the_calibration_finds_the_bounce() -> None:
    """Bars that undo half of the one before: half an hour moves less than six bars say."""
    made = returns(days=12)
    made[1:] -= 0.5 * made[:-1]
    bounced = model(1, history(made)).level
    plain = model(1, history(returns(days=12))).level
    assert bounced is not None and plain is not None
    assert bounced.calibration < 0.6 < 0.85 < plain.calibration < 1.3 < LARGEST


def test_the_form_of_the_correlation_is_chosen_by_size_or_by_name() -> None:
    assert isinstance(model().correlation, DenseCorrelation)
    factor = model(settings=replace(SETTINGS, form="factor")).correlation
    assert isinstance(factor, FactorCorrelation)
    diagonal = (factor.loadings**2).sum(axis=1) + factor.specific
    assert diagonal == pytest.approx(np.ones(N))


def test_a_new_name_borrows_from_its_sector_and_may_trade_only_if_told() -> None:
    made = returns()
    observed = np.ones(made.shape, np.bool_)
    observed[: -ROWS // 2, 4] = False
    seen = history(np.where(observed, made, 0.0), observed=observed)
    risk = model(made=seen)
    assert risk.borrowed is not None and risk.level is not None and risk.beta is not None
    assert risk.borrowed[4] == Code.RISK_FROM_SECTOR.number
    assert (np.delete(risk.borrowed, 4) == 0).all()
    assert risk.defect[4] == Code.DATA_TOO_NEW.number
    alike = [i for i in range(N) if i % 3 == 1 and i != 4]
    assert risk.level.base[4] == np.median(risk.level.base[alike])
    assert risk.beta[4] == pytest.approx(risk.beta[alike].mean())
    assert isinstance(risk.correlation, DenseCorrelation)
    row = risk.correlation.matrix[4]
    assert row[alike].mean() > np.delete(row, [4, *alike]).mean() + 0.05
    told = model(made=seen, settings=replace(SETTINGS, trade_borrowed=True))
    assert told.defect[4] == 0


def test_without_a_sector_all_names_lend() -> None:
    alone = Universe.of(kit.symbols(N))
    made = returns()
    observed = np.ones(made.shape, np.bool_)
    observed[:, 4] = False
    seen = history(np.where(observed, made, 0.0), observed=observed, universe=alone)
    risk = estimate(market(1, names=alone), seen, None, SETTINGS, None)
    assert risk.borrowed is not None
    assert risk.borrowed[4] == Code.RISK_FROM_ALL.number
    told = replace(SETTINGS, trade_borrowed=True)
    kept = estimate(market(1, names=alone), seen, None, told, None)
    assert kept.defect[4] == Code.DATA_TOO_NEW.number


def test_sigma_over_a_day_is_not_the_openings_times_root_time() -> None:
    quiet = replace(SETTINGS, level_half_life_min=1e9)
    early, noon = model(1, settings=quiet), model(40, settings=quiet)
    for minutes in (390.0, 5 * 390.0):
        assert early.sigma_over(minutes) == pytest.approx(noon.sigma_over(minutes), rel=0.02)
        assert early.sigma_over(minutes) == pytest.approx(early.sigma_day * (minutes / 390) ** 0.5)
    assert early.sigma_over(30.0) == pytest.approx(sigma(early))
    assert early.sigma_over(7.5) == pytest.approx(sigma(early) / 2)


def test_sigma_over_longer_horizons_is_never_less() -> None:
    for risk in (model(1), model(40), model(78)):
        grown = [risk.sigma_over(minutes) for minutes in (1, 29, 30, 31, 200, 389, 390, 391, 780)]
        assert (np.diff(np.array(grown), axis=0) > 0).all()

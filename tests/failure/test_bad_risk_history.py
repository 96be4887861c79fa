"""Histories that hardly are one: the model is sound or says why a name is not, and never breaks."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from deadband.core.config import RiskSettings
from deadband.core.correlation import DenseCorrelation
from deadband.core.errors import ConfigError, MissingError
from deadband.core.lint import lint, refuse_errors
from deadband.core.reasons import Code
from deadband.core.settings import parse_settings
from deadband.core.types import RiskModel
from deadband.feeds.files import bar_tape
from deadband.feeds.universe import Listing
from deadband.risk.estimate import estimate
from tests import kit
from tests.kit.files import bars
from tests.unit.risk.test_level import ROWS, SETTINGS, N, history, market, model, returns


def assert_sound(risk: RiskModel) -> None:
    assert risk.sigma is not None and np.isfinite(risk.sigma).all() and (risk.sigma > 0).all()
    assert isinstance(risk.correlation, DenseCorrelation)
    assert np.linalg.eigvalsh(risk.correlation.matrix).min() > -1e-10
    assert risk.beta is not None and np.isfinite(risk.beta).all()


def test_one_session_of_history() -> None:
    assert_sound(model(1, history(returns(days=1))))


def test_no_row_of_history_at_all() -> None:
    none = np.zeros((0, N))
    risk = model(1, history(none, observed=none.astype(np.bool_), market=none[:, 0]))
    assert_sound(risk)
    assert (risk.defect == Code.DATA_TOO_NEW.number).all()


def test_a_name_without_a_single_bar() -> None:
    made, observed = returns(), np.ones(returns().shape, np.bool_)
    made[:, 3], observed[:, 3] = 0.0, False
    risk = model(1, history(made, observed=observed))
    assert_sound(risk)
    assert risk.defect[3] == Code.DATA_TOO_NEW.number


def test_a_price_that_never_changed_borrows_and_stays_tradable() -> None:
    made = returns()
    made[:, 3] = 0.0
    risk = model(1, history(made))
    assert_sound(risk)
    assert risk.defect[3] == 0
    assert risk.borrowed is not None
    assert risk.borrowed[3] == Code.RISK_FROM_SECTOR.number


def test_a_market_on_which_nothing_moved() -> None:
    assert_sound(model(1, history(np.zeros((3 * ROWS, N)))))


def test_a_market_symbol_that_is_not_there(tmp_path: Path) -> None:
    bars().to_parquet(tmp_path / "bars.parquet", index=False)
    made = kit.settings(bars=str(tmp_path / "bars.parquet"), market="SPY")
    with pytest.raises(MissingError, match="market symbol SPY has no usable bars"):
        bar_tape(tmp_path / "bars.parquet", Listing(), made)


def test_bars_of_no_volume_are_still_returns(tmp_path: Path) -> None:
    frame = bars().assign(volume=0.0)
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    tape = bar_tape(tmp_path / "bars.parquet", Listing(), kit.settings())
    day = tape.day(tape.sessions()[0])
    risk = estimate(day.market_after(1), day.history, None, RiskSettings(), None)
    assert risk.sigma is not None and (risk.sigma > 0).all()


@pytest.mark.parametrize("ratio", (0.5, 2.0, 0.1))
def test_a_split_is_no_gap_and_no_range(tmp_path: Path, ratio: float) -> None:
    """AAA splits on the third morning: its history is that of the same name without a split."""
    frame = bars()
    split = frame.copy()
    after = (split.symbol == "AAA") & (split.ts.dt.date >= date(2026, 3, 4))
    prices = ["open", "high", "low", "close"]
    split.loc[after, prices] *= ratio
    frame.to_parquet(tmp_path / "plain.parquet", index=False)
    split.to_parquet(tmp_path / "split.parquet", index=False)
    risks = []
    for name in ("plain", "split"):
        tape = bar_tape(tmp_path / f"{name}.parquet", Listing(), kit.settings())
        day = tape.day(tape.sessions()[-1])
        assert day.history.gaps is not None
        assert np.abs(day.history.gaps).max() < 0.25
        risks.append(estimate(day.market_after(1), day.history, None, RiskSettings(), None))
    plain, changed = risks
    assert plain.atr is not None and changed.atr is not None
    assert changed.atr == pytest.approx(plain.atr)
    assert plain.sigma_night is not None and changed.sigma_night is not None
    assert changed.sigma_night == pytest.approx(plain.sigma_night)
    assert plain.sigma is not None and changed.sigma is not None
    assert changed.sigma == pytest.approx(plain.sigma)


@pytest.mark.parametrize(("column", "times"), [("low", 0.056), ("high", 18.0)])
def test_one_print_out_of_sequence_does_not_hold_the_stop_loss_off(
    tmp_path: Path, column: str, times: float
) -> None:
    """As on 2026-04-06, when a low of 2.27 in a stock at 40 made four times the true range."""
    frame = bars()
    frame.to_parquet(tmp_path / "plain.parquet", index=False)
    last = frame.index[(frame.symbol == "AAA") & (frame.ts.dt.date < frame.ts.dt.date.max())][-2]
    frame.loc[last, column] *= times
    frame.to_parquet(tmp_path / "wild.parquet", index=False)
    ranges = []
    for name in ("plain", "wild"):
        tape = bar_tape(tmp_path / f"{name}.parquet", Listing(), kit.settings())
        day = tape.day(tape.sessions()[-1])
        risk = estimate(day.market_after(1), day.history, None, RiskSettings(), None)
        assert risk.atr is not None
        ranges.append(float(risk.atr[0]))
    assert ranges[1] < ranges[0] + 0.05 / 14


def test_unknown_forms_and_impossible_half_lives_are_refused() -> None:
    text = '[risk]\nform = "sparse"\nlevel_half_life_min = 0.0\nfactors = -1\n'
    with pytest.raises(ConfigError) as fault:
        refuse_errors(lint(parse_settings(text, {})))
    said = str(fault.value)
    assert "form='sparse' is expected to be one of: auto, dense, factor" in said
    assert "risk.level_half_life_min=0 has to be above zero" in said
    assert "risk.factors=-1 is below zero" in said


def test_a_history_of_other_bars_than_the_market_stays_as_it_opened() -> None:
    first = model(20)
    other = market(21, bar_min=1.0, move=0.05)
    assert estimate(other, history(), None, SETTINGS, first) is first


@pytest.mark.parametrize("times", (2.0, 11.0, 100.0))
@pytest.mark.parametrize("bar_min", (5.0, 30.0))
def test_a_price_that_was_once_off_and_back_is_not_what_later_bars_are_measured_by(
    times: float, bar_min: float
) -> None:
    rows = round(390 / bar_min) * 10
    made = 1e-3 * np.random.default_rng(3).standard_normal((rows, N))
    plain = model(1, history(made, bar_min=bar_min), bar_min=bar_min)
    made[rows // 2, 3], made[rows // 2 + 1, 3] = times - 1.0, 1.0 / times - 1.0
    wild = model(1, history(made, bar_min=bar_min), bar_min=bar_min)
    assert plain.level is not None and wild.level is not None
    assert wild.level.base[3] < 1.5 * plain.level.base[3]


def test_one_print_of_the_market_symbol_does_not_take_all_betas_away() -> None:
    made = returns(days=10)
    plain = model(1, history(made))
    market_returns = made.mean(axis=1)
    market_returns[300], market_returns[301] = 0.5, -1 / 3
    wild = model(1, history(made, market=market_returns))
    assert plain.beta is not None and wild.beta is not None
    assert wild.beta == pytest.approx(plain.beta, abs=0.15)


def test_a_new_name_with_holes_shrinks_only_whatever_the_setting() -> None:
    made = returns()
    observed = np.ones(made.shape, np.bool_)
    observed[:-40, 3], observed[-40:, 3] = False, np.arange(40) % 10 == 0
    made[~observed] = 0.0
    settings = RiskSettings(min_days=3.0, trade_borrowed=True)
    risk = model(1, history(made, observed=observed), settings)
    assert risk.defect[3] == Code.DATA_TOO_GAPPY.number

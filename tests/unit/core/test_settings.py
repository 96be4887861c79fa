"""Settings from TOML and the environment: all faults at once, each with its cure."""

import pytest

from deadband.core.config import OptimizationConfig, Settings
from deadband.core.errors import ConfigError
from deadband.core.settings import parse_settings


def findings(text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, environ, "my.toml")
    return caught.value.findings


def test_nothing_given_is_every_default() -> None:
    assert parse_settings("", {}) == Settings()


def test_the_seeds_defaults() -> None:
    config = OptimizationConfig()
    assert (config.lambda_risk, config.gamma_cost, config.tau_utility) == (0.1, 0.05, 0.0)
    assert (config.K, config.K_buy, config.K_sell, config.Tmax_min) == (20, 18, 24, 120)
    assert (config.z_keep, config.z_cut, config.delta_z_min, config.k_ATR) == (0.8, 0.2, 0.25, 1.2)
    assert (config.tau_L1, config.tau_U) == (0.01, 0.0)
    assert config.tau_name_bps == pytest.approx(50.0)
    assert not config.shorts_allowed


def test_the_short_book_follows_the_long_one() -> None:
    config = OptimizationConfig(K_short=10)
    assert (config.K_buy_short, config.K_sell_short, config.shorts_allowed) == (9, 12, True)
    assert OptimizationConfig(K_short=1, K_buy=1, K=40, K_sell=40).K_buy_short == 1
    assert OptimizationConfig(allow_short=True).shorts_allowed


def test_tables_of_all_rooms_are_read() -> None:
    settings = parse_settings(
        """
        engine = "qp"
        [optimize]
        lambda_risk = 10
        K_short = 5
        allow_short = true
        sector_gross_cap = 0.5
        [policy]
        windows = ["10:30"]
        [costs]
        scale = 0.5
        """,
        {},
    )
    assert settings.engine == "qp"
    assert settings.optimize.lambda_risk == 10.0
    assert type(settings.optimize.lambda_risk) is float
    assert settings.optimize.allow_short is True
    assert settings.optimize.sector_gross_cap == 0.5
    assert settings.policy.windows == ("10:30",)
    assert settings.costs.scale == 0.5
    assert settings.risk == Settings().risk


def test_second_spellings_are_read_and_basis_points_converted() -> None:
    text = "[optimize]\ntau_L1 = 0.02\ntau_U = 0.001\ntau_name_bps = 12"
    config = parse_settings(text, {}).optimize
    assert config.portfolio_drift_threshold == 0.02
    assert config.tau_utility == 0.001
    assert config.name_drift_threshold == pytest.approx(0.0012)


def test_the_environment_overrides_the_file() -> None:
    environ = {
        "DEADBAND_OPTIMIZE__LAMBDA_RISK": "10",
        "DEADBAND_OPTIMIZE__K_BUY": "5",
        "DEADBAND_OPTIMIZE__TAU_NAME_BPS": "12",
        "DEADBAND_POLICY__WINDOWS": '["12:00"]',
        "DEADBAND_POLICY__WINDOWS_ONLY": "true",
        "DEADBAND_DATA__MARKET": "SPY",
        "DEADBAND_ENGINE": "qp",
        "PATH": "elsewhere",
    }
    settings = parse_settings("[optimize]\nlambda_risk = 1\nK_sell = 30", environ)
    assert settings.optimize.lambda_risk == 10.0
    assert (settings.optimize.K_buy, settings.optimize.K_sell) == (5, 30)
    assert settings.optimize.name_drift_threshold == pytest.approx(0.0012)
    assert settings.policy.windows == ("12:00",)
    assert settings.policy.windows_only is True
    assert settings.data.market == "SPY"
    assert settings.engine == "qp"


def test_all_faults_come_at_once_with_file_and_path() -> None:
    found = findings(
        """
        engin = "qp"
        [optimize]
        lamda_risk = 1
        K = 2.5
        z_keep = "high"
        [policy]
        windows = "10:30"
        """
    )
    assert found == (
        "my.toml: engin is not a setting. Did you mean engine?",
        "my.toml: optimize.lamda_risk is not a setting. Did you mean lambda_risk?",
        "my.toml: optimize.K is 2.5, expected a whole number.",
        "my.toml: optimize.z_keep is 'high', expected a number.",
        "my.toml: policy.windows is '10:30', expected a list of texts.",
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("K = true", "optimize.K is True, expected a whole number."),
        ("fully_invested = 1", "optimize.fully_invested is 1, expected true or false."),
        ("allow_short = 'no'", "optimize.allow_short is 'no', expected true or false."),
        ("sector_gross_cap = 'x'", "optimize.sector_gross_cap is 'x', expected a number."),
        ("hedge_symbol = 5", "optimize.hedge_symbol is 5, expected text."),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(line: str, fault: str) -> None:
    assert findings(f"[optimize]\n{line}") == (f"my.toml: {fault}",)


def test_a_key_like_none_lists_what_there_is() -> None:
    (found,) = findings("[signals]\nqqq = 1")
    assert "signals.qqq is not a setting. Known: " in found
    assert "max_score_age_min" in found


def test_a_value_where_a_table_belongs_is_a_fault() -> None:
    assert findings("risk = 5") == ("my.toml: risk is 5, expected a table [risk].",)


def test_text_that_is_not_toml_is_one_fault() -> None:
    (found,) = findings("[optimize\nK = 5")
    assert found.startswith("my.toml is not TOML: ")


def test_faults_of_the_environment_are_faults() -> None:
    (found,) = findings("", DEADBAND_OPTIMIZE__LAMBDA="10")
    assert "optimize.lambda is not a setting. Did you mean lambda_risk?" in found
    (found,) = findings("engine = 'qp'", DEADBAND_ENGINE__MODE="fast")
    assert "engine is {'mode': 'fast'}, expected text." in found
    (found,) = findings("", DEADBAND_OPTIMIZE__K="many")
    assert "optimize.K is 'many', expected a whole number." in found

"""The config check: every finding can be reached and carries its numbers and its cure."""

from typing import Any

import pytest

from deadband.core.config import (
    ExecutionSettings,
    OptimizationConfig,
    PolicySettings,
    RiskSettings,
    Settings,
    SignalSettings,
)
from deadband.core.costs import CostSettings
from deadband.core.errors import ConfigError
from deadband.core.lint import Circumstances, lint, refuse_errors
from deadband.core.tactics import Tactics

QUIET = {"lambda_risk": 10.0, "gamma_cost": 0.0125}
"""The seeds' defaults with the two changes the check asks for: nothing left to say."""


def optimize(**changed: Any) -> Settings:
    return Settings(optimize=OptimizationConfig(**(QUIET | changed)))


def tactics(**changed: Any) -> Settings:
    return Settings(tactics=Tactics(**changed))


def texts(settings: Settings, severity: str, against: Circumstances | None = None) -> list[str]:
    return [f.text for f in lint(settings, against) if f.severity == severity]


def test_the_seeds_defaults_can_work_but_are_told_about_cost_and_risk() -> None:
    assert texts(Settings(), "error") == []
    cost, risk = texts(Settings(), "warning")
    assert "score gap of 2γc = 0.3, above delta_z_min=0.25" in cost
    assert risk.startswith("lambda_risk=0.1: the risk term is 0.19% of the edge")
    assert "fills about 3 names to per_name_cap" in risk
    assert "lambda_risk near 10" in risk


def test_a_configuration_that_took_the_advice_is_quiet() -> None:
    assert lint(optimize()) == ()
    refuse_errors(lint(optimize()))


def test_the_seeds_defaults_fully_invested_are_refused_by_name() -> None:
    (error,) = texts(optimize(fully_invested=True), "error")
    assert error.startswith("fully_invested asks for Σw = 1, but max_net_exposure=0.3 allows less.")
    assert "Set max_net_exposure to 1 or more, or drop fully_invested" in error
    assert texts(optimize(fully_invested=True, max_net_exposure=1.0), "error") == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (optimize(lambda_risk=-1.0), "lambda_risk=-1 is below zero. Set it to 0 or more."),
        (optimize(reentry_min=-5.0), "reentry_min=-5 is below zero"),
        (optimize(K_short=-1), "K_short=-1 is below zero"),
        (Settings(costs=CostSettings(scale=-1.0)), "costs.scale=-1 is below zero"),
        (optimize(per_name_cap=0.0), "per_name_cap=0 has to be above zero"),
        (tactics(cross_at=1.2), "cross_at=1.2 would cross after the deadline. Set it to 1."),
        (tactics(start_at=1.0), "start_at=1 is expected in [-10, 1)"),
        (tactics(jitter=1.0), "jitter=1 would let slices overtake. Set it below 1."),
        (tactics(participation=0.3), "participation=0.3 is outside of min_participation=0.05"),
        (tactics(slices=0), "tactics.slices=0 has to be above zero"),
        (tactics(corridor=5.0), "tactics.corridor=5 is 500%: is it a percentage?"),
        (
            Settings(costs=CostSettings(spread_paid=-1.5)),
            "costs.spread_paid=-1.5 is expected in [-1, 2]: 1 pays the half-spread",
        ),
        (
            Settings(execution=ExecutionSettings(algorithm="vwop")),
            "execution.algorithm='vwop' is expected to be one of: auto, marketable, passive",
        ),
        (optimize(max_turnover=0.0), "max_turnover=0 has to be above zero"),
        (optimize(K=0, K_buy=0), "K=0 has to be above zero"),
        (optimize(max_gross_exposure=float("nan")), "max_gross_exposure=nan has to be above zero"),
        (
            Settings(execution=ExecutionSettings(capital_usd=0.0)),
            "execution.capital_usd=0 has to be above zero",
        ),
        (
            Settings(signals=SignalSettings(max_score_age_min=0.0)),
            "signals.max_score_age_min=0 has to be above zero",
        ),
        (
            Settings(signals=SignalSettings(weight_half_life_min=0.0)),
            "signals.weight_half_life_min=0 has to be above zero",
        ),
        (
            Settings(signals=SignalSettings(recent_half_life_days=20.0)),
            "signals.recent_half_life_days=20 is not below skill_half_life_days=20",
        ),
        (
            Settings(signals=SignalSettings(weight_floor=1.5)),
            "signals.weight_floor=1.5 asks for more than the equal weight",
        ),
        (Settings(risk=RiskSettings(history_days=0)), "risk.history_days=0 has to be above zero"),
        (
            optimize(per_name_cap=10.0),
            "per_name_cap=10 is 1000%: is it a percentage? Fractions are meant, so write 0.1.",
        ),
        (
            Settings(policy=PolicySettings(drawdown=5.0)),
            "policy.drawdown=5 is 500%: is it a percentage?",
        ),
        (optimize(budget_buffer=1.0), "budget_buffer=1 is expected in [0, 1)"),
        (
            optimize(weighting="best"),
            "weighting='best' is expected to be one of: equal, score, inverse_vol",
        ),
        (
            Settings(policy=PolicySettings(override_action="panic")),
            "policy.override_action='panic' is expected to be one of: reduce, scale",
        ),
        (Settings(engine="magic"), "engine='magic' is expected to be one of: greedy, qp"),
        (
            Settings(policy=PolicySettings(windows=("lunch",))),
            "policy.windows has 'lunch', expected open+5, close-10 or 10:30.",
        ),
        (Settings(policy=PolicySettings(spike_cycles=0)), "policy.spike_cycles=0 has to be above"),
        (
            Settings(execution=ExecutionSettings(strategy="intraday.us")),
            "execution.strategy='intraday.us' begins the ids of orders",
        ),
        (
            Settings(execution=ExecutionSettings(min_ticket_usd=-1.0)),
            "execution.min_ticket_usd=-1 is below zero",
        ),
        (
            optimize(K_buy=21),
            "K_buy=21, K=20, K_sell=24 are expected in rising order: a name is bought inside "
            "K_buy and kept until K_sell. Set K_buy to at most 20 and K_sell to at least 20.",
        ),
        (optimize(K_sell=19), "K_buy=18, K=20, K_sell=19 are expected in rising order"),
        (
            optimize(z_cut=0.9),
            "z_cut=0.9 is above z_keep=0.8: a name would be cut at a score at which it is bought",
        ),
        (
            optimize(per_name_cap=0.4, max_gross_exposure=0.35),
            "per_name_cap=0.4 is above max_gross_exposure=0.35. Lower the cap.",
        ),
        (
            optimize(name_drift_threshold=0.06),
            "name_drift_threshold=0.06 is above max_turnover_per_name=0.05: nothing could trade",
        ),
        (
            optimize(K=100, K_sell=100),
            "a name's target is 0.00291 of NAV (budget 0.291 over K=100), below "
            "name_drift_threshold=0.005: nothing would ever be bought",
        ),
        (
            optimize(K_short=5, allow_short=False),
            "K_short=5 asks for a short book, allow_short is false",
        ),
    ],
)
def test_what_cannot_work_is_refused(settings: Settings, said: str) -> None:
    errors = texts(settings, "error")
    assert any(said in error for error in errors), errors


@pytest.mark.parametrize(
    ("settings", "against", "said"),
    [
        (
            optimize(per_name_cap=0.01),
            Circumstances(),
            "K=20 names at per_name_cap=0.01 hold at most 0.2 of NAV, the budget is 0.291. "
            "Raise per_name_cap to 0.01455 or K to 30.",
        ),
        (
            optimize(per_name_cap=0.03, K_short=5),
            Circumstances(),
            "hold at most 0.6 of NAV, the budget is 0.7275",
        ),
        (optimize(), Circumstances(names=10), "the universe has 10 names, K_sell=24"),
        (
            optimize(),
            Circumstances(has_betas=True, beta=1.25),
            "long-only with betas and no hedge holds at most 0.04 of NAV "
            "(beta_tolerance=0.05 / median β 1.25)",
        ),
        (
            optimize(max_turnover=0.002),
            Circumstances(cycle_min=5.0),
            "a cold start to 0.291 of NAV takes 146 cycles at max_turnover=0.002",
        ),
        (
            Settings(
                optimize=OptimizationConfig(**QUIET), policy=PolicySettings(flat_by_close_min=8.0)
            ),
            Circumstances(cycle_min=5.0),
            "policy.flat_by_close_min=8 leaves less than two cycles of 5 min to flatten. "
            "Set it to 10 or more.",
        ),
        (
            optimize(gamma_cost=0.1, delta_z_min=1.0),
            Circumstances(sigma_bps=80.0),
            "gamma_cost=0.1 is 8 times face value γ_face = 1/80 bps = 0.0125",
        ),
        (
            optimize(gamma_cost=0.005),
            Circumstances(sigma_bps=80.0),
            "gamma_cost=0.005 is 0.4 times",
        ),
        (
            optimize(delta_z_min=0.07),
            Circumstances(cost_bps=3.0),
            "score gap of 2γc = 0.075, above delta_z_min=0.07",
        ),
        (optimize(lambda_risk=0.1), Circumstances(), "lambda_risk=0.1: the risk term is 0.19%"),
    ],
)
def test_what_will_surprise_is_warned_of(
    settings: Settings, against: Circumstances, said: str
) -> None:
    assert texts(settings, "error", against) == []
    (warning,) = texts(settings, "warning", against)
    assert said in warning


@pytest.mark.parametrize(
    ("settings", "against"),
    [
        (optimize(), Circumstances(has_betas=True, beta=0.0)),
        (optimize(gamma_cost=0.0, lambda_risk=0.0), Circumstances()),
        (optimize(max_net_exposure=0.0, K_short=5), Circumstances()),
        (optimize(max_turnover=float("inf"), max_gross_exposure=float("inf")), Circumstances()),
    ],
)
def test_zeros_and_infinities_that_are_meant_are_no_errors(
    settings: Settings, against: Circumstances
) -> None:
    assert texts(settings, "error", against) == []


def test_a_hedge_or_a_short_book_answers_the_betas() -> None:
    betas = Circumstances(has_betas=True)
    assert lint(optimize(hedge_symbol="SPY"), betas) == ()
    assert lint(optimize(K_short=5), betas) == ()


def test_all_findings_come_at_once_errors_first_and_errors_refuse() -> None:
    settings = optimize(fully_invested=True, z_cut=0.9, lambda_risk=0.1, weighting="best")
    found = lint(settings)
    assert [finding.severity for finding in found] == ["error"] * 3 + ["warning"]
    assert str(found[0]).startswith("error: weighting='best'")
    with pytest.raises(ConfigError) as caught:
        refuse_errors(found)
    assert caught.value.findings == tuple(finding.text for finding in found[:3])


def test_warnings_alone_refuse_nothing() -> None:
    refuse_errors(lint(Settings()))


def test_a_cure_that_names_a_number_cures() -> None:
    assert texts(optimize(per_name_cap=0.01455), "warning") == []
    assert texts(optimize(per_name_cap=0.01, K=30, K_sell=34), "warning") == []
    assert texts(optimize(delta_z_min=0.075), "warning") == []
    assert texts(optimize(K_buy=20), "error") == []

"""Settings that cannot be meant: below zero, percentages for fractions, unknown words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from math import inf, isnan

from .ailments import Ailment
from .broker_settings import ADOPT, BROKER_MODES, BROKERS, broker_faults
from .carry import borrow_rates
from .config import ALGORITHMS, ENGINES, Settings
from .cost_settings import PLANS, CostSettings
from .gate_settings import ACCOUNT_TYPES
from .limits import RELAX_ORDER
from .model_settings import model_faults
from .tactics import Tactics

AT_LEAST_ZERO = (
    *("lambda_risk", "gamma_cost", "max_net_exposure", "beta_tolerance", "reentry_min", "K_short"),
    *("portfolio_drift_threshold", "name_drift_threshold", "hedge_cap", "repair_tolerance_bps"),
    *("costs.scale", "costs.spread_scale", "costs.impact", "costs.commission_min"),
    *("costs.tier_min", "costs.month_shares", "costs.clearing_per_share", "costs.pass_through"),
    *("costs.sec_per_million_usd", "costs.taf_per_share", "costs.taf_max", "costs.borrow_pct"),
    *("costs.credit_free_usd", "costs.credit_spread_pct", "costs.clearing_max"),
    *("policy.flat_by_close_min", "policy.open_clamp_min", "policy.close_clamp_min"),
    *("policy.override_scale", "policy.cooldown_min", "policy.min_price_usd"),
    *("policy.min_dollar_volume_usd", "execution.min_ticket_usd", "execution.cash_buffer"),
    *(
        "execution.collar_bps",
        "risk.min_days",
        "risk.min_coverage",
        "risk.factors",
        "max_turnover_day",
    ),
    *("policy.overnight_gross", "sector_gross_cap", "escalate_gap", "min_trade"),
    *("borrow_pct", "cash_yield_pct", "signals.churn_penalty"),
    *("tactics.adverse_spreads", "tactics.imbalance", "tactics.sweep_bps", "tactics.min_reprice_s"),
    *("tactics.max_replaces", "tactics.jitter", "tactics.min_participation"),
    *("tactics.close_cutoff_min", "tactics.close_limit_bps", "tactics.peg_spread_bps"),
    *("tactics.corridor", "tactics.beta_corridor"),
    *(
        "gate.uneven",
        "gate.uneven_beta",
        "gate.duplicate_s",
        "gate.overnight_lead_min",
        "gate.initial_margin",
    ),
    *("gate.maintenance_long", "gate.maintenance_short", "gate.house_multiplier"),
)
ABOVE_ZERO = (
    "costs.credit_full_usd",
    *("max_gross_exposure", "per_name_cap", "sector_cap", "max_turnover", "max_turnover_per_name"),
    *("K", "K_buy", "k_ATR", "Tmax_min", "max_abs_z"),
    *("execution.capital_usd", "execution.max_fill_participation", "execution.order_life_min"),
    *("policy.max_participation", "policy.participation_min", "policy.max_quote_age_s"),
    *("policy.max_spread_bps", "policy.window_min", "policy.spike_cycles"),
    *("policy.vol_spike_ratio", "policy.spread_blowout_ratio"),
    *("policy.daily_loss", "policy.drawdown", "signals.max_score_age_min"),
    *("signals.skill_half_life_days", "signals.weight_floor", "signals.weight_cap"),
    *("signals.recent_half_life_days", "signals.weight_half_life_min"),
    *("risk.half_life_days", "risk.history_days", "risk.atr_bars", "risk.atr_bar_min"),
    *("risk.level_half_life_min",),
    *("tactics.horizon_min", "tactics.max_horizon_min", "tactics.rungs", "tactics.slices"),
    *("tactics.cross_at", "tactics.max_spread_bps", "tactics.participation"),
    *("tactics.max_participation", "tactics.risk_aversion", "tactics.slice_share"),
    *("tactics.alpha_tau_min", "tactics.messages_per_s"),
    *("gate.collar_bps", "gate.max_quote_age_s", "gate.round_lot", "gate.max_order_shares"),
    *("gate.max_order_usd", "gate.max_order_nav", "gate.max_order_adv", "gate.daily_loss"),
    *("gate.max_orders_per_s", "gate.max_orders_per_min", "gate.max_orders_day"),
    *("gate.max_day_nav",),
)
FRACTIONS = (
    *("per_name_cap", "sector_cap", "portfolio_drift_threshold", "name_drift_threshold"),
    *("max_turnover_per_name", "beta_tolerance", "hedge_cap", "sector_gross_cap", "min_trade"),
    *("policy.daily_loss", "policy.drawdown", "execution.cash_buffer"),
    *("policy.max_participation", "execution.max_fill_participation"),
    *("tactics.participation", "tactics.max_participation", "tactics.corridor"),
    *("gate.max_order_nav", "gate.max_order_adv", "gate.daily_loss", "gate.uneven"),
)
MULTIPLES = ("max_gross_exposure", "max_net_exposure", "max_turnover", "policy.overnight_gross")
LARGEST_FRACTION, LARGEST_MULTIPLE = 2.0, 10.0
"""Above these a percentage must have been written where a fraction, or times NAV, is meant."""
WORDS = {
    "weighting": ("", "equal", "score", "inverse_vol"),
    "policy.override_action": ("reduce", "scale"),
    "engine": ENGINES,
    "risk.form": ("auto", "dense", "factor"),
    "execution.algorithm": ALGORITHMS,
    "gate.account_type": ACCOUNT_TYPES,
    "costs.plan": PLANS,
    "broker.kind": BROKERS,
    "broker.mode": BROKER_MODES,
    "broker.adopt": ADOPT,
}
WINDOW = re.compile(r"(open\+|close-)\d+(\.\d+)?|([01]?\d|2[0-3]):[0-5]\d")
STRATEGY = re.compile(r"[A-Za-z0-9]{1,6}")


def range_faults(settings: Settings) -> Iterator[str]:
    """One sentence for each setting that cannot be meant, with its value and the cure."""
    yield from _not_numbers(settings)
    for name in AT_LEAST_ZERO:
        if not (value := _number(settings, name)) >= 0:
            yield f"{name}={value:g} is below zero. Set it to 0 or more."
    for name in ABOVE_ZERO:
        if not (value := _number(settings, name)) > 0:
            yield f"{name}={value:g} has to be above zero."
    largest = dict.fromkeys(FRACTIONS, LARGEST_FRACTION)
    largest |= dict.fromkeys(MULTIPLES, LARGEST_MULTIPLE)
    for name, most in largest.items():
        if inf > (value := _number(settings, name)) > most:
            yield (
                f"{name}={value:g} is {value:.0%}: is it a percentage? "
                f"Fractions are meant, so write {value / 100:g}."
            )
    if not settings.policy.override_scale <= 1:
        yield (
            f"policy.override_scale={settings.policy.override_scale:g} would widen limits when "
            "they should tighten. Set it to 1 or less."
        )
    if not 0 <= settings.optimize.budget_buffer < 1:
        yield f"budget_buffer={settings.optimize.budget_buffer:g} is expected in [0, 1)."
    yield from _tactics_faults(settings.tactics)
    yield from broker_faults(settings.broker)
    if not -1 <= settings.costs.spread_paid <= 2:
        yield (
            f"costs.spread_paid={settings.costs.spread_paid:g} is expected in [-1, 2]: 1 pays the "
            "half-spread, -1 earns it."
        )
    yield from _tier_faults(settings.costs)
    for name, known in WORDS.items():
        if (word := _of(settings, name)) not in known:
            expected = ", ".join(w for w in known if w)
            yield f"{name}={word!r} is expected to be one of: {expected}."
    unknown = [word for word in settings.optimize.relax_order if word not in RELAX_ORDER]
    if unknown:
        yield f"relax_order has {unknown[0]!r}, expected some of: {', '.join(RELAX_ORDER)}."
    if not STRATEGY.fullmatch(settings.execution.strategy):
        yield (
            f"execution.strategy={settings.execution.strategy!r} begins the ids of orders, which "
            "have 30 characters at most. Use 1 to 6 letters or digits."
        )
    yield from model_faults(settings.models)
    yield from _unknown_ailments(settings.data.accept)
    for window in settings.policy.windows:
        if not WINDOW.fullmatch(window):
            yield f"policy.windows has {window!r}, expected open+5, close-10 or 10:30."


def _unknown_ailments(accepted: tuple[str, ...]) -> Iterator[str]:
    for word in accepted:
        if word not in Ailment.__members__:
            near = get_close_matches(word, Ailment.__members__, n=1)
            hint = f" Did you mean {near[0]}?" if near else " docs/data-doctor.md lists them."
            yield f"data.accept has {word!r}, which no finding is called.{hint}"


def _tactics_faults(tactics: Tactics) -> Iterator[str]:
    """Ladders and rates that could not be followed."""
    if not tactics.cross_at <= 1:
        yield f"tactics.cross_at={tactics.cross_at:g} would cross after the deadline. Set it to 1."
    if not -10 <= tactics.start_at < 1:
        yield (
            f"tactics.start_at={tactics.start_at:g} is expected in [-10, 1): 0 joins the near "
            "touch, 1 would be the far one."
        )
    if not tactics.jitter < 1:
        yield f"tactics.jitter={tactics.jitter:g} would let slices overtake. Set it below 1."
    if not tactics.min_participation <= tactics.participation <= tactics.max_participation:
        yield (
            f"tactics.participation={tactics.participation:g} is outside of min_participation="
            f"{tactics.min_participation:g} and max_participation={tactics.max_participation:g}."
        )


def _tier_faults(costs: CostSettings) -> Iterator[str]:
    """Price lists that could not be read, and rates of names that are none."""
    for bounds, rates in (("tier_shares", "tier_per_share"), ("debit_usd", "debit_spread_pct")):
        limits, prices = getattr(costs, bounds), getattr(costs, rates)
        if len(prices) != len(limits) + 1:
            yield (
                f"costs.{rates} has {len(prices)} rates for the {len(limits)} bounds of "
                f"costs.{bounds}. Give one more, for what is beyond the last bound."
            )
        if not all(low < high for low, high in zip((0.0, *limits), limits, strict=False)):
            yield f"costs.{bounds}={list(limits)} is expected to rise from above zero."
        if not all(price >= 0 for price in prices):
            yield f"costs.{rates}={list(prices)} has a rate below zero. Set it to 0 or more."
    try:
        borrow_rates(costs)
    except ValueError as fault:
        yield (
            f"costs.borrow_names has {str(fault)!r}, expected a symbol and percent a year such as "
            "GME=12.5."
        )


def _not_numbers(settings: Settings) -> Iterator[str]:
    """NaN anywhere; infinity may be meant, as a limit that does not bind."""
    for table in fields(settings):
        group = getattr(settings, table.name)
        for field in fields(group) if is_dataclass(group) else ():
            value = getattr(group, field.name)
            if isinstance(value, float) and isnan(value):
                yield f"{table.name}.{field.name} is {value}. Write a number."


def _of(settings: Settings, name: str) -> object:
    """A setting by its dotted name; without a dot it is one of `optimize`, or the engine."""
    table, _, field = name.rpartition(".")
    if name == "engine":
        return settings.engine
    return getattr(getattr(settings, table or "optimize"), field)


def _number(settings: Settings, name: str) -> float:
    value = _of(settings, name)
    if value is None:
        return 0.0
    assert isinstance(value, int | float), f"{name} is a number by its type"
    return value

"""The config check: proves a configuration can work, before any money depends on it.

Every finding carries its numbers and a cure. An `error` refuses the configuration, a `warning`
is shown and the run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf

from .config import OptimizationConfig, Settings, SignalSettings
from .errors import ConfigError
from .gate_lint import gate_doubts
from .ranges import range_faults
from .session import SESSION_MIN

TYPICAL_SIGMA_BPS = 80.0
"""Median 30-minute σ assumed where no market data is at hand to measure γ_face."""
TYPICAL_COST_BPS = 3.0
TYPICAL_BETA = 1.0


@dataclass(frozen=True, slots=True)
class Doubt:
    severity: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the check is made against; market medians where they are known."""

    names: int | None = None
    has_betas: bool = False
    sigma_bps: float = TYPICAL_SIGMA_BPS
    cost_bps: float = TYPICAL_COST_BPS
    beta: float = TYPICAL_BETA
    cycle_min: float = 5.0


def lint(settings: Settings, against: Circumstances | None = None) -> tuple[Doubt, ...]:
    """All findings at once, errors first."""
    given = against or Circumstances()
    config = settings.optimize
    found = [*_ranges(settings), *_orders(config), *_fully_invested(config), *_books(config)]
    found += _signals(settings.signals)
    found += [_warning(text) for text in gate_doubts(settings)]
    if _can_be_divided(config):
        found += _targets(config, given)
        found += _beta(config, given)
        found += _ramps(settings, given)
        found += _costs(config, given)
        found += _risk(config, given)
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def refuse_errors(findings: tuple[Doubt, ...]) -> None:
    """Raise ConfigError when any finding is an error."""
    errors = tuple(finding.text for finding in findings if finding.severity == "error")
    if errors:
        raise ConfigError(errors)


def _error(text: str) -> Doubt:
    return Doubt("error", text)


def _warning(text: str) -> Doubt:
    return Doubt("warning", text)


def _ranges(settings: Settings) -> Iterator[Doubt]:
    for text in range_faults(settings):
        yield _error(text)


def _can_be_divided(config: OptimizationConfig) -> bool:
    """Whether the numbers that the sizes of books and ramps are made of make sense at all."""
    sizes = (config.K, config.per_name_cap, config.max_gross_exposure)
    return (
        all(0 < size < inf for size in sizes)
        and config.max_turnover > 0
        and 0 <= config.max_net_exposure < inf
        and 0 <= config.budget_buffer < 1
    )


def _orders(config: OptimizationConfig) -> Iterator[Doubt]:
    if not config.K_buy <= config.K <= config.K_sell:
        yield _error(
            f"K_buy={config.K_buy}, K={config.K}, K_sell={config.K_sell} are expected in rising "
            f"order: a name is bought inside K_buy and kept until K_sell. "
            f"Set K_buy to at most {config.K} and K_sell to at least {config.K}."
        )
    if config.z_cut > config.z_keep:
        yield _error(
            f"z_cut={config.z_cut:g} is above z_keep={config.z_keep:g}: a name would be cut at a "
            f"score at which it is bought. Set z_cut to at most {config.z_keep:g}."
        )
    if config.per_name_cap > config.max_gross_exposure:
        yield _error(
            f"per_name_cap={config.per_name_cap:g} is above "
            f"max_gross_exposure={config.max_gross_exposure:g}. Lower the cap."
        )
    if config.name_drift_threshold > config.max_turnover_per_name:
        yield _error(
            f"name_drift_threshold={config.name_drift_threshold:g} is above "
            f"max_turnover_per_name={config.max_turnover_per_name:g}: nothing could trade. "
            "Lower the threshold."
        )


def _fully_invested(config: OptimizationConfig) -> Iterator[Doubt]:
    if config.fully_invested and config.max_net_exposure < 1:
        yield _error(
            f"fully_invested asks for Σw = 1, but max_net_exposure={config.max_net_exposure:g} "
            "allows less. Set max_net_exposure to 1 or more, or drop fully_invested: cash is a "
            "position of its own."
        )


def _targets(config: OptimizationConfig, given: Circumstances) -> Iterator[Doubt]:
    free = 1 - config.budget_buffer
    if config.K_short > 0:
        budget = free * config.max_gross_exposure / 2
    else:
        budget = free * min(config.max_gross_exposure, config.max_net_exposure)
    reachable = config.K * config.per_name_cap
    if reachable < budget - 1e-12:
        yield _warning(
            f"K={config.K} names at per_name_cap={config.per_name_cap:g} hold at most "
            f"{reachable:g} of NAV, the budget is {budget:.4g}. Raise per_name_cap to "
            f"{budget / config.K:.4g} or K to {ceil(budget / config.per_name_cap)}."
        )
    if budget > 0 and budget / config.K < config.name_drift_threshold:
        yield _error(
            f"a name's target is {budget / config.K:.4g} of NAV (budget {budget:.4g} over "
            f"K={config.K}), below name_drift_threshold={config.name_drift_threshold:g}: nothing "
            "would ever be bought. Lower the threshold or K, or raise max_net_exposure."
        )
    if given.names is not None and given.names < config.K_sell:
        yield _warning(
            f"the universe has {given.names} names, K_sell={config.K_sell}: no name can fall out "
            f"of rank. Lower K_sell below {given.names}."
        )


def _books(config: OptimizationConfig) -> Iterator[Doubt]:
    if config.K_short > 0 and config.allow_short is False:
        yield _error(
            f"K_short={config.K_short} asks for a short book, allow_short is false. "
            "Set K_short to 0 or allow_short to true."
        )


def _signals(signals: SignalSettings) -> Iterator[Doubt]:
    if signals.recent_half_life_days >= signals.skill_half_life_days:
        yield _error(
            f"signals.recent_half_life_days={signals.recent_half_life_days:g} is not below "
            f"skill_half_life_days={signals.skill_half_life_days:g}: what is recent would be older "
            "than the record. Set it to a fraction of it."
        )
    if signals.weight_floor > 1.0:
        yield _error(
            f"signals.weight_floor={signals.weight_floor:g} asks for more than the equal weight, "
            "which all models cannot have. Set it to 1 or less."
        )


def _beta(config: OptimizationConfig, given: Circumstances) -> Iterator[Doubt]:
    if given.has_betas and not config.shorts_allowed and not config.hedge_symbol:
        most = config.beta_tolerance / max(given.beta, 1e-9)
        yield _warning(
            f"long-only with betas and no hedge holds at most {most:.3g} of NAV "
            f"(beta_tolerance={config.beta_tolerance:g} / median β {given.beta:.2f}). "
            "Set hedge_symbol, K_short, or a larger beta_tolerance."
        )


def _ramps(settings: Settings, given: Circumstances) -> Iterator[Doubt]:
    config = settings.optimize
    book = min(
        config.max_gross_exposure,
        config.max_gross_exposure if config.K_short > 0 else config.max_net_exposure,
    ) * (1 - config.budget_buffer)
    cycles = ceil(book / config.max_turnover)
    if cycles * given.cycle_min > SESSION_MIN:
        yield _warning(
            f"a cold start to {book:.3g} of NAV takes {cycles} cycles at "
            f"max_turnover={config.max_turnover:g}, longer than a session. Raise max_turnover."
        )
    before_close = settings.policy.flat_by_close_min
    if 0 < before_close < 2 * given.cycle_min:
        yield _warning(
            f"policy.flat_by_close_min={before_close:g} leaves less than two cycles of "
            f"{given.cycle_min:g} min to flatten. Set it to {2 * given.cycle_min:g} or more."
        )


def _costs(config: OptimizationConfig, given: Circumstances) -> Iterator[Doubt]:
    face = 1 / given.sigma_bps
    ratio = config.gamma_cost / face
    if config.gamma_cost > 0 and not 0.5 <= ratio <= 5:
        yield _warning(
            f"gamma_cost={config.gamma_cost:g} is {ratio:.2g} times face value "
            f"γ_face = 1/{given.sigma_bps:.3g} bps = {face:.4g}. Costs at face value need "
            f"gamma_cost={face:.3g}."
        )
    swap = 2 * config.gamma_cost * given.cost_bps
    if swap > config.delta_z_min + 1e-12:
        yield _warning(
            f"a swap of median cost needs a score gap of 2γc = {swap:.3g}, above "
            f"delta_z_min={config.delta_z_min:g}: cost, not the gap, decides. "
            f"Raise delta_z_min to {swap:.3g} to say so."
        )


def _risk(config: OptimizationConfig, given: Circumstances) -> Iterator[Doubt]:
    """λ against a book of equal weights: risk λ·Σw² (uncorrelated, unit scale), edge z_keep·Σw."""
    book = min(config.max_gross_exposure, config.max_net_exposure)
    weight = min(config.per_name_cap, book / config.K)
    share = config.lambda_risk * weight / max(config.z_keep, 1e-9)
    if config.lambda_risk > 0 and share < 0.01:
        held = ceil(book / config.per_name_cap)
        yield _warning(
            f"lambda_risk={config.lambda_risk:g}: the risk term is {share:.2%} of the edge, so the "
            f"optimum fills about {held} names to per_name_cap. For risk to count, try "
            "lambda_risk near 10."
        )

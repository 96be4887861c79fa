"""Doubts about the gate's settings: limits so loose that they are none, or against the mandate."""

from __future__ import annotations

from collections.abc import Iterator

from .config import Settings
from .gate_settings import SANE, SANE_LEAST


def gate_doubts(settings: Settings) -> Iterator[str]:
    """One sentence for each, with its numbers and the cure."""
    for name, most in SANE.items():
        value = getattr(settings.gate, name)
        if not value <= most:
            yield (
                f"gate.{name}={value:g} is beyond {most:g}: the gate would hardly stop anything by "
                f"it. Set it to {most:g} or less."
            )
    for name, least in SANE_LEAST.items():
        value = getattr(settings.gate, name)
        if not value >= least:
            yield (
                f"gate.{name}={value:g} is below {least:g}: the gate would hardly stop anything by "
                f"it. Set it to {least:g} or more."
            )
    yield from _denies_the_mandate(settings)


def _denies_the_mandate(settings: Settings) -> Iterator[str]:
    """The gate would stop orders that the other settings ask for."""
    gate, config = settings.gate, settings.optimize
    largest = config.max_turnover_per_name
    if config.hedge_symbol:
        largest = max(largest, config.hedge_cap)
    if largest > gate.max_order_nav:
        yield (
            f"gate.max_order_nav={gate.max_order_nav:g} denies orders that max_turnover_per_name "
            f"or hedge_cap allow ({largest:g} of NAV). Raise it to {largest:g}, or lower them."
        )
    usd = largest * settings.execution.capital_usd
    if usd > gate.max_order_usd:
        yield (
            f"gate.max_order_usd={gate.max_order_usd:g} denies orders of {usd:g} USD, which the "
            f"capital and max_turnover_per_name allow. Raise it to {usd:g}."
        )
    if gate.uneven < config.max_turnover:
        yield (
            f"gate.uneven={gate.uneven:g} is below max_turnover={config.max_turnover:g}: a "
            f"rotation of that size near a limit is denied. Raise it to {config.max_turnover:g}."
        )
    if settings.policy.daily_loss > gate.daily_loss:
        yield (
            f"gate.daily_loss={gate.daily_loss:g} stops all growth before policy.daily_loss="
            f"{settings.policy.daily_loss:g} acts. Set it to that or above."
        )
    if gate.account_type == "cash" and (config.K_short > 0 or config.hedge_symbol):
        yield (
            "gate.account_type is cash, which sells nothing short, but K_short or hedge_symbol "
            "ask for it: those orders are denied. Set K_short to 0 and clear hedge_symbol."
        )

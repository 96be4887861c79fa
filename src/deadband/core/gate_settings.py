"""What the pre-trade gate lets through: the settings of the last check before the broker."""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT_TYPES = ("margin", "cash")


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The last check before the broker (docs/gate.md); it cannot be turned off."""

    collar_bps: float = 500.0
    """A limit price, or the far touch, at most this far from the last price."""
    max_quote_age_s: float = 450.0
    """No order on a quote older than this."""
    round_lot: int = 1
    """A growing order is a multiple of this many shares; 100 denies odd lots."""
    max_order_shares: float = 500_000.0
    """Shares of one growing order at most."""
    max_order_usd: float = 5e6
    """Notional of one growing order at most."""
    max_order_nav: float = 0.3
    """Notional of one growing order at most, as a share of NAV."""
    max_order_adv: float = 0.05
    """One growing order at most, as a share of the average daily volume."""
    duplicate_s: float = 30.0
    """Same symbol, side and quantity as an order this young is a duplicate."""
    max_orders_per_s: float = 300.0
    """Orders a second at most; a plan leaves as one basket, at `tactics.messages_per_s`."""
    max_orders_per_min: float = 600.0
    """Orders a minute at most."""
    max_orders_day: float = 20_000.0
    """Orders a day at most."""
    max_day_nav: float = 20.0
    """Notional of all orders of a day at most, in multiples of NAV."""
    daily_loss: float = 0.03
    """Loss since the session's start from which on nothing grows."""
    uneven: float = 0.25
    """How far past GROSS, NET or SECTOR if only the orders that hurt filled, fraction of NAV."""
    uneven_beta: float = 0.75
    """How far past BETA, likewise."""
    account_type: str = "margin"
    """margin, or cash: no shorts, and buys from settled cash alone."""
    initial_margin: float = 0.5
    """Equity for what grows, as a share of its value; overnight, for the whole book."""
    maintenance_long: float = 0.25
    """Equity for long positions that stand, as a share of their value."""
    maintenance_short: float = 0.3
    """Equity for short positions that stand, as a share of their value."""
    house_multiplier: float = 1.0
    """Margin requirements are multiplied by this; brokers ask for more than the rule."""
    overnight_lead_min: float = 15.0
    """From this many minutes before the close on, the overnight requirement holds."""
    switch_file: str = ""
    """Kill switch file, read in every cycle; empty: none, at IBKR deadband.switch."""


SANE = {
    "collar_bps": 1_000.0,
    "max_quote_age_s": 1_800.0,
    "max_order_shares": 2e6,
    "max_order_usd": 5e7,
    "max_order_nav": 0.5,
    "max_order_adv": 0.2,
    "max_orders_per_s": 1_000.0,
    "max_orders_per_min": 3_000.0,
    "max_orders_day": 100_000.0,
    "max_day_nav": 50.0,
    "daily_loss": 0.1,
    "uneven": 0.5,
    "uneven_beta": 1.5,
}
"""Above these a limit of the gate hardly is one."""
SANE_LEAST = {
    "duplicate_s": 1.0,
    "initial_margin": 0.5,
    "maintenance_long": 0.25,
    "maintenance_short": 0.3,
    "house_multiplier": 1.0,
    "overnight_lead_min": 5.0,
}
"""Below these likewise."""

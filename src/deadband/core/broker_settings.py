"""Which broker a run trades at, and how it is reached; none of it is a secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BROKERS = ("paper", "ibkr")
BROKER_MODES = ("paper", "live")
ADOPT = ("leave", "cancel")
LONGEST_BAR_MIN = 30
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where `deadband run` trades (docs/live.md); the capital is execution.capital_usd."""

    kind: str = "paper"
    """paper: the embedded simulated broker; ibkr: TWS or the Gateway of Interactive Brokers."""
    account: str = ""
    """The account that is traded, DU... (paper) or U... (live); the gateway manages it alone."""
    host: str = "127.0.0.1"
    """Where TWS or the Gateway runs."""
    port: int = 4002
    """4002 and 7497 are Gateway and TWS on paper, 4001 and 7496 live."""
    client_id: int = 11
    """Keep it: only the client that placed an order may change or cancel it."""
    mode: str = "paper"
    """paper or live; it has to be what the account is."""
    live_confirmation: str = ""
    """For live, the account typed once more."""
    market_data_lines: int = 100
    """Names that may be watched at once; beyond it subscriptions take turns. TWS's lists count."""
    bar_min: float = 5.0
    """Length of the bars that quotes are folded into: 1, 2, 3, 5, 6, 10, 15 or 30."""
    restart_at: str = ""
    """New York clock of the gateway's daily restart, such as 23:45: nothing new is sent near it."""
    adopt: str = "leave"
    """Orders that another run of ours left at work: leave (their names are frozen), or cancel."""
    history_folder: str = ""
    """Where bars of the past are kept, to be asked for once; empty: beside the journal."""


def broker_faults(broker: BrokerSettings) -> Iterator[str]:
    """One sentence for each setting that cannot be meant; the adapter checks the rest."""
    if not 1 <= broker.port <= 65_535:
        yield f"broker.port={broker.port} is no port. On paper it is 4002 (Gateway) or 7497 (TWS)."
    if not 0 <= broker.client_id < 2**31:
        yield f"broker.client_id={broker.client_id} is expected in 0 to {2**31 - 1}."
    if not 1 <= broker.market_data_lines <= MOST_LINES:
        yield (
            f"broker.market_data_lines={broker.market_data_lines} is expected in 1 to "
            f"{MOST_LINES}; IBKR grants 100 to most accounts."
        )
    if broker.bar_min < 1 or LONGEST_BAR_MIN % broker.bar_min:
        yield (
            f"broker.bar_min={broker.bar_min:g} is expected to be 1, 2, 3, 5, 6, 10, 15 or 30: "
            "whole bars have to fill a session of 390 minutes, and a half-day of 210."
        )
    hours, _, minutes = broker.restart_at.partition(":")
    is_clock = hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60
    if broker.restart_at and not (is_clock and len(broker.restart_at) == 5):
        yield f"broker.restart_at={broker.restart_at!r} is no time of day. Write it as 23:45."

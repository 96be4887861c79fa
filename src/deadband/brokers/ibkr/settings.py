"""How to reach a gateway, as whom, and how patient to be; refuses what would trade by mistake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ...core.errors import BrokerError, ConfigError

PAPER_PORTS = frozenset({7497, 4002})
LIVE_PORTS = frozenset({7496, 4001})


class WrongAccount(BrokerError):
    """The gateway is logged in as another account, or as several."""


class Mode(StrEnum):
    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class IbkrSettings:
    """One gateway and one account."""

    account: str
    """The account that is traded, DU... or U...; the gateway has to manage exactly this one."""
    host: str = "127.0.0.1"
    port: int = 4002
    """7497 and 4002 are TWS and Gateway on paper, 7496 and 4001 live."""
    client_id: int = 11
    """Keep it: only the client that placed an order may change or cancel it."""
    mode: Mode = Mode.PAPER
    live_confirmation: str = ""
    """For live, the account typed once more."""
    messages_per_s: float = 40.0
    """Below IBKR's limit of 50 a second, which is half the market data lines."""
    burst: int = 8
    """Messages that may go at once; with `messages_per_s` at most the sum in any second."""
    connect_s: float = 10.0
    """Seconds until a gateway that does not answer is given up."""
    answer_s: float = 10.0
    """Seconds until a question counts as not answered."""
    ack_s: float = 5.0
    """Seconds until an order without any word is looked for."""
    doubt_s: float = 0.5
    """Seconds after something odd until the broker is asked; what comes meanwhile may settle it."""
    settle_s: float = 2.0
    """Seconds between the two passes of a reconciliation that have to agree."""
    reconcile_s: float = 120.0
    """Seconds between reconciliations when nothing is odd; oftener while an order is unknown."""
    heartbeat_s: float = 4.0
    """Seconds between questions for the time, to see that the line lives."""
    silence_s: float = 10.0
    """Seconds without a byte after which the line counts as dead."""
    most_skew_s: float = 1.0
    """Seconds between our clock and the broker's beyond which a notice is given."""
    restart_at: str = ""
    """New York clock of the gateway's daily restart, 23:45; empty: none is known."""
    quiet_min: float = 5.0
    """Minutes before and after `restart_at` in which nothing new is sent."""
    most_active_a_side: int = 20
    """Working orders per name and side; IBKR's own limit."""
    preview_s: float = 60.0
    """Seconds between two previews; IBKR asks for no more."""

    def __post_init__(self) -> None:
        findings = tuple(_findings(self))
        if findings:
            raise ConfigError(findings)


def _findings(settings: IbkrSettings) -> list[str]:
    account, port, found = settings.account, settings.port, []
    is_paper = account.startswith("DU")
    if not is_paper and not account.startswith("U"):
        found.append(f"account {account!r} is neither DU..., paper, nor U..., live. Name it fully.")
    elif is_paper != (settings.mode is Mode.PAPER):
        found.append(
            f"account {account} is {'paper' if is_paper else 'live'}, the mode is {settings.mode}. "
            "Set both alike."
        )
    wrong = LIVE_PORTS if settings.mode is Mode.PAPER else PAPER_PORTS
    if port in wrong:
        found.append(
            f"port {port} is the other kind's, the mode is {settings.mode}. Paper is on 7497 (TWS) "
            "or 4002 (Gateway), live on 7496 or 4001."
        )
    if not 0 < port < 65536:
        found.append(f"port {port} is no port. On paper it is 4002 (Gateway) or 7497 (TWS).")
    if not 0 <= settings.client_id < 2**31:
        found.append(f"client number {settings.client_id} is not in 0 to {2**31 - 1}.")
    is_named = account.startswith(("DU", "U"))
    if is_named and settings.mode is Mode.LIVE and settings.live_confirmation != account:
        found.append(
            f"live trading of {account} is not confirmed. Type the account into live_confirmation "
            "(--confirm-live)."
        )
    if settings.messages_per_s + settings.burst > 50:
        found.append(
            f"messages_per_s {settings.messages_per_s:g} and burst {settings.burst} may send "
            "more than IBKR's 50 in a second. Lower one."
        )
    if settings.silence_s <= settings.heartbeat_s:
        found.append(
            f"silence_s {settings.silence_s:g} is not longer than heartbeat_s "
            f"{settings.heartbeat_s:g}: a quiet line would count as dead. Raise silence_s."
        )
    return found


def account_fault(settings: IbkrSettings, managed: tuple[str, ...]) -> str:
    """Why the gateway's accounts are not the one that is to be traded; empty if they are."""
    if managed == (settings.account,):
        return ""
    return (
        f"the gateway manages {', '.join(managed) or 'no account'}, and {settings.account} alone "
        "is to be traded. Log in as that account, or name the other one in the settings."
    )


def unreachable(settings: IbkrSettings, fault: OSError) -> str:
    """What to say where nothing listens."""
    return (
        f"{settings.host}:{settings.port} does not answer: {fault}. Start TWS or the Gateway, and "
        "allow API connections on this port."
    )

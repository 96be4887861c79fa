"""What outlives every client: accounts, orders and market, and what is wrong with them now.

Nothing here waits or reads a clock: bytes are handed in, bytes are handed out, and the timeline is
moved by whoever holds it. The same bytes at the same instants give the same bytes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..core.billing import Month
from ..core.carry import has_nights
from ..core.costs import CostSettings
from ..core.errors import ConfigError
from ..core.session import EXCHANGE_ZONE, previous_session, session_on
from ..core.units import micros
from .accounts import DEFAULT_CASH_USD, Account
from .client import Client
from .contracts import BUILT_IN, Contract, Listing
from .desk import Desk
from .exchange import Exchange
from .fault_names import FaultName
from .faults import Fault, Faults
from .market import Market, SeededMarket
from .money import keep_accruing
from .reports import Reports
from .timeline import Timeline

REFRESH_S = 180.0
"""Account values are sent again this often, seconds, and after every fill."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What a gateway is made of."""

    start: datetime
    """The first instant; aware."""
    accounts: tuple[str, ...] = ("DU1234567",)
    cash_usd: float = DEFAULT_CASH_USD
    """In each account at the start."""
    seed: int = 7
    """Of prices and of faults that strike by chance."""
    step_s: float = 0.25
    """Seconds between quotes; IBKR sends four a second."""
    latency_s: float = 0.005
    """Seconds until an order or a cancel has reached the exchange."""
    faults: tuple[Fault, ...] = ()
    contracts: tuple[Contract, ...] = BUILT_IN
    market: Market | None = None
    """Prices; seeded ones if none are given."""
    master: int | None = None
    """The client that hears of every client's orders."""
    costs: CostSettings = CostSettings()
    """Commissions, borrow fees and interest."""


class World:
    """Everything that clients share."""

    def __init__(self, settings: GatewaySettings) -> None:
        if not settings.accounts or any("," in name for name in settings.accounts):
            raise ConfigError(("a gateway needs accounts with names like DU1234567.",))
        self.settings = settings
        self.timeline = Timeline(settings.start)
        day = settings.start.astimezone(EXCHANGE_ZONE).date()
        session_on(day)  # A start outside the session table is refused here.
        self.faults = Faults(settings.faults, settings.seed, day)
        self.listing = Listing(settings.contracts)
        self.market = settings.market or SeededMarket(settings.seed)
        cash = micros(settings.cash_usd)
        self.accounts = {name: Account(name, cash) for name in settings.accounts}
        for account in self.accounts.values():
            account.month = Month(settings.costs.month_shares)
        self.reports = Reports(self.timeline, self.faults, settings.master)
        self.exchange = Exchange(
            self.timeline,
            self.market,
            self.reports,
            self.accounts,
            settings.seed,
            settings.step_s,
            settings.costs,
        )
        if has_nights(settings.costs):
            keep_accruing(self.timeline, self.accounts, self.exchange.price, settings.costs)
        self.desk = Desk(
            self.timeline,
            self.listing,
            self.exchange,
            self.reports,
            self.accounts,
            settings.latency_s,
        )
        self.clients: list[Client] = []
        self.is_rate_strict = self.is_fragmenting = self.is_refusing = False
        self.is_history_down = self.are_ticks_silent = self.do_ticks_stay_silent = False

    # --- clients

    def forget(self, client: Client) -> None:
        """A line is gone, with everything that was streamed on it."""
        self.clients.remove(client)
        if self.reports.listeners.get(client.number) is client:
            del self.reports.listeners[client.number]
        client.refreshers.clear()
        for key in [key for key in self.exchange.watchers if key[0] == client.line]:
            del self.exchange.watchers[key]

    def started(self) -> list[Client]:
        """Clients that are served, in the order they came."""
        return [client for client in self.clients if client.number >= 0]

    def tell_all(self, code: int, said: str) -> None:
        for client in self.started():
            client.error(-1, code, said)

    # --- the script

    def strikes(self, name: FaultName, client: Client, kind: str, symbol: str = "") -> bool:
        """Whether a fault strikes this question of this client."""
        now = self.timeline.now
        fault = self.faults.strikes(name, now, symbol=symbol, client=client.number, kind=kind)
        return fault is not None

    def is_emptied(self, client: Client, kind: str) -> bool:
        return self.strikes(FaultName.EMPTY_ANSWER, client, kind)

    # --- accounts

    def account_named(self, name: str) -> Account:
        """The account of that name, the first if the name is empty or unknown."""
        return self.accounts.get(name) or next(iter(self.accounts.values()))

    def account_values(self, name: str) -> Iterator[tuple[str, str, str]]:
        """Keys, values and currencies of an account; zeros while it is not ready."""
        account = self.accounts[name]
        yield "AccountCode", name, ""
        yield "AccountReady", "true" if account.is_ready else "false", ""
        yield "AccountType", "INDIVIDUAL", ""
        yield "Currency", "USD", "USD"
        yield "ExchangeRate", "1.00", "USD"
        yield "DayTradesRemaining", "-1", ""
        values = account.values(self.exchange.price, self.desk.reserved(name))
        for key, value in values.items():
            yield key, value if account.is_ready else "0.00", "USD"

    def keep_refreshing(self, client: Client, key: object, refresh: Callable[[], None]) -> None:
        """Send an account subscription again every three minutes while it stands."""
        client.refreshers[key] = refresh

        def again() -> None:
            if client.refreshers.get(key) is refresh:
                refresh()
                self.timeline.after(REFRESH_S, again)

        self.timeline.after(REFRESH_S, again)

    def previous_close(self, contract: Contract) -> float:
        day = previous_session(self.timeline.now.astimezone(EXCHANGE_ZONE).date())
        return round(self.market.mid(contract, day.close - timedelta(seconds=1)), 2)

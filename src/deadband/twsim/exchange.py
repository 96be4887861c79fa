"""The exchange: orders that work, stepped against quotes while the market is open.

Rules:
1. Time goes in steps of `step_s`; an order that comes between steps meets the quote of its step.
2. Orders are worked in the order of their permIds; what one takes is not there for the next.
3. At the open, OPG orders trade at one price; at the close MOC and LOC do, and DAY orders expire.
4. Nothing trades outside regular hours, whatever an order's outsideRth says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..core.costs import CostSettings
from ..core.session import EXCHANGE_ZONE, Session, next_session, session_at, session_on
from ..core.units import to_tick
from .accounts import Account
from .algos import Moment, crosses_by, horizon, shares_due
from .books import Books
from .contracts import Contract
from .market import Market, Quote, quote
from .matching import AT_CLOSE, REMOVED, STOPS, Fill, is_triggered, limit_of, rest, take
from .orders import Order, Status
from .reports import Reports
from .timeline import Timeline

Watcher = Callable[[], None]


@dataclass(slots=True)
class Exchange:
    """Orders that have been acknowledged; `watchers`, by session and request, follow every step."""

    timeline: Timeline
    market: Market
    reports: Reports
    accounts: Mapping[str, Account]
    seed: int
    step_s: float
    costs: CostSettings
    books: Books = field(init=False)
    working: dict[int, Order] = field(default_factory=dict)
    halted_until: dict[int, datetime] = field(default_factory=dict)
    watchers: dict[tuple[int, int], Watcher] = field(default_factory=dict)
    on_finished: Callable[[Order], None] = lambda order: None
    _session: Session | None = None
    _is_scheduled: bool = False
    _quotes: dict[tuple[int, datetime], Quote] = field(default_factory=dict)
    _used: dict[tuple[int, int], int] = field(default_factory=dict)
    _used_at: datetime | None = None

    def __post_init__(self) -> None:
        self.books = Books(self.timeline, self.reports, self.accounts, self.seed, self.costs)

    # --- quotes

    def step_of(self, moment: datetime) -> datetime:
        """The instant of the step that `moment` belongs to."""
        seconds = moment.timestamp() // self.step_s * self.step_s
        return datetime.fromtimestamp(seconds, UTC)

    def quote(self, contract: Contract, moment: datetime | None = None) -> Quote:
        """The quote that stands now, or stood then."""
        step = self.step_of(moment or self.timeline.now)
        key = (contract.con_id, step)
        if key not in self._quotes:
            if len(self._quotes) > 10_000:
                self._quotes.clear()
            self._quotes[key] = quote(self.market, contract, step, self.seed)
        return self._quotes[key]

    def price(self, contract: Contract) -> float:
        """The mark: the middle of the quote, USD."""
        return self.quote(contract).mid

    @property
    def is_open(self) -> bool:
        return session_at(self.timeline.now) is not None

    def is_halted(self, contract: Contract) -> bool:
        until = self.halted_until.get(contract.con_id)
        return until is not None and self.timeline.now < until

    # --- time

    def wake(self) -> None:
        """Step on, if there is anything to do."""
        if self._is_scheduled or not (self.working or self.watchers):
            return
        now = self.timeline.now
        session = session_at(now)
        if session is None:
            today = now.astimezone(EXCHANGE_ZONE).date()
            coming = session_on(today)
            if coming is None or now >= coming.close:
                coming = next_session(today)
            due = coming.open
        else:
            due = min(self.step_of(now) + timedelta(seconds=self.step_s), session.close)
        self._is_scheduled = True
        self.timeline.at(due, self._step)

    def _step(self) -> None:
        self._is_scheduled = False
        before, session = self._session, session_at(self.timeline.now)
        self._session = session
        if session is None and before is not None:
            self._close()
        elif session is not None:
            # Nothing may have asked for steps since the day before, not even its close.
            if session != before:
                self._open(session)
            for order in list(self.working.values()):
                self.work(order)
        for watcher in list(self.watchers.values()):
            watcher()
        self.wake()

    def _open(self, session: Session) -> None:
        if self.timeline.now - session.open > timedelta(seconds=self.step_s):
            return
        for order in [o for o in self.working.values() if o.ticket.tif == "OPG"]:
            self._auction(order)
            if not order.is_done:
                self.cancel(order, "the opening auction is over")

    def _close(self) -> None:
        for order in list(self.working.values()):
            if order.ticket.order_type in AT_CLOSE:
                self._auction(order)
            if not order.is_done and order.ticket.tif != "GTC" and not self._is_later(order):
                self.cancel(order, "the order expired at the close")

    def _is_later(self, order: Order) -> bool:
        """Whether a good-till-date order outlives this close."""
        until = order.ticket.moment("goodTillDate")
        return order.ticket.tif == "GTD" and until is not None and until > self.timeline.now

    def _auction(self, order: Order) -> None:
        """Trade all of an order at the one price of an auction, if its limit allows."""
        if order.held or self.is_halted(order.contract):
            return
        standing = self.quote(order.contract)
        tick = order.contract.tick(standing.mid)
        price = to_tick(standing.mid, tick, up=order.ticket.side > 0)
        limit = order.ticket.limit
        within = limit is None or order.ticket.side * (price - limit) <= 1e-9
        if order.ticket.order_type in ("MKT", "MOC") or within:
            self._fill(order, Fill(order.remaining, price, REMOVED))

    # --- orders

    def admit(self, order: Order) -> None:
        """Take an acknowledged order and work it at once; IOC and FOK never rest."""
        self.working[order.perm_id] = order
        self.work(order)
        if not order.is_done and order.ticket.tif in ("IOC", "FOK") and not order.held:
            self.cancel(order, "nothing more to trade at once")
        self.wake()

    def work(self, order: Order) -> None:
        """Let an order trade as far as the quote of this step lets it."""
        if order.is_done or not self._may_work(order):
            return
        standing = self.quote(order.contract)
        if order.ticket.order_type in STOPS and not order.triggered:
            if not is_triggered(order, standing):
                return
            order.triggered = True
        self._submitted(order)
        if order.ticket.order_type in AT_CLOSE:
            return
        for fill in self._fills(order, standing):
            self._fill(order, fill)

    def cancel(self, order: Order, reason: str) -> None:
        """End an order that is not done, and say so."""
        self.finish(order, Status.CANCELLED, reason)
        self.reports.status(order)
        self.reports.error(order, 202, f"Order Canceled - reason:{reason}")

    def fill_anyhow(self, order: Order) -> None:
        """Fill what is left at the mark, cancelled or not: the fault that clients fear."""
        if order.status is not Status.FILLED and order.remaining:
            mark = self.price(order.contract)
            price = to_tick(mark, order.contract.tick(mark), up=True)
            self.books.fill(order, Fill(order.remaining, price, REMOVED))
            self.working.pop(order.perm_id, None)
            self.on_finished(order)

    def finish(self, order: Order, status: Status, reason: str) -> None:
        order.status, order.finish_reason = status, reason
        order.finished = self.timeline.now
        self.working.pop(order.perm_id, None)
        self.on_finished(order)

    def _may_work(self, order: Order) -> bool:
        """Whether the exchange has the order and the hour lets it trade; ends it past its date."""
        ticket, now = order.ticket, self.timeline.now
        if order.held or not self.is_open or self.is_halted(order.contract):
            return False
        after, until = ticket.moment("goodAfterTime"), ticket.moment("goodTillDate")
        if until is not None and ticket.tif == "GTD" and now >= until:
            self.cancel(order, "the order is past its good-till-date")
            return False
        if after is not None and now < after:
            return False
        return ticket.tif != "OPG"

    def _submitted(self, order: Order) -> None:
        if order.status is Status.PRE_SUBMITTED:
            order.status = Status.SUBMITTED
            self.reports.open_order(order)
            self.reports.status(order)

    def _fills(self, order: Order, standing: Quote) -> list[Fill]:
        shares = self._shares_now(order)
        if shares <= 0:
            return []
        now = self.timeline.now
        if order.ticket.algo and not crosses_by(order.ticket, order.placed, now):
            return []
        side, con_id = order.ticket.side, order.contract.con_id
        used = self._used_here(con_id, side)
        fills = take(order, standing, shares, used)
        if self._all_or_none(order) and sum(f.shares for f in fills) < order.remaining:
            return []
        if fills:
            self._used[con_id, side] = used + sum(f.shares for f in fills)
            return fills
        if order.ticket.tif in ("IOC", "FOK") or limit_of(order, standing) is None:
            return []
        before = self.quote(order.contract, now - timedelta(seconds=self.step_s))
        return rest(order, standing, shares, max(standing.volume - before.volume, 0))

    def _all_or_none(self, order: Order) -> bool:
        return order.ticket.tif == "FOK" or order.ticket.text("allOrNone") in ("1", "true")

    def _used_here(self, con_id: int, side: int) -> int:
        """Shares that were taken at this step already."""
        step = self.step_of(self.timeline.now)
        if self._used_at != step:
            self._used_at, self._used = step, {}
        return self._used.get((con_id, side), 0)

    def _shares_now(self, order: Order) -> int:
        """Shares that may trade at this step: all that is left, or what an algo's schedule says."""
        session = session_at(self.timeline.now)
        if not order.ticket.algo or session is None:
            return order.remaining
        start, end = horizon(order.ticket, max(order.placed, session.open), session.close)
        now = self.timeline.now
        since = self.market.volume(order.contract, now) - self.market.volume(order.contract, start)
        at = Moment(now, start, end, session.open, session.close, max(int(since), 0))
        return shares_due(order.ticket, at) - order.filled

    def _fill(self, order: Order, fill: Fill) -> None:
        if order.is_done or not fill.shares:
            return
        self.books.fill(order, fill)
        if order.is_done:
            self.working.pop(order.perm_id, None)
            self.on_finished(order)

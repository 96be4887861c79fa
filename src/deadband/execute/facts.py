"""What a cycle knows of its names, as whoever works its orders needs it."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.seen import Portfolio
from ..core.session import Session, session_at
from ..core.types import CycleRecord, Signal
from ..core.units import epoch_ns, tick_size
from .short_horizon import Facts


def facts_of(record: CycleRecord) -> Mapping[str, Facts]:
    """Facts of every name that the cycle's plan trades; none while the exchange is closed."""
    session = session_at(record.seen.now)
    if session is None:
        return {}
    index = record.state.universe.index
    names = {order.symbol: index[order.symbol] for order in record.plan.orders}
    return {symbol: _facts(record, name, session) for symbol, name in names.items()}


def _facts(record: CycleRecord, name: int, session: Session) -> Facts:
    market, risk, book = record.seen.market, record.risk, record.seen.portfolio
    price = market.last[[name]]
    return Facts(
        lot=int(record.state.universe.lot[name]),
        tick=float(tick_size(price)[0]),
        sigma_day=0.0 if risk.sigma_day is None else float(risk.sigma_day[name]),
        adv=float(market.adv[name]),
        opens=epoch_ns(session.open),
        closes=epoch_ns(session.close),
        beta=0.0 if risk.beta is None else float(risk.beta[name]),
        alpha=_edge(record.signal, name),
        short=_short(book, name),
    )


def _edge(signal: Signal, name: int) -> float:
    """The expected return, unsigned, where scores say one; a z says none."""
    return 0.0 if signal.unit == "z" else abs(float(signal.score[name]))


def _short(book: Portfolio, name: int) -> int:
    """Shares sold short that no working buy covers yet."""
    return max(0, -int(book.shares[name]) - max(0, int(book.working[name])))

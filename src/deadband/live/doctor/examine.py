"""Examines a gateway before a run: connects as another client, asks, judges, and sends no order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ...brokers.ibkr.broker import IbkrBroker
from ...brokers.ibkr.settings import LIVE_PORTS, PAPER_PORTS, IbkrSettings, WrongAccount
from ...core.broker import Answer, Instrument, Ok
from ...core.config import Settings
from ...core.errors import BrokerError
from ...core.events import Quality, SessionState
from ...core.orders import Order, OrdType, Side
from ...core.session import session_at
from ...core.units import epoch_ns, to_tick
from .money import money
from .pace import calendar, clock, lines, pacing, restart
from .probe import Probe, fail, few, ok, warn

OLDEST, NEWEST = 176, 178
"""Server versions that this adapter is tested with; a newer server speaks the newest."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is examined. `symbols`: what a run would watch; `sample` of them are looked at.

    lines: market data lines the account has. data_s: seconds for quotes to come. `asks_what_if`:
    whether the broker is asked what an order would need, which is a message like an order.
    """

    settings: Settings
    symbols: tuple[str, ...]
    sample: int = 20
    lines: int = 100
    bar_min: float = 5.0
    data_s: float = 8.0
    asks_what_if: bool = False


async def examine(
    case: Case, broker: IbkrBroker, wall: Callable[[], datetime]
) -> AsyncIterator[Probe]:
    """One probe after another as they come; ends with the session's end on this side."""
    settings = broker.settings
    try:
        info = await broker.connect()
    except WrongAccount as fault:
        yield _failed("account", fault)
        return
    except BrokerError as fault:
        yield _failed("connection", fault)
        return
    try:
        yield ok("connection", f"{settings.host}:{settings.port}, client {info.client_id}")
        yield _server(info.server_version)
        yield _account(settings)
        yield clock(broker.skew_s, settings)
        yield restart(settings, wall())
        shot = await broker.snapshot()
        for probe in money(shot, case.settings):
            yield probe
        chosen = chosen_of(case.symbols, case.sample)
        answers = await broker.contracts.resolve(chosen)
        for probe in _names(answers):
            yield probe
        known = [answer.value for answer in answers.values() if isinstance(answer, Ok)]
        for probe in calendar(known, wall()):
            yield probe
        yield lines(len(case.symbols), case.lines)
        yield pacing(len(case.symbols), case.bar_min, settings)
        yield await _data(case, broker, known, wall)
        yield await _interface(case, broker, known, wall)
        yield reminder()
    except BrokerError as fault:
        yield _failed("session", fault)
    finally:
        await broker.close()


def chosen_of(symbols: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most so many, spread evenly over the list."""
    if len(symbols) <= most:
        return symbols
    return tuple(symbols[k * len(symbols) // most] for k in range(most))


def _failed(name: str, fault: Exception) -> Probe:
    """A fault's text ends with its cure."""
    found, _, cure = str(fault).rstrip().rpartition(". ")
    return fail(name, f"{found or cure}.".replace("..", "."), cure if found else "")


def _server(version: int) -> Probe:
    if OLDEST <= version <= NEWEST:
        return ok("server", f"version {version}")
    cure = f"Update TWS or the Gateway; versions {OLDEST} to {NEWEST} were tested."
    return warn("server", f"version {version} is untested", cure)


def _account(settings: IbkrSettings) -> Probe:
    kind = "paper" if settings.account.startswith("DU") else "live"
    text = f"{settings.account}, {kind}, alone in this session"
    if settings.port in PAPER_PORTS | LIVE_PORTS:
        return ok("account", f"{text}; port {settings.port} is IBKR's for {kind}")
    cure = "Paper is on 7497 (TWS) or 4002 (Gateway), live on 7496 or 4001, unless changed there."
    return warn("account", f"{text}; port {settings.port} says nothing about paper or live", cure)


def _names(answers: dict[str, Answer[Instrument]]) -> Iterator[Probe]:
    """Whether every name is one stock there, and its price steps are known."""
    lost = [f"{name} ({_why(one)})" for name, one in answers.items() if not isinstance(one, Ok)]
    if lost:
        cure = "Take them out of the universe: their orders would be denied."
        yield fail("names", f"{len(lost)} of {len(answers)} are unknown: {few(lost, 3)}", cure)
    known = [one.value for one in answers.values() if isinstance(one, Ok)]
    if known:
        steps = Counter(" ".join(f"{band.increment:g}" for band in one.bands) for one in known)
        text = ", ".join(f"{steps_} ({count} names)" for steps_, count in steps.most_common(3))
        yield ok("price steps", f"known for {len(known)}: {text}")


def _why(answer: object) -> str:
    return str(getattr(answer, "text", answer))[:60]


async def _data(
    case: Case, broker: IbkrBroker, known: list[Instrument], wall: Callable[[], datetime]
) -> Probe:
    """What quotes of the sample may be used for, after some seconds."""
    names = [one.symbol for one in known]
    broker.quotes.subscribe(names)
    loop = asyncio.get_running_loop()
    until = loop.time() + case.data_s
    while loop.time() < until:
        if all(broker.quotes.quality(name) is Quality.LIVE for name in names):
            break
        await asyncio.sleep(0.25)
    by_quality: dict[Quality, list[str]] = {}
    for name in names:
        by_quality.setdefault(broker.quotes.quality(name), []).append(name)
    short = [name for name in names if _shortable(broker, name) == 0]
    borrow = f"; no shares to borrow: {few(short, 3)}" if short else ""
    broker.quotes.unsubscribe(names)
    parts = [
        f"{quality} {len(by_quality[quality])}" for quality in Quality if quality in by_quality
    ]
    text = f"{', '.join(parts) or 'no names'} of {len(names)} looked at{borrow}"
    others = [
        name for quality, named in by_quality.items() if quality != Quality.LIVE for name in named
    ]
    if not others:
        return ok("market data", text)
    if session_at(wall()) is None:
        cure = "The session is closed: ask again when it is open."
        return warn("market data", f"{text}; not live: {few(others)}", cure)
    cure = "Subscribe to live data for the API (and share it with paper); end other sessions."
    found = f"{text}; not live: {few(others)}"
    if Quality.LIVE not in by_quality:
        return fail("market data", found, cure)
    return warn("market data", found, cure)


def _shortable(broker: IbkrBroker, name: str) -> int:
    quote = broker.quotes.quote(name)
    return quote.shortable_shares if quote is not None else -1


async def _interface(
    case: Case, broker: IbkrBroker, known: list[Instrument], wall: Callable[[], datetime]
) -> Probe:
    """Whether orders may be sent at all, as far as that can be told without sending one."""
    cure = "Untick Read-Only API in the gateway's Configure, API, Settings."
    if _is_read_only(broker):
        return fail("interface", "the API is read-only", cure)
    if not case.asks_what_if or not known:
        text = "read-only shows itself with the first order alone"
        return warn("interface", text, f"{cure} --what-if asks what one share would need.")
    answer = await broker.preview(_one_share(known[0], epoch_ns(wall())))
    if _is_read_only(broker):
        return fail("interface", "the API is read-only", cure)
    if not isinstance(answer, Ok):
        return warn("interface", f"no answer to what an order would need: {answer}", cure)
    return ok("interface", "orders are taken: the broker said what one share would need")


def _is_read_only(broker: IbkrBroker) -> bool:
    return broker.state is SessionState.READ_ONLY


def _one_share(instrument: Instrument, now: int) -> Order:
    """What is only asked about: one share at a price of one step, which could not trade either."""
    step = instrument.increment(1.0)
    return Order(
        cl_ord_id=f"what-if.{now // 10**9}",
        symbol=instrument.symbol,
        side=Side.BUY,
        order_qty=1,
        ord_type=OrdType.LIMIT,
        price=to_tick(1.0, step, up=True),
        decision_id="",
        reason="",
        arrival=1.0,
        transact_time=now,
    )


def reminder() -> Probe:
    """What no question tells."""
    text = "'Maintain and resubmit orders when connection is restored' cannot be asked by API"
    cure = "Untick it in Configure, API, Settings: it sends old orders by itself, hours later."
    return warn("resubmit", text, cure)

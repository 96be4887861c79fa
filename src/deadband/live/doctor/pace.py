"""What the clock and the line have to give: restart, calendar, message rate, data lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from ...brokers.ibkr.contracts import disagreements
from ...brokers.ibkr.settings import IbkrSettings
from ...core.broker import Instrument
from ...core.session import EXCHANGE_ZONE, Session, next_session, session_on
from .probe import Probe, fail, few, ok, warn

BUSY = 0.25
"""Share of an interval that messages may take before it is worth a word."""
MESSAGES_A_NAME = 2
"""A cycle's worst: a cancel and an order for every name."""


def clock(skew_s: float | None, settings: IbkrSettings) -> Probe:
    """Our clock against the broker's, which tells whole seconds."""
    if skew_s is None:
        return warn("clock", "the broker did not tell the time", "Ask again.")
    text = f"{skew_s - 0.5:+.1f} s against the broker's, to half a second"
    if -settings.most_skew_s <= skew_s <= settings.most_skew_s + 1.0:
        return ok("clock", text)
    return fail("clock", text, "Let the machine keep time by NTP (chrony, systemd-timesyncd).")


def restart(settings: IbkrSettings, now: datetime) -> Probe:
    """The gateway's daily restart against the session of today, or the next."""
    if not settings.restart_at:
        cure = "Look at Configure, Lock and Exit in the gateway, and give --restart-at HH:MM."
        return warn("restart", "the hour of the daily restart is not known", cure)
    at = time.fromisoformat(settings.restart_at)
    session = _session(now)
    around = timedelta(minutes=settings.quiet_min)
    moment = datetime.combine(session.open.astimezone(EXCHANGE_ZONE).date(), at, EXCHANGE_ZONE)
    text = f"{settings.restart_at} New York, {settings.quiet_min:g} minutes kept free around it"
    if session.open - around <= moment <= session.close + around:
        return fail("restart", f"{text}: within the session", "Set it to the night, as 23:45.")
    return ok("restart", text)


def _session(now: datetime) -> Session:
    today = now.astimezone(EXCHANGE_ZONE).date()
    return session_on(today) or next_session(today)


def calendar(instruments: Sequence[Instrument], now: datetime) -> Iterator[Probe]:
    """Hours of the names against our calendar: today must agree, other days are worth a word."""
    today = now.astimezone(EXCHANGE_ZONE).date()
    found: dict[str, list[str]] = {}
    for instrument in instruments:
        for text in disagreements(instrument):
            found.setdefault(text, []).append(instrument.symbol)
    missing = _not_open(instruments, today)
    if missing:
        found[f"{today}: our calendar is open, the broker tells no hours"] = missing
    for text, names in sorted(found.items()):
        said = f"{text} ({few(names, 3)})"
        cure = "Do not trade that day until it is known who is right; tell us of an odd holiday."
        is_today = text.startswith(f"{today}:")
        yield fail("calendar", said, cure) if is_today else warn("calendar", said, cure)
    if not found and instruments:
        session = session_on(today)
        hours = "closed today"
        if session is not None:
            opens, closes = (at.astimezone(EXCHANGE_ZONE) for at in (session.open, session.close))
            hours = f"today {opens:%H:%M} to {closes:%H:%M} New York"
        yield ok("calendar", f"the broker's hours and ours agree: {hours}")


def _not_open(instruments: Sequence[Instrument], today: date) -> list[str]:
    if session_on(today) is None:
        return []
    return [
        one.symbol
        for one in instruments
        if one.liquid_hours
        and all(h.open.astimezone(EXCHANGE_ZONE).date() != today for h in one.liquid_hours)
    ]


def pacing(names: int, bar_min: float, settings: IbkrSettings) -> Probe:
    """How long a cycle's messages take at the allowed rate, against the interval."""
    messages = names * MESSAGES_A_NAME
    seconds = max(messages - settings.burst, 0) / settings.messages_per_s
    share = seconds / (bar_min * 60.0)
    text = (
        f"{messages} messages if every name is canceled and ordered anew: {seconds:.1f} s at "
        f"{settings.messages_per_s:g}/s, {share:.0%} of a {bar_min:g}-minute interval"
    )
    cure = "Take a longer interval, or fewer names."
    if share >= 1.0:
        return fail("pacing", text, cure)
    return warn("pacing", text, cure) if share > BUSY else ok("pacing", text)


def lines(needed: int, available: int) -> Probe:
    """Market data lines: one for each name that is watched."""
    text = f"{needed} needed, {available} taken for available"
    if needed > available:
        cure = "Watch fewer names, or buy quote booster packs and say --lines."
        return fail("data lines", text, cure)
    if needed > 0.9 * available:
        return warn("data lines", text, "Other programs and watch lists use the same lines.")
    return ok("data lines", text)

"""Scheduled windows, and the clamps after the open and before the close."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..core.config import PolicySettings
from ..core.errors import ConfigError, DataError
from ..core.reasons import Code
from ..core.session import Session


def clamp(session: Session, now: datetime, settings: PolicySettings) -> Code | None:
    """The clamp that `now` falls into, if any."""
    if now < session.open + timedelta(minutes=settings.open_clamp_min):
        return Code.WINDOW_OPEN_CLAMP
    if now >= session.close - timedelta(minutes=settings.close_clamp_min):
        return Code.WINDOW_CLOSE_CLAMP
    return None


def open_window(session: Session, now: datetime, settings: PolicySettings) -> str | None:
    """The scheduled window [t, t + window_min) that holds `now`.

    A window that starts inside a clamp or past the close does not open; half-days move what is
    anchored to the close.
    """
    for spelled in settings.windows:
        start = window_start(session, spelled)
        inside = start <= now < start + timedelta(minutes=settings.window_min)
        if inside and session.open <= start < session.close and not clamp(session, start, settings):
            return spelled
    return None


def window_start(session: Session, spelled: str) -> datetime:
    """Read "open+5", "close-10" or exchange clock time "10:30"."""
    try:
        if spelled.startswith("open+"):
            return session.open + timedelta(minutes=float(spelled.removeprefix("open+")))
        if spelled.startswith("close-"):
            return session.close - timedelta(minutes=float(spelled.removeprefix("close-")))
        return session.at_clock(spelled)
    except (ValueError, DataError) as fault:
        raise ConfigError(
            (f"policy.windows has {spelled!r}, expected open+5, close-10 or 10:30.",)
        ) from fault

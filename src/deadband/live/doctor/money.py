"""Judges an account by its values: ready, of which type, and enough for what is planned."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.broker import BrokerSnapshot, Ok
from ...core.config import Settings
from ...core.events import AccountReport
from ..adopt import of_other_runs
from .probe import Probe, fail, few, ok, warn

CASH_RATIO = 1.5
"""Buying power over available funds below which an account looks like a cash account."""


def money(shot: BrokerSnapshot, settings: Settings) -> Iterator[Probe]:
    """Probes of the account's values, its orders of others and its positions."""
    account = shot.account
    if not isinstance(account, Ok) or not account.value.is_ready:
        found = "the account is not ready" if isinstance(account, Ok) else f"not told: {account}"
        yield fail("values", found, "Wait a minute and ask again; while it lasts nothing grows.")
    else:
        yield from _values(account.value, settings)
    yield from _others(shot, settings.execution.strategy)
    yield from _positions(shot)


def _values(told: AccountReport, settings: Settings) -> Iterator[Probe]:
    wanted = settings.execution.currency
    if told.currency != wanted:
        text = f"the account is in {told.currency}, the settings say {wanted}"
        yield fail("values", text, "Trade an account in the currency of execution.currency.")
        return
    yield ok("values", f"ready, net liquidation {told.net_liq:,.2f} {told.currency}")
    yield _type(told, settings)
    yield from _day_trades(told)
    yield from _capital(told, settings)


def _type(told: AccountReport, settings: Settings) -> Probe:
    looks = "cash" if _looks_cash(told) else "margin"
    said = settings.gate.account_type
    ratio = told.buying_power / told.available if told.available > 0 else 0.0
    text = f"looks like a {looks} account: buying power is {ratio:.1f} × available funds"
    if not told.available > 0:
        cure = "Look at the account's type in the portal; nothing grows without available funds."
        return warn("type", "available funds are 0: the type cannot be told", cure)
    if looks == "cash" and said != "cash":
        cure = 'Set gate.account_type = "cash": no shorts, and buys from settled cash alone.'
        return fail("type", f"{text}, gate.account_type is {said}", cure)
    if looks == "cash" and settings.optimize.shorts_allowed:
        return fail("type", f"{text}, and the settings sell short", "Set optimize.K_short = 0.")
    if looks != said:
        cure = 'Set gate.account_type = "margin", or leave it: cash is the stricter.'
        return warn("type", f"{text}, gate.account_type is {said}", cure)
    return ok("type", text)


def _looks_cash(told: AccountReport) -> bool:
    return told.buying_power < CASH_RATIO * told.available


def _day_trades(told: AccountReport) -> Iterator[Probe]:
    left = told.day_trades_left
    if left < 0:
        yield ok("day trades", "no limit is told")
    elif left == 0:
        cure = "Nothing new is opened until some are left again (GATE_DAY_TRADES)."
        yield fail("day trades", "none is left", cure)
    else:
        cure = "At 0 nothing new is opened. Trade less often, or hold 25,000 USD of equity."
        yield warn("day trades", f"{left} are left", cure)


def _capital(told: AccountReport, settings: Settings) -> Iterator[Probe]:
    capital = settings.execution.capital_usd
    gross = capital * settings.optimize.max_gross_exposure
    text = f"cash {told.cash:,.0f}, buying power {told.buying_power:,.0f}, capital {capital:,.0f}"
    if not told.cash > 0:
        yield fail("capital", text, "Fund the account: a first start needs cash.")
    elif told.excess_liquidity <= 0:
        cure = "Close positions: the broker may liquidate at any moment."
        yield fail("capital", f"excess liquidity {told.excess_liquidity:,.0f}", cure)
    elif told.cash < capital:
        cure = "A first start takes the account's cash. Set execution.capital_usd to what is meant."
        yield warn("capital", text, cure)
    elif told.buying_power < gross:
        cure = f"A gross of {gross:,.0f} would be denied (GATE_FUNDS). Lower it or the capital."
        yield warn("capital", text, cure)
    else:
        yield ok("capital", text)


def _others(shot: BrokerSnapshot, prefix: str) -> Iterator[Probe]:
    """Orders at work: an examination has none of its own."""
    if not isinstance(shot.foreign, Ok) or not isinstance(shot.orders, Ok):
        yield fail("orders", f"not told: {shot.foreign}", "Ask again; a run does not start so.")
        return
    ours = set(of_other_runs(shot, prefix))
    found = [
        f"{one.side} {one.leaves_qty:,} {one.symbol} ({one.text or 'by hand'})"
        for one in shot.foreign.value
    ]
    if found:
        cure = (
            "Those of a run go on in its journal; to any other run they are foreign, and freeze "
            "their names until they are over or canceled."
        )
        text = f"{len(found)} at work, {len(ours)} of them by runs of ours: {few(found)}"
        yield warn("orders", text, cure)
    else:
        yield ok("orders", "none at work")


def _positions(shot: BrokerSnapshot) -> Iterator[Probe]:
    if not isinstance(shot.positions, Ok):
        yield fail("positions", f"not told: {shot.positions}", "Ask again.")
        return
    found = [f"{one.symbol} {one.qty:,}" for one in shot.positions.value]
    if found:
        cure = (
            "A first start freezes names that are held. Go on in the journal that bought them "
            "(`deadband reconcile`), or close them (`deadband flatten`)."
        )
        yield warn("positions", f"{len(found)} held: {few(found)}", cure)
    else:
        yield ok("positions", "flat")

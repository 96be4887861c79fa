"""What the gate is asked: orders, and a decision that asks for just them unless said otherwise."""

from dataclasses import replace
from typing import Any

import numpy as np

from deadband.core.config import Settings
from deadband.core.orders import Order, OrdStatus, Replacement, Sent, Side, WorkingOrder
from deadband.core.reasons import Code
from deadband.core.seen import Market, Portfolio, Switch
from deadband.core.types import Plan
from deadband.execute.gate import Asked

from .inputs import NOW, portfolio, seen, settings, state, universe
from .inputs import market as quiet
from .orders import order
from .problems import decision

NAMES = universe(4, S0000="Energy", S0001="Energy", S0002="Banks")
CYCLE = "1"


def buy(symbol: str = "S0000", qty: int = 100, **other: Any) -> Order:
    return order(f"db.1.{symbol}.B{qty}", symbol, order_qty=qty, **other)


def sell(symbol: str = "S0000", qty: int = 100, **other: Any) -> Order:
    return order(f"db.1.{symbol}.S{qty}", symbol, order_qty=qty, side=Side.SELL, **other)


def short(symbol: str = "S0000", qty: int = 100, **other: Any) -> Order:
    given = {"side": Side.SELL_SHORT} | other
    return order(f"db.1.{symbol}.H{qty}", symbol, order_qty=qty, **given)


def asked(
    *orders: Order,
    book: Portfolio | None = None,
    working: tuple[WorkingOrder, ...] = (),
    market: Market | None = None,
    switch: Switch | None = None,
    made: Settings | None = None,
    beta: Any = None,
    target: Any = None,
    cancels: tuple[str, ...] = (),
    replaces: tuple[Replacement, ...] = (),
    now: Any = NOW,
    **remembered: Any,
) -> Asked:
    """A quiet market and a two-sided mandate of wide limits; `remembered` goes into the state."""
    held = _with(working, portfolio(NAMES) if book is None else book)
    sent = remembered.pop("sent", Sent())
    before = replace(state(NAMES, portfolio=held, working=working, **remembered), sent=sent)
    looked = seen(
        NAMES,
        now=now,
        market=quiet(NAMES) if market is None else market,
        portfolio=held,
        switch=switch,
    )
    if target is None:
        target = held.weights.copy()
        there = {one.order.cl_ord_id: one.order for one in working}
        for gone in working:
            if gone.order.cl_ord_id in cancels and gone.status is OrdStatus.NEW:
                name = NAMES.index[gone.order.symbol]
                less = gone.order.side.sign * gone.leaves_qty
                target[name] -= less * held.price[name] / held.nav
        for change in replaces:
            if (old := there.get(change.cl_ord_id)) is not None:
                more = old.side.sign * (change.order_qty - old.order_qty)
                name = NAMES.index[old.symbol]
                target[name] += more * held.price[name] / held.nav
        for one in orders:
            if one.symbol in NAMES.index and isinstance(one.order_qty, int):
                name = NAMES.index[one.symbol]
                target[name] += one.side.sign * one.order_qty * held.price[name] / held.nav
    return Asked(
        CYCLE,
        NAMES,
        before,
        looked,
        beta,
        decision(NAMES, np.asarray(target)),
        Plan(orders, cancels, (), replaces=replaces),
        wide() if made is None else made,
    )


def _with(working: tuple[WorkingOrder, ...], book: Portfolio) -> Portfolio:
    """The book as a driver gathers it: known leaves signed, those of unknown fate apart."""
    known, unknown = book.working.copy(), book.unknown.copy()
    for one in working:
        name = NAMES.index[one.order.symbol]
        if one.status in (OrdStatus.UNKNOWN, OrdStatus.PENDING_CANCEL):
            unknown[name] += one.most_leaves
        else:
            known[name] += one.order.side.sign * one.least_leaves
            unknown[name] += one.most_leaves - one.least_leaves
    return replace(book, working=known, unknown=unknown)


def wide(**given: Any) -> Settings:
    """Limits that small orders do not reach; shorts are allowed."""
    return settings(
        **(
            {
                "allow_short": True,
                "max_net_exposure": 0.5,
                "sector_cap": 0.5,
                "per_name_cap": 0.2,
                "beta_tolerance": 0.5,
            }
            | given
        )
    )


def said(plan: Plan) -> dict[str, Code]:
    """The code of each denied order, by its id."""
    notes = [note for note in plan.notes if note.code.startswith("GATE_")]
    return {one.cl_ord_id: note.code for one, note in zip(plan.denied, notes, strict=True)}

"""The gate for all books and baskets, also senseless ones, with limits measured by other code."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.arrays import Floats, Ints
from deadband.core.config import Settings
from deadband.core.gate_settings import GateSettings
from deadband.core.limits import Structure
from deadband.core.orders import (
    Order,
    OrdStatus,
    OrdType,
    Replacement,
    Sent,
    Side,
    WorkingOrder,
)
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.core.types import Plan
from deadband.execute.gate import Asked, gate
from tests import kit
from tests.kit.gate import CYCLE, NAMES, asked, wide
from tests.kit.orders import NOW_NS

N = len(NAMES)
SLACK = 2e-9
UNSURE = (OrdStatus.UNKNOWN, OrdStatus.PENDING_CANCEL)
many = settings(max_examples=250, deadline=None, derandomize=True)


def orders(draw: np.random.Generator, count: int, held: Ints) -> list[Order]:
    """Mostly sane orders; some of a wrong price, size, tick, decision, side or symbol."""
    made = []
    sides = {
        symbol: "BUY" if draw.random() < 0.5 else "SELL" if held[name] > 0 else "SELL_SHORT"
        for name, symbol in enumerate(NAMES.symbols)
    }
    for k in range(count):
        odd = draw.random() < 0.06
        symbol = str(draw.choice(NAMES.symbols))
        price = draw.choice([80.0, 99.995, float("nan"), 1e6]) if odd else 100.0
        side = Side(sides[symbol] if draw.random() < 0.9 else draw.choice(list(Side)))
        most = int(abs(held[NAMES.index[symbol]])) if side is Side.SELL else 900
        qty = int(draw.integers(1, max(2, most)))
        qty = int(draw.choice([0, -3, 10**6])) if draw.random() < 0.05 else qty
        made.append(
            kit.order(
                f"o{draw.integers(0, 99) if draw.random() < 0.1 else k}",
                "GHOST" if draw.random() < 0.03 else symbol,
                side=side,
                order_qty=qty,
                ord_type=OrdType.MARKET if draw.random() < 0.1 else OrdType.LIMIT,
                price=float(price),
                decision_id="0" if draw.random() < 0.05 else CYCLE,
            )
        )
    return made


def at_work(draw: np.random.Generator) -> tuple[WorkingOrder, ...]:
    made = []
    for k in range(int(draw.integers(0, 4))):
        status = draw.choice(["NEW", "NEW", "UNKNOWN", "PENDING_CANCEL", "PENDING_REPLACE"])
        one = kit.working(
            f"w{k}",
            str(draw.choice(NAMES.symbols)),
            side=Side(draw.choice([Side.BUY.value, Side.SELL.value])),
            order_qty=int(draw.choice([51, 303, 707])),
            cum_qty=int(draw.choice([0, 0, 20])),
            status=OrdStatus(status),
            decision_id="0",
            transact_time=NOW_NS - int(draw.choice([0, 10**11])),
        )
        if status == "PENDING_REPLACE" or draw.random() < 0.1:
            wanted = replace(one.order, order_qty=int(draw.choice([40, 250, 900])))
            one = replace(one, wanted=wanted)
        made.append(one)
    return tuple(made)


def changes(draw: np.random.Generator, working: tuple[WorkingOrder, ...]) -> list[Replacement]:
    """Reductions and raises, mostly of orders that may be changed; some of none, or of nothing."""
    made = []
    for one in working:
        if draw.random() < 0.8:
            ref = "ghost" if draw.random() < 0.05 else one.order.cl_ord_id
            qty = int(draw.choice([1, 30, 200, 500, 900, 3_000]))
            price = float(draw.choice([one.order.price, 100.0, 100.0, 99.995]))
            made.append(Replacement(ref, qty, price))
            if draw.random() < 0.05:
                made.append(Replacement(ref, qty + 1, price))
    return made


def case(seed: int) -> Asked:
    """A book inside or outside of tight limits, orders at work, and a basket for it."""
    draw = np.random.default_rng(seed)
    book = kit.portfolio(
        NAMES,
        weights=draw.uniform(-0.15, 0.2, N) * draw.choice([0.0, 0.4, 1.0], N),
        cash=float(draw.choice([30_000.0, 1e6])),
    )
    made = wide(
        per_name_cap=float(draw.choice([0.1, 0.2])),
        max_net_exposure=float(draw.choice([0.05, 0.15, 0.5])),
        max_gross_exposure=float(draw.choice([0.2, 0.5])),
        sector_cap=float(draw.choice([0.1, 0.3])),
        sector_gross_cap=None if draw.random() < 0.5 else 0.2,
        beta_tolerance=float(draw.choice([0.05, 0.2])),
        allow_short=bool(draw.random() < 0.7),
        uneven=float(draw.choice([0.0, 0.05, 0.25])),
        uneven_beta=float(draw.choice([0.0, 0.1, 0.5])),
        hedge_symbol="S0003" if draw.random() < 0.3 else "",
        account_type="cash" if draw.random() < 0.2 else "margin",
    )
    working = at_work(draw)
    basket = orders(draw, int(draw.integers(0, 8)), book.shares)
    target = _wanted(basket, working) if draw.random() < 0.9 else None
    leaving = tuple(one.order.cl_ord_id for one in working if draw.random() < 0.3)
    amended = changes(draw, working) if draw.random() < 0.7 else []
    return asked(
        *basket,
        book=book,
        working=working,
        made=made,
        beta=draw.choice([-1.0, 0.0, 0.7, 1.5], N) if draw.random() < 0.7 else None,
        target=target,
        cancels=leaving,
        replaces=tuple(amended),
        switch=Switch(str(draw.choice(["ACTIVE"] * 18 + ["REDUCING", "HALTED"]))),
    )


def _wanted(basket: list[Order], working: tuple[WorkingOrder, ...]) -> Floats:
    """Far on the side of the first order of each name, so that quantity decides nothing."""
    target = np.ones(N)
    for at_work in working:
        target[NAMES.index[at_work.order.symbol]] = at_work.order.side.sign
    for one in reversed(basket):
        if one.symbol in NAMES.index:
            target[NAMES.index[one.symbol]] = one.side.sign
    return target


cases = st.builds(case, st.integers(0, 2**32))


@dataclass(frozen=True)
class Fills:
    """Shares (n,) that come of an outcome of everything that may yet fill."""

    judged: Asked
    signs: Floats
    """What hurts by name (n,): +1 more shares, −1 fewer."""
    asked: dict[str, int]
    """The quantity that a change which leaves now asks for."""

    def unsure(self) -> Ints:
        """The leaves of unknown fate that would hurt."""
        shares = np.zeros(N, np.int64)
        for one in self.judged.state.working:
            name, side = NAMES.index[one.order.symbol], one.order.side.sign
            sure = 0 if one.status in UNSURE else self.least(one)
            if side * self.signs[name] > 0:
                shares[name] += side * (largest(one) - sure)
        return shares

    def least(self, one: WorkingOrder) -> int:
        """What an order may still do at least, once what takes off it has left."""
        sizes = [one.order.order_qty]
        if one.wanted is not None:
            sizes.append(one.wanted.order_qty)
        sizes.append(self.asked.get(one.order.cl_ord_id, one.order.order_qty))
        return max(0, min(sizes) - one.cum_qty)

    def known(self, *, hurting: bool) -> Ints:
        """Known working orders filled: all of them, or only those that hurt."""
        shares = np.zeros(N, np.int64)
        for one in self.judged.state.working:
            name, side = NAMES.index[one.order.symbol], one.order.side.sign
            if one.status not in UNSURE and not (hurting and side * self.signs[name] <= 0):
                shares[name] += side * self.least(one)
        return shares


def largest(one: WorkingOrder) -> int:
    sizes = [one.order.order_qty, 0 if one.wanted is None else one.wanted.order_qty]
    return max(0, max(sizes) - one.cum_qty)


def leaving(judged: Asked, plan: Plan) -> tuple[Order, ...]:
    """What raises add, as orders, and the new orders."""
    there = {one.order.cl_ord_id: one.order for one in judged.state.working}
    raises = [
        (there[one.cl_ord_id], one)
        for one in plan.replaces
        if one.order_qty > there[one.cl_ord_id].order_qty
    ]
    more = [
        replace(old, order_qty=one.order_qty - old.order_qty, price=one.price)
        for old, one in raises
    ]
    return (*more, *plan.orders)


def values(judged: Asked, left: tuple[Order, ...], *, uneven: bool) -> dict[str, float]:
    """Every limit at its worst over all outcomes, measured by the core's own arithmetic."""
    structure = Structure(NAMES.group, NAMES.group_names, judged.beta)
    per_share = judged.seen.portfolio.price / judged.seen.portfolio.nav
    worst: dict[str, float] = {}
    asked_for = {one.cl_ord_id: one.order_qty for one in gate(judged).replaces}
    for signs in np.array(np.meshgrid(*[[-1.0, 1.0]] * N)).reshape(N, -1).T:
        fills = Fills(judged, signs, asked_for)
        shares = judged.seen.portfolio.shares + fills.unsure() + fills.known(hurting=uneven)
        for one in left:
            name = NAMES.index[one.symbol]
            if not uneven or one.side.sign * signs[name] > 0:
                shares[name] += one.side.sign * one.order_qty
        weights = shares * per_share
        used = structure.exposure(weights)
        measured = {"GROSS": used.gross, "NET": abs(used.net), "BETA": abs(used.beta)}
        for k, group in enumerate(NAMES.group_names):
            own = weights[NAMES.group == k]
            measured[f"SECTOR:{group}"] = abs(float(own.sum()))
            measured[f"SECTOR_GROSS:{group}"] = float(np.abs(own).sum())
        for limit, value in measured.items():
            worst[limit] = max(worst.get(limit, 0.0), value)
    return worst


def bounds(made: Settings) -> dict[str, float]:
    config = made.optimize
    most = {
        "GROSS": config.max_gross_exposure,
        "NET": config.max_net_exposure,
        "BETA": config.beta_tolerance,
    }
    for group in NAMES.group_names:
        most[f"SECTOR:{group}"] = config.sector_cap
        cap = config.sector_gross_cap
        most[f"SECTOR_GROSS:{group}"] = np.inf if cap is None else cap
    return most


def slack(made: Settings) -> dict[str, float]:
    """How far past each limit the uneven book may be."""
    return dict.fromkeys(bounds(made), made.gate.uneven) | {"BETA": made.gate.uneven_beta}


def shrinking(judged: Asked, left: tuple[Order, ...]) -> tuple[Order, ...]:
    """Those that cannot turn or enlarge a position, counted one by one in their order."""
    low = judged.seen.portfolio.shares.copy()
    high = low.copy()
    for one in judged.state.working:
        name = NAMES.index[one.order.symbol]
        (high if one.order.side is Side.BUY else low)[name] += one.order.side.sign * largest(one)
    found = []
    for one in left:
        name, signed = NAMES.index[one.symbol], one.side.sign * one.order_qty
        keeps = low[name] + signed >= 0 if signed < 0 else high[name] + signed <= 0
        (low if signed < 0 else high)[name] += signed
        found += [one] if keeps else []
    return tuple(found)


@many
@given(cases)
def test_no_basket_leaves_whose_worst_case_breaks_a_limit_it_did_not_break(judged: Asked) -> None:
    """Beyond a limit only what was beyond it, or what exits alone bring about."""
    left = leaving(judged, gate(judged))
    exits = shrinking(judged, left)
    for uneven in (False, True):
        extra = slack(judged.settings) if uneven else dict.fromkeys(bounds(judged.settings), 0.0)
        after, before = (values(judged, some, uneven=uneven) for some in (left, ()))
        alone = values(judged, exits, uneven=uneven)
        for limit, most in bounds(judged.settings).items():
            room = max(before[limit], alone[limit], most + extra[limit])
            assert after[limit] <= room + SLACK, (limit, uneven)


@many
@given(cases)
def test_no_name_passes_its_cap_whatever_fills(judged: Asked) -> None:
    config, book = judged.settings.optimize, judged.seen.portfolio
    left = leaving(judged, gate(judged))
    for name, symbol in enumerate(NAMES.symbols):
        cap = config.hedge_cap if symbol == config.hedge_symbol else config.per_name_cap
        floor = cap if config.allow_short or symbol == config.hedge_symbol else 0.0
        for sign, most in ((1, cap), (-1, floor)):
            own = sign * int(book.shares[name])
            own += sum(
                largest(one)
                for one in judged.state.working
                if one.order.symbol == symbol and one.order.side.sign == sign
            )
            asked_for = sum(
                one.order_qty for one in left if one.symbol == symbol and one.side.sign == sign
            )
            per_share = float(book.price[name]) / book.nav
            shrinks = own + asked_for <= 0
            assert shrinks or (own + asked_for) * per_share <= max(most, own * per_share) + SLACK


@many
@given(cases)
def test_what_leaves_is_let_through_again(judged: Asked) -> None:
    once = gate(judged)
    same = Plan(once.orders, once.cancels, (), replaces=once.replaces)
    again = gate(replace(judged, plan=same))
    assert (again.orders, again.replaces) == (once.orders, once.replaces)
    assert again.denied == ()


@many
@given(cases)
def test_every_order_leaves_or_is_denied_with_one_reason(judged: Asked) -> None:
    passed = gate(judged)
    new = {id(one) for one in judged.plan.orders}
    raises = [one for one in passed.denied if id(one) not in new]
    kept = [*passed.orders, *(one for one in passed.denied if id(one) in new)]
    assert sorted(map(id, kept)) == sorted(new)
    refs = [one.cl_ord_id for one in (*passed.replaces, *raises)]
    assert sorted(refs) == sorted(one.cl_ord_id for one in judged.plan.replaces)
    assert len(passed.notes) == len(passed.denied)
    assert all(note.code.startswith("GATE_") for note in passed.notes)
    assert passed.cancels == judged.plan.cancels


def exits(seed: int) -> Asked:
    """A book as far beyond every limit as it likes, in any state of the day, and orders out."""
    draw = np.random.default_rng(seed)
    book = kit.portfolio(NAMES, weights=draw.uniform(-0.9, 0.9, N))
    out = []
    for name, symbol in enumerate(NAMES.symbols):
        held = int(book.shares[name])
        part = int(draw.integers(0, abs(held) + 1)) if draw.random() < 0.5 else abs(held)
        if part:
            side = Side.SELL if held > 0 else Side.BUY
            out.append(kit.order(f"x{symbol}", symbol, side=side, order_qty=part, decision_id="1"))
    tight = wide(
        **dict.fromkeys(("max_order_shares", "max_order_usd", "max_order_nav"), 1e-6),
        **dict.fromkeys(("max_order_adv", "max_orders_per_s", "max_orders_per_min"), 1e-6),
        **dict.fromkeys(("max_orders_day", "max_day_nav", "uneven"), 1e-6),
        **dict.fromkeys(("per_name_cap", "max_gross_exposure", "max_net_exposure"), 1e-6),
        house_multiplier=float(draw.choice([1.0, 100.0])),
        round_lot=100,
        account_type=str(draw.choice(["margin", "cash"])),
        close_only=NAMES.symbols,
    )
    return asked(
        *out,
        book=book,
        made=tight,
        beta=draw.uniform(-2, 2, N),
        switch=Switch(str(draw.choice(["ACTIVE", "REDUCING"])), ("GLOBAL",)),
        start_nav=float(draw.choice([0.0, 1e6, 1e9])),
        sent=Sent(10**6, 1e12),
    )


@many
@given(st.builds(exits, st.integers(0, 2**32)))
def test_no_book_check_size_or_pace_stops_an_exit(judged: Asked) -> None:
    assert gate(judged) == judged.plan


@many
@given(st.builds(exits, st.integers(0, 2**32)))
def test_exits_make_neither_gross_nor_a_name_nor_a_sector_s_size_worse(judged: Asked) -> None:
    """Why they need no check: |w| of every name falls whatever fills. NET has no such proof."""
    for uneven in (False, True):
        after, before = (values(judged, some, uneven=uneven) for some in (gate(judged).orders, ()))
        for limit in ("GROSS", *(one for one in after if one.startswith("SECTOR_GROSS"))):
            assert after[limit] <= before[limit] + SLACK


TIGHTER = {
    field.name: 1.5 if field.name in {"duplicate_s", "overnight_lead_min"} else 0.6
    for field in fields(GateSettings)
    if field.type == "float"
} | dict.fromkeys(
    ("initial_margin", "maintenance_long", "maintenance_short", "house_multiplier"), 1.5
)
LIMITS = ("per_name_cap", "max_gross_exposure", "max_net_exposure", "sector_cap", "beta_tolerance")


def tightened(made: Settings, name: str, to: float) -> Settings:
    """One bound of the gate, or of the mandate, times `to`."""
    table = "optimize" if name in LIMITS else "gate"
    room: Any = getattr(made, table)
    return replace(made, **{table: replace(room, **{name: getattr(room, name) * to})})


@many
@given(cases, st.sampled_from([*TIGHTER, *LIMITS]), st.floats(0.0, 1.0))
def test_a_tighter_setting_denies_what_was_denied_and_perhaps_more(
    judged: Asked, name: str, how_far: float
) -> None:
    most = TIGHTER.get(name, 0.3)
    to = 1.0 + (most - 1.0) * how_far
    looser, tighter = (
        gate(judged),
        gate(replace(judged, settings=tightened(judged.settings, name, to))),
    )
    # What a raise adds is made anew by each: it is known by its order.
    new = {id(one) for one in judged.plan.orders}

    def denied(plan: Plan) -> set[object]:
        return {id(one) if id(one) in new else one.cl_ord_id for one in plan.denied}

    assert denied(looser) <= denied(tighter)


def test_the_cases_reach_the_book_and_pass_and_deny() -> None:
    """A property over cases that are all denied at once would prove nothing."""
    codes: set[Code] = set()
    passed = changed = 0
    for seed in range(1000):
        plan = gate(case(seed))
        passed, changed = passed + len(plan.orders), changed + len(plan.replaces)
        codes |= {note.code for note in plan.notes}
    assert passed > 300 and changed > 40
    wanted = {
        Code.GATE_CHANGE,
        Code.GATE_LIMIT,
        Code.GATE_UNEVEN,
        Code.GATE_LEG,
        Code.GATE_CASH,
        Code.GATE_POSITION,
    }
    assert wanted <= codes, wanted - codes

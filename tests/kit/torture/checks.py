"""What has to hold through an ordeal and after it, said of the gateway's own books and the journal.

A reference of an order is ours where the journal intended it. Everything else at the gateway
belongs to others, and its shares and orders are no error of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from deadband.backtest.replay import replay
from deadband.backtest.run import RUN
from deadband.core.orders import OrdStatus
from deadband.core.reasons import Code
from deadband.core.types import State
from deadband.core.units import micros
from deadband.journal.codec import Encoder
from deadband.journal.store import JournalReader
from deadband.live.recover import recover
from deadband.twsim.fault_names import FaultName
from deadband.twsim.gateway import Gateway
from deadband.twsim.orders import Order as GatewayOrder
from deadband.twsim.orders import Status

from ..ibkr import ACCOUNT, CLIENT
from ..live import World


class Violation(AssertionError):
    """Something that must hold does not."""


def ref_of(order: GatewayOrder) -> str:
    """Our reference of a gateway's order; empty where it is another's."""
    return order.ticket.text("orderRef") if order.client == CLIENT else ""


def family(ref: str, parents: Collection[str]) -> str:
    """The order that a child, whose reference is its parent's and a number, was cut from."""
    stem = ref.rpartition(".")[0]
    return stem if ref not in parents and stem in parents else ref


def ours(host: Gateway) -> list[GatewayOrder]:
    return [order for order in host.desk.orders if ref_of(order)]


def held_by_us(host: Gateway) -> Counter[str]:
    """Signed shares by symbol that our own orders traded, as they count now; no zeros."""
    shares: Counter[str] = Counter()
    for execution in host.exchange.books.executions:
        if ref_of(execution.order):
            order = execution.order
            shares[order.contract.symbol] += order.ticket.side * execution.shares
    return Counter({symbol: qty for symbol, qty in shares.items() if qty})


def spent_by_us(host: Gateway) -> int:
    """Micro-dollars that our own orders cost, with fees."""
    return sum(
        one.order.ticket.side * one.shares * micros(one.price) + one.fee_micros
        for one in host.exchange.books.executions
        if ref_of(one.order)
    )


def struck(host: Gateway, name: FaultName) -> bool:
    return any(fault.name is name for _, fault in host.faults.struck)


# --- while it goes on


def reach_at_gateway(host: Gateway) -> dict[str, tuple[int, int]]:
    """By symbol, the least and the most shares that our orders may yet leave us with."""
    least, most = Counter(held_by_us(host)), Counter(held_by_us(host))
    for order in ours(host):
        if not order.is_done:
            side = most if order.ticket.side > 0 else least
            side[order.contract.symbol] += order.ticket.side * order.remaining
    return {symbol: (least[symbol], most[symbol]) for symbol in least.keys() | most.keys()}


def expect_within_belief(world: World) -> None:
    """No name may come to more than the run believes it may, with what it keeps apart."""
    assert world.line is not None
    state, kept = world.state, world.line.standing.reserved().tolist()
    index = state.universe.index
    least, most = state.book.shares.tolist(), state.book.shares.tolist()
    for working in state.working:
        at, signed = index[working.order.symbol], working.order.side.sign * working.leaves_qty
        least[at] += min(signed, 0)
        most[at] += max(signed, 0)
    for symbol, (low, high) in reach_at_gateway(world.host).items():
        at = index[symbol]
        if low < least[at] - kept[at] or high > most[at] + kept[at]:
            hidden = _hidden(world, symbol)
            if low + hidden < least[at] - kept[at] or high - hidden > most[at] + kept[at]:
                raise Violation(
                    f"{symbol} may come to {low}..{high} at the gateway; believed {least[at]}.."
                    f"{most[at]}, kept apart {kept[at]}"
                )


def _hidden(world: World, symbol: str) -> int:
    """Shares of orders that the gateway keeps out of its lists, sent in the instant of a death.

    They left, and the process died before that was on record: nothing on this side can know.
    """
    recovered = recover(world.path, world.wall().date())
    known = recovered.memory.dispatched if recovered is not None else frozenset()
    return sum(
        order.remaining
        for order in ours(world.host)
        if order.status is Status.PENDING_SUBMIT
        and order.contract.symbol == symbol
        and ref_of(order) not in known
    )


# --- at the end


def expect_end(world: World) -> None:
    """Everything that has to hold once the faults are over and the books were compared."""
    found = [*_orders(world), *_books(world), *_working(world), *_differences(world)]
    found += _journal(world)
    if found:
        raise Violation("; ".join(found))


def _orders(world: World) -> Iterator[str]:
    """No order twice, none without its intent, none filled beyond what was intended."""
    intended: dict[str, int] = {}
    for intent in world.intents():
        order = intent.order
        intended[order.cl_ord_id] = max(intended.get(order.cl_ord_id, 0), order.order_qty)
    seen: dict[str, int] = {}
    for order in ours(world.host):
        ref = ref_of(order)
        if ref not in intended:
            yield f"{ref} is at the gateway without an intent"
        elif order.filled > intended[ref]:
            yield f"{ref} is filled {order.filled} of {intended[ref]}"
        # A gateway that splits an order under a change keeps its number; we sent it once.
        if ref in seen and not (
            struck(world.host, FaultName.MODIFY_SPLITS) and seen[ref] == order.order_id
        ):
            yield f"{ref} is at the gateway twice"
        seen[ref] = order.order_id


def _books(world: World) -> Iterator[str]:
    state = world.state
    mine = dict(zip(state.universe.symbols, state.book.shares.tolist(), strict=True))
    mine = {symbol: qty for symbol, qty in mine.items() if qty}
    if mine != dict(held_by_us(world.host)):
        yield f"the book holds {mine}, our orders traded {dict(held_by_us(world.host))}"
    with JournalReader(world.path) as journal:
        opening = next(journal.value(e.tree) for e in journal.entries() if e.kind == RUN)
    cash = opening["state"].book.cash_micro - spent_by_us(world.host)
    if state.book.cash_micro != cash:
        yield f"the book has {state.book.cash_micro} micro-dollars, our orders left {cash}"


def _working(world: World) -> Iterator[str]:
    """What works for us works there; what waits for an answer would wait for ever."""
    believed = {working.order.cl_ord_id: working for working in world.state.working}
    assert world.line is not None
    if world.line.standing.asked:
        yield "something is asked, and no answer is to come"
    flying = _flying(world)
    filled: Counter[str] = Counter()
    live, known = set(), set()
    for order in ours(world.host):
        ref = family(ref_of(order), believed)
        known.add(ref)
        filled[ref] += order.filled
        if not order.is_done:
            live.add(ref)
    for ref, working in believed.items():
        is_worked = working.order.route is not None
        if is_worked and ref not in flying:
            yield f"{ref} is {working.status}, and nobody works it"
        elif working.status is OrdStatus.UNKNOWN:
            if ref in known and not is_worked:
                yield f"{ref} is of unknown fate, and the gateway knows it"
        elif ref not in live and (flying.get(ref) or not is_worked):
            yield f"{ref} is {working.status} here, and does not work at the gateway"
        elif filled[ref] != working.cum_qty:
            yield f"{ref} has {working.cum_qty} here and {filled[ref]} at the gateway"
    for ref in sorted(live - believed.keys()):
        yield f"{ref} works at the gateway, and is over here"


def _flying(world: World) -> dict[str, str]:
    """The child in flight of each order that is worked, empty where it has none."""
    assert world.line is not None
    works = world.line.standing.basket.works
    return {
        one.parent.order.cl_ord_id: "" if one.child is None else one.child.order.cl_ord_id
        for one in works
    }


EXPLAINED = {Code.RECON_FOREIGN_ORDER, Code.RECON_FOREIGN_POSITION}


def _differences(world: World) -> Iterator[str]:
    """What the last comparison found has to be other people's."""
    assert world.line is not None
    account, mine = world.host.accounts[ACCOUNT], held_by_us(world.host)
    others = Counter({p.contract.symbol: p.shares for p in account.held()})
    others.subtract(mine)
    for one in world.line.standing.differences:
        is_theirs = one.code in EXPLAINED or (
            one.code in (Code.RECON_POSITION_DIFFERS, Code.RECON_SPLIT_RATIO)
            and others[one.symbol] == one.held - one.expected != 0
        )
        if not is_theirs:
            yield f"{one} is nobody else's"
    named = {one.symbol for one in world.line.standing.differences}
    for symbol, qty in others.items():
        if qty and symbol not in named:
            yield f"{qty} shares of {symbol} are others', and nobody says so"


def _journal(world: World) -> Iterator[str]:
    """The state is the journal's fold, and every cycle of it is decided again the same way."""
    recovered = recover(world.path, world.wall().date())
    if recovered is None or encoded(recovered.state) != encoded(world.state):
        yield "the journal folds to another state"
    for difference in replay(world.path).differences:
        yield f"a replay differs: {difference}"


def encoded(state: State) -> bytes:
    kept: dict[bytes, bytes] = {}
    body = Encoder(kept.__setitem__).encode(state)
    return body + b"".join(kept[key] for key in sorted(kept))

"""Closing by hand: never turned, never twice, whatever works, breaks or dies meanwhile."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.backtest.tca.journal import read_trades
from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.cli import main
from deadband.core.broker import BrokerSnapshot, Instrument, Ok, PriceBand
from deadband.core.events import AccountReport, Halt, OrderState, PositionReport, Quality, Quote
from deadband.core.orders import OrdStatus, Side
from deadband.core.reasons import Code
from deadband.core.session import EXCHANGE_ZONE
from deadband.live.accept import Wish
from deadband.live.closing import Leg, Reach, legs, orders_of
from deadband.live.flatten import Flatten, Outcome, open_alone
from deadband.live.line import Line, Patience
from deadband.twsim.contracts import listed
from deadband.twsim.faults import Fault

from ..kit.ibkr import ACCOUNT
from ..kit.live import Mortal, World
from ..kit.tws import RawClient, fault, gateway, place_order
from .test_live_accept import accepted, by_hand, folded, shares_of
from .test_live_algorithms import QUICK
from .test_live_algorithms import world as worked
from .test_live_crash import RESTING
from .test_live_crash import world as bare_world
from .test_live_reconcile import served

AT_WORK = 4
"""Cycles after which positions are held, and orders of the run rest."""
IN_RUN, ALONE = 12, 15
"""Records of an undisturbed command in a run's journal, and in one of its own."""
Confirm = Callable[[tuple[Leg, ...]], Awaitable[bool]]
PATIENT = Patience(settle_s=0.5)


async def yes(_: tuple[Leg, ...]) -> bool:
    return True


async def no(_: tuple[Leg, ...]) -> bool:
    return False


def world(folder: Path, *faults: Fault) -> World:
    """A run that has ended, with positions and orders at work."""
    of = World(folder / "journal.db", 5, settings=RESTING, begins_min=9.0, faults=faults)
    of.live(lambda journal: of.trade(journal, AT_WORK))
    assert held(of) and of.host.desk.working()
    return of


def held(of: World) -> dict[str, int]:
    account = of.host.accounts[ACCOUNT]
    return {position.contract.symbol: position.shares for position in account.held()}


def traded(of: World, since: int) -> dict[str, int]:
    """Signed shares that orders placed since then have filled, by symbol."""
    moved: dict[str, int] = {}
    for order in of.host.desk.orders[since:]:
        symbol = order.contract.symbol
        moved[symbol] = moved.get(symbol, 0) + order.ticket.side * order.filled
    return moved


async def closed(
    line: Line,
    names: tuple[str, ...],
    confirm: Confirm = yes,
    collar_bps: float = 30.0,
    stop: asyncio.Event | None = None,
    fill_s: float = 60.0,
) -> Outcome:
    assert isinstance(line.broker, IbkrBroker)
    work = Flatten(line, line.broker.quotes, names, "db", Reach(collar_bps), fill_s=fill_s)
    if stop is not None:
        work.stop = stop
    try:
        return await work.over(confirm)
    finally:
        await line.broker.close()


def in_run(
    of: World, *names: str, at: int = 0, is_after: bool = False, **given: Any
) -> tuple[Mortal, list[Outcome]]:
    """A process that closes names in the journal of the run, and may die at a record."""
    outcomes: list[Outcome] = []

    async def work(journal: Mortal) -> None:
        line = await of.begun(journal)
        symbols = names or of.state.universe.symbols
        outcomes.append(await closed(line, symbols, **given))

    return of.live(work, at, is_after=is_after), outcomes


def alone(
    of: World,
    *names: str,
    path: str = "alone.db",
    at: int = 0,
    is_after: bool = False,
    **given: Any,
) -> tuple[World, list[Outcome], Mortal]:
    """A process that closes names in a journal of its own."""
    second = World(of.path.with_name(path), 5, settings=RESTING)
    second.host = of.host
    outcomes: list[Outcome] = []

    async def work(journal: Mortal) -> None:
        line = await open_alone(journal, RESTING, second._counter, second.wall, PATIENT)
        second.line = line
        chosen = names or line.standing.state.universe.symbols
        outcomes.append(await closed(line, chosen, **given))

    mortal = second.live(work, at, is_after=is_after)
    return second, outcomes, mortal


@pytest.mark.parametrize("at", [0, 5])
def test_a_run_whose_orders_were_worked_is_flat_and_goes_on(tmp_path: Path, at: int) -> None:
    """Also where the process dies in between; the children that it had are called off."""
    of = worked(tmp_path, "twap", tactics=replace(QUICK, horizon_min=8.0))
    life = of.live(lambda journal: of.trade(journal, 20), 130, is_after=True)
    assert life.died.is_set()
    assert held(of) and of.host.desk.working()
    outcomes = in_run(of, at=at, is_after=True)[1] or in_run(of)[1]
    assert [(one.is_flat, one.faults) for one in outcomes] == [(True, ())]
    assert (held(of), of.state.working) == ({}, ())
    of.check()
    of.live(lambda journal: of.trade(journal, 30))
    of.check()
    assert held(of)
    assert replay(of.path).differences == ()


def test_a_run_is_flat_in_its_own_journal_and_goes_on_from_there(tmp_path: Path) -> None:
    of = world(tmp_path)
    before, since = held(of), len(of.host.desk.orders)
    _, [outcome] = in_run(of)
    assert outcome.is_flat and outcome.faults == ()
    assert held(of) == {}
    assert traded(of, since) == {symbol: -qty for symbol, qty in before.items()}
    assert not of.host.desk.working()
    of.check()
    # The run resumes on the flat book, and decides what it likes.
    of.live(lambda journal: of.trade(journal, AT_WORK + 12))
    of.check()
    assert of.line is not None
    assert of.line.standing.differences == ()
    assert len(of.records) > AT_WORK + 2
    assert replay(of.path).differences == ()
    assert read_ledger(of.path).cycles_off_by_a_cent == 0
    assert read_trades(of.path).trades


def test_an_undisturbed_command_has_as_many_records_as_are_tried(tmp_path: Path) -> None:
    assert in_run(world(tmp_path / "run"))[0].count == IN_RUN
    assert alone(world(tmp_path / "alone"), collar_bps=-3.0)[2].count == ALONE


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, IN_RUN + 1))
def test_killed_at_any_record_and_asked_again_it_closes_once(
    tmp_path: Path, at: int, is_after: bool
) -> None:
    of = world(tmp_path)
    before, since = held(of), len(of.host.desk.orders)
    in_run(of, at=at, is_after=is_after)
    assert all(0 <= qty <= before[symbol] for symbol, qty in held(of).items())
    _, [outcome] = in_run(of)
    assert outcome.is_flat
    assert held(of) == {}
    assert traded(of, since) == {symbol: -qty for symbol, qty in before.items()}
    of.check()
    assert replay(of.path).differences == ()


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, ALONE + 1))
def test_alone_killed_and_asked_again_in_another_journal(
    tmp_path: Path, at: int, is_after: bool
) -> None:
    of = world(tmp_path)
    before, since = held(of), len(of.host.desk.orders)
    alone(of, path="one.db", at=at, is_after=is_after, collar_bps=-3.0)
    _, [outcome], _ = alone(of, path="two.db")
    assert outcome.is_flat
    assert traded(of, since) == {symbol: -qty for symbol, qty in before.items()}
    assert not of.host.desk.working()
    # What the run then makes of it: its book differs, and nothing is traded over that.
    of.live(lambda journal: of.trade(journal, AT_WORK + 2))
    assert held(of).keys().isdisjoint(before)


def test_alone_it_closes_what_no_run_knows_long_and_short(tmp_path: Path) -> None:
    of = bare_world(tmp_path)
    names = of.market.tape.universe.symbols
    by_hand(of, names[0], 120)
    by_hand(of, names[1], -80)
    second, [outcome], _ = alone(of)
    assert [(leg.side, leg.qty) for leg in sorted(outcome.legs, key=lambda leg: -leg.held)] == [
        (Side.SELL, 120),
        (Side.BUY, 80),
    ]
    assert outcome.is_flat and held(of) == {}
    sent = [intent.order for intent in second.intents()]
    assert {order.reason for order in sent} == {Code.HAND_FLATTEN.value}
    second.check()


def test_what_was_declined_or_is_not_named_stays(tmp_path: Path) -> None:
    of = world(tmp_path)
    before, working = held(of), len(of.host.desk.working())
    _, [outcome] = in_run(of, confirm=no)
    assert outcome.is_declined and not outcome.is_flat
    assert (held(of), len(of.host.desk.working())) == (before, working)
    name = next(iter(before))
    _, [outcome] = in_run(of, name)
    assert outcome.is_flat
    assert held(of) == {symbol: qty for symbol, qty in before.items() if symbol != name}


def test_orders_of_others_are_left_and_their_shares_kept_back(tmp_path: Path) -> None:
    of = bare_world(tmp_path)
    name = of.market.tape.universe.symbols[0]
    by_hand(of, name, 120)

    async def other(_: tuple[Leg, ...]) -> bool:
        # Typed by hand while the operator reads: a sale far above the market.
        client = RawClient(of.host, 9)
        fields = {"action": "SELL", "lmtPrice": 9999, "totalQuantity": 50, "orderRef": "x"}
        client.send(*place_order(1, symbol=name, **fields))
        await asyncio.sleep(1)
        return True

    _, [outcome], _ = alone(of, confirm=other)
    assert held(of) == outcome.left == {name: 50}
    [leg] = outcome.legs
    assert (leg.qty, leg.working, leg.note) == (70, 50, "50 shares work already")
    assert [o.ticket.text("orderRef") for o in of.host.desk.working()] == ["x"]


def test_a_halted_name_is_said_and_the_others_are_closed(tmp_path: Path) -> None:
    halt = fault("halt", at="09:39:30", symbol="AAPL", seconds=7200.0)
    of = World(tmp_path / "journal.db", 5, begins_min=9.0, faults=(halt,))
    by_hand(of, "AAPL", 40)
    by_hand(of, "SPY", 30)
    of.host.timeline.run_for(60.0)
    _, [outcome], _ = alone(of)
    assert outcome.left == {"AAPL": 40} == held(of)
    notes = {leg.symbol: leg.note for leg in outcome.legs}
    assert "halted" in notes["AAPL"] and notes["SPY"] == ""


def test_without_live_quotes_nothing_is_sent(tmp_path: Path) -> None:
    of = World(tmp_path / "journal.db", 5, begins_min=9.0, faults=(fault("no_live_data", times=0),))
    name = of.market.tape.universe.symbols[0]
    by_hand(of, name, 40)
    _, [outcome], _ = alone(of)
    assert outcome.left == {name: 40}
    assert "no live quote" in outcome.legs[0].note
    assert of.host.desk.orders == []


def test_what_does_not_fill_in_time_is_canceled_and_told(tmp_path: Path) -> None:
    of = bare_world(tmp_path)
    name = of.market.tape.universe.symbols[0]
    by_hand(of, name, 40)
    second, [outcome], _ = alone(of, collar_bps=-100.0, fill_s=5.0)
    assert outcome.left == {name: 40}
    assert outcome.faults == ()
    assert not of.host.desk.working()
    assert len(of.host.desk.orders) == 1
    second.check()


def test_a_book_of_more_names_than_data_lines_is_closed_in_batches(tmp_path: Path) -> None:
    names = tuple(f"N{k:03d}" for k in range(130))
    of = World(tmp_path / "journal.db", 5)
    of.host = gateway(contracts=listed(names), step_s=1.0)
    for name in names:
        by_hand(of, name, 10)
    second, [outcome], _ = alone(of)
    assert outcome.is_flat and outcome.faults == ()
    assert held(of) == {}
    assert len(of.host.desk.orders) == len(names)
    second.check()


def test_an_account_that_never_rests_is_closed_all_the_same(tmp_path: Path) -> None:
    of = bare_world(tmp_path)
    by_hand(of, "AAPL", 40)

    async def busy(_: tuple[Leg, ...]) -> bool:
        # Another program buys a share of another name, again and again.
        client, loop = RawClient(of.host, 9), asyncio.get_running_loop()
        for k in range(1, 400):
            fields = {"symbol": "SPY", "totalQuantity": 1, "lmtPrice": 9999, "orderRef": "x"}
            loop.call_later(
                0.1 * k, lambda k=k, fields=fields: client.send(*place_order(k, **fields))
            )
        return True

    _, [outcome], _ = alone(of, "AAPL", confirm=busy)
    assert outcome.is_flat and outcome.faults == ()
    assert set(held(of)) == {"SPY"}


@pytest.mark.parametrize(("nth", "sent"), [(7, 0), (12, 1)])
def test_books_that_are_not_told_any_more_leave_nothing_at_work(
    tmp_path: Path, nth: int, sent: int
) -> None:
    silent = fault("no_answer", message="reqPositions", nth=nth, times=0)
    of = World(tmp_path / "journal.db", 5, begins_min=9.0, faults=(silent,))
    by_hand(of, "AAPL", 40)
    _, [outcome], _ = alone(of, collar_bps=-100.0, fill_s=20.0)
    assert outcome.left is None and not outcome.is_flat
    assert "ask again" in outcome.faults[0]
    assert not of.host.desk.working()
    assert len(of.host.desk.orders) == sent


def test_an_order_that_is_refused_or_lost_is_told_with_its_reason(tmp_path: Path) -> None:
    refused, lost = fault("order_rejected", symbol="AAPL"), fault("order_lost", symbol="SPY")
    of = World(tmp_path / "journal.db", 5, begins_min=9.0, faults=(refused, lost))
    by_hand(of, "AAPL", 40)
    by_hand(of, "SPY", 30)
    _, [outcome], _ = alone(of)
    assert outcome.left == {"AAPL": 40, "SPY": 30}
    told = " ".join(outcome.faults)
    assert "AAPL: order" in told and "REJECTED: Order rejected" in told
    assert "SPY: order" in told and "UNKNOWN" in told


def test_a_stop_cancels_what_works_and_ends(tmp_path: Path) -> None:
    of = bare_world(tmp_path)
    name = of.market.tape.universe.symbols[0]
    by_hand(of, name, 40)
    began = of.host.timeline.now
    stop = asyncio.Event()

    async def then_stop(_: tuple[Leg, ...]) -> bool:
        asyncio.get_running_loop().call_later(20.0, stop.set)
        return True

    second, [outcome], _ = alone(of, confirm=then_stop, collar_bps=-100.0, stop=stop, fill_s=600.0)
    assert outcome.left == {name: 40}
    assert not of.host.desk.working()
    assert (of.host.timeline.now - began).total_seconds() < 60.0
    second.check()


def test_over_a_lost_line_it_connects_again_and_leaves_nothing_at_work(tmp_path: Path) -> None:
    of = World(
        tmp_path / "journal.db",
        5,
        begins_min=9.0,
        faults=(fault("drop_socket", at="09:39:06"), fault("restart", at="09:39:12", seconds=5.0)),
    )
    name = of.market.tape.universe.symbols[0]
    by_hand(of, name, 40)
    second, [outcome], _ = alone(of, collar_bps=-100.0)
    assert outcome.left == held(of) == {name: 40}
    assert not of.host.desk.working()
    assert len(of.host.desk.orders) == 1
    second.check()


def test_the_command_asks_closes_and_exits_by_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    of = World(tmp_path / "journal.db", 4, begins_min=9.0)
    of.host = bare_world(tmp_path).host
    listed = {contract.symbol for contract in of.host.listing}
    [other] = listed - set(of.market.tape.universe.symbols)
    of.live(lambda journal: of.trade(journal, 1))
    by_hand(of, "AAPL", 12)
    by_hand(of, other, -7)
    monkeypatch.chdir(tmp_path)

    def said(port: int, *words: str, answer: str = "") -> tuple[object, Any]:
        gateway = ["--account", ACCOUNT, "--port", str(port), "--json"]
        monkeypatch.setattr("sys.argv", ["deadband", "flatten", *gateway, *words])
        monkeypatch.setattr("sys.stdin", StringIO(answer))
        with pytest.raises(SystemExit) as exit_:
            main()
        return exit_.value.code, json.loads(capsys.readouterr().out.splitlines()[-1])

    with served(of.host) as port:
        code, [told] = said(port, "AAPL", answer="n\n")
        assert (code, told["declined"], told["left"]) == (1, True, {"AAPL": 12})
        code, [told] = said(port, "AAPL", "--rehearse", "1", answer="n\n")
        assert (code, told["declined"], told["left"]) == (1, True, {"AAPL": 12})
        # A name of the journal's goes into it, another one into a journal beside it.
        code, told = said(port, "AAPL", other, "--journal", str(of.path), answer="yes\n" * 2)
        assert (code, [one["left"] for one in told]) == (0, [{}, {}])
    assert held(of) == {}
    assert of.kinds()["OPERATOR"] == 1
    assert len(list(tmp_path.glob("flatten-DU1234567-*.db"))) == 3
    # In a rehearsal it is the gateway's day, and so are the names of files.
    today = f"{datetime.now(EXCHANGE_ZONE):%Y%m%d}"
    beside = [path.name.split("-")[2] for path in tmp_path.glob("flatten-DU1234567-*.db")]
    assert (beside.count("20260309"), beside.count(today)) == (1, 2)


def test_ctrl_c_cancels_what_works_and_ends_by_itself(tmp_path: Path) -> None:
    of = bare_world(tmp_path)
    # More than all the books of a minute hold.
    by_hand(of, "AAPL", 5_000_000, 0.1)
    words = ["flatten", "AAPL", "--account", ACCOUNT, "--yes", "--json"]
    with served(of.host) as port:
        command = [sys.executable, "-m", "deadband", *words, "--port", str(port)]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(200):
                if of.host.desk.working():
                    break
                time.sleep(0.05)
            assert of.host.desk.working()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    [told] = json.loads(out.splitlines()[-1])
    assert told["left"]["AAPL"] == held(of)["AAPL"] > 4_000_000
    assert told["faults"] == []
    assert not of.host.desk.working()


def test_where_the_book_differs_the_brokers_shares_are_closed_and_the_difference_stays(
    tmp_path: Path,
) -> None:
    of = world(tmp_path)
    name = next(iter(held(of)))
    by_hand(of, name, 7)
    _, [outcome] = in_run(of, name)
    assert outcome.is_flat and name not in held(of)
    assert shares_of(folded(of), name) == -7
    _, [offered] = accepted(of, Wish((name,), cash=-700.0, why="the seven were bought by hand"))
    assert offered is not None
    assert shares_of(folded(of), name) == 0
    assert replay(of.path).differences == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--account", "DU1234567"], "nothing is named"),
        (["--account", "DU1234567", "AAPL", "--all"], "contradict each other"),
        (["--account", "U7654321", "--port", "4001", "--all"], "live trading of U7654321"),
        (["--account", "DU1234567", "--journal", "none.db"], "there is no journal"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["deadband", "flatten", *words])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())


# --- the legs themselves


class Names:
    """Instruments with a step of a cent, and quotes, for every name."""

    def __init__(self, quote: Quote) -> None:
        self._quote = quote

    def instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol, 1, "N", "USD", (PriceBand(0.0, 0.01),), ())

    async def resolve(self, symbols: Any) -> dict[str, Any]:
        raise NotImplementedError

    def quote(self, symbol: str) -> Quote:
        return self._quote

    def quality(self, symbol: str) -> Quality:
        return self._quote.quality

    def subscribe(self, symbols: Any) -> None: ...

    def unsubscribe(self, symbols: Any) -> None: ...


def quoted(bid: float = 99.95, ask: float = 100.05, last: float = 100.0, **other: Any) -> Names:
    given: dict[str, Any] = {"quality": Quality.LIVE} | other
    return Names(Quote("A", bid, ask, last, 100, 100, 0, 1, **given))


def shot(held: int, *works: tuple[Side, int, int]) -> BrokerSnapshot:
    """A position, and orders by side, size and what is filled."""
    states = tuple(
        OrderState("", "A", side, qty, 1.0, OrdStatus.NEW, filled, qty - filled, 0.0, (k,))
        for k, (side, qty, filled) in enumerate(works)
    )
    account = AccountReport(ACCOUNT, "USD", 1e5, 1e5, 1e5, 2e5, 1e5, 1e5, 0.0, 0.0, -1, True)
    positions = (PositionReport(ACCOUNT, "A", held, 50.0),)
    return BrokerSnapshot(Ok((), 0), Ok(states, 0), Ok(positions, 0), Ok(account, 0))


@given(
    held=st.integers(-1000, 1000),
    works=st.lists(
        st.tuples(st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 600), st.just(0)),
        max_size=4,
    ),
)
def test_whatever_fills_of_all_that_works_no_position_is_turned(
    held: int, works: list[tuple[Side, int, int]]
) -> None:
    names = quoted()
    found = legs(shot(held, *works), ("A", "B"), names, names, Reach())
    assert len(found) == (1 if held else 0)
    for order in orders_of(found, "20260309.100000h", "db", 0):
        assert order.side.sign * held < 0
        against = sum(qty for side, qty, _ in works if side.sign * held < 0)
        assert order.order_qty + against <= abs(held)
        assert len(order.cl_ord_id) <= 30


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (quoted(quality=Quality.DELAYED), "no live quote"),
        (quoted(quality=Quality.NONE), "no live quote"),
        (quoted(halt=Halt.REGULATORY), "halted"),
        (quoted(bid=float("nan")), "no two-sided quote"),
        (quoted(bid=101.0), "no two-sided quote"),
        (quoted(last=150.0), "from the last price"),
    ],
)
def test_on_a_quote_that_cannot_be_trusted_nothing_is_sent(names: Names, note: str) -> None:
    [leg] = legs(shot(10), ("A",), names, names, Reach())
    assert note in leg.note
    assert orders_of([leg], "d", "db", 0) == ()


def test_prices_are_on_a_step_inside_the_collar() -> None:
    names = quoted(bid=33.33, ask=33.37, last=33.35)
    [leg] = legs(shot(10), ("A",), names, names, Reach(30.0))
    assert leg.price == pytest.approx(33.24)
    assert leg.price >= 33.33 * 0.997
    [leg] = legs(shot(-10), ("A",), names, names, Reach(30.0))
    assert leg.price == pytest.approx(33.47)
    assert leg.price <= 33.37 * 1.003

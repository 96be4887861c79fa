"""What the operator accepts is in the book once, whatever dies around it, and replays."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband import cycle
from deadband.backtest.explain import explain
from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.cli import main
from deadband.core.broker import BrokerSnapshot, Ok
from deadband.core.errors import BrokerError, DataError, JournalLocked
from deadband.core.events import AccountReport, Adjustment, PositionReport
from deadband.core.orders import Book, OrdStatus
from deadband.core.reasons import Code
from deadband.core.types import CycleRecord, State
from deadband.core.units import micros, usd
from deadband.journal.store import JournalReader
from deadband.live.accept import Nature, Offer, Wish, accept, offer
from deadband.live.recover import recover

from .. import kit
from ..kit.ibkr import ACCOUNT
from ..kit.live import Mortal, World
from .test_live_algorithms import SLOW
from .test_live_algorithms import world as worked
from .test_live_crash import lived, world
from .test_live_reconcile import served

RECORDS = 5
"""Of one undisturbed acceptance."""
AT_WORK = 3
"""Cycles after which an order of the run rests."""


async def yes(_: Offer) -> bool:
    return True


async def no(_: Offer) -> bool:
    return False


def accepted(
    of: World,
    wish: Wish,
    at: int = 0,
    *,
    is_after: bool = False,
    confirm: Callable[[Offer], Awaitable[bool]] = yes,
) -> tuple[Mortal, list[Offer | None]]:
    """A process that accepts, and may die at a record."""
    offers: list[Offer | None] = []

    async def work(journal: Mortal) -> None:
        line = await of.begun(journal)
        try:
            offers.append(await accept(line, of.path, wish, confirm))
        finally:
            await line.broker.close()

    return of.live(work, at, is_after=is_after), offers


def by_hand(of: World, symbol: str, shares: int, price: float = 100.0) -> None:
    contract = of.host.listing.find({"symbol": symbol})
    assert contract is not None
    of.host.accounts[ACCOUNT].fill(contract, shares, price, 0)


def folded(of: World) -> State:
    recovered = recover(of.path, of.wall().date())
    assert recovered is not None
    return recovered.state


def shares_of(state: State, symbol: str) -> int:
    return int(state.book.shares[state.universe.index[symbol]])


def test_a_position_that_differs_is_taken_over_and_trades_again(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    before = folded(of)
    by_hand(of, "SPY", 7)
    died, [offered] = accepted(of, Wish(("SPY",), cash=-700.0, why="bought by hand"))
    assert offered is not None
    [word] = offered.words
    assert died.count == RECORDS
    assert (word.symbol, word.shares - word.expected) == ("SPY", 7)
    assert word.text == "RECON_ACCEPTED: transfer. bought by hand"
    assert of.line is not None
    assert of.line.standing.differences == ()
    after = folded(of)
    assert shares_of(after, "SPY") == shares_of(before, "SPY") + 7
    assert after.book.cash_micro == before.book.cash_micro - micros(700.0)
    of.check()
    # The next start finds nothing, and decides on from there.
    of.live(lambda journal: of.trade(journal, 12))
    assert of.line.standing.differences == ()
    of.check()
    assert replay(of.path).differences == ()
    assert read_ledger(of.path).cycles_off_by_a_cent == 0


def test_given_again_it_finds_nothing_and_writes_nothing(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    by_hand(of, "SPY", -3)
    accepted(of, Wish(("SPY",)))
    before = of.kinds()["OPERATOR"]
    _, [offered] = accepted(of, Wish(("SPY",)))
    assert offered == Offer((), ())
    assert of.kinds()["OPERATOR"] == before == 1


def test_what_was_declined_is_not_written(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    by_hand(of, "SPY", 7)
    _, offers = accepted(of, Wish(("SPY",)), confirm=no)
    assert offers == [None]
    assert of.kinds()["OPERATOR"] == 0
    assert of.line is not None
    assert [d.symbol for d in of.line.standing.differences] == ["SPY"]


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, RECORDS + 1))
def test_killed_at_any_record_the_word_is_there_once_or_not_at_all(
    tmp_path: Path, at: int, is_after: bool
) -> None:
    of = world(tmp_path)
    lived(of)
    before = shares_of(folded(of), "SPY")
    by_hand(of, "SPY", 7, 50.0)
    wish = Wish(("SPY",), cash=-350.0, why="by hand")
    died, _ = accepted(of, wish, at, is_after=is_after)
    assert died.died.is_set()
    assert shares_of(folded(of), "SPY") in (before, before + 7)
    if shares_of(folded(of), "SPY") == before:
        accepted(of, wish)
    assert shares_of(folded(of), "SPY") == before + 7
    of.live(lambda journal: of.trade(journal, 12))
    of.check()
    assert of.kinds()["OPERATOR"] == 1
    assert replay(of.path).differences == ()


def test_a_deposit_is_no_profit_and_a_dividend_is(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    before = folded(of)
    accepted(of, Wish(cash=50_000.0, nature=Nature.TRANSFER, why="wire of March 9"))
    after = folded(of)
    assert after.book.cash_micro - before.book.cash_micro == micros(50_000.0)
    assert (after.start_nav, after.peak_nav) == (
        pytest.approx(before.start_nav + 50_000.0),
        pytest.approx(before.peak_nav + 50_000.0),
    )
    accepted(of, Wish(cash=120.5, nature=Nature.INCOME, why="dividend of AAPL"))
    assert folded(of).start_nav == after.start_nav
    assert usd(folded(of).book.cash_micro - after.book.cash_micro) == 120.5
    with pytest.raises(DataError, match="already"):
        accepted(of, Wish(cash=120.5, nature=Nature.INCOME, why="dividend of AAPL"))
    of.live(lambda journal: of.trade(journal, 12))
    assert replay(of.path).differences == ()
    ledger = read_ledger(of.path)
    assert ledger.cycles_off_by_a_cent == 0
    assert ledger.flows == 50_000.0
    summary = ledger.summary()
    assert summary["pnl"] == pytest.approx(summary["nav_end"] - summary["nav_start"] - 50_000.0)


def test_an_order_of_unknown_fate_ends_with_the_acceptance(tmp_path: Path) -> None:
    of = world(tmp_path)
    of.live(lambda journal: of.trade(journal, AT_WORK))
    # At work, acknowledged, and from now on in no list of the gateway's.
    gone = of.host.desk.working()
    of.host.desk._live.clear()
    for one in gone:
        of.host.desk.orders.remove(one)
    refs = {one.ticket.text("orderRef") for one in gone}
    symbols = tuple(dict.fromkeys(one.contract.symbol for one in gone))
    accepted(of, Wish(("SPY",)), confirm=no)
    assert of.line is not None
    assert {o.status for o in of.state.working} == {OrdStatus.UNKNOWN}
    _, [offered] = accepted(of, Wish(symbols, why="asked the desk"))
    assert offered is not None
    assert {o.order.cl_ord_id for o in offered.lost} == refs
    assert offered.words == ()
    of.live(lambda journal: of.trade(journal, 12))
    assert of.line.standing.differences == ()
    assert not [o for o in of.state.working if o.status is OrdStatus.UNKNOWN]
    again = {o.symbol for r in of.records[AT_WORK:] for o in r.plan.orders}
    assert again & set(symbols)
    assert replay(of.path).differences == ()


def test_what_is_lost_of_an_order_that_is_worked_ends_with_the_acceptance(tmp_path: Path) -> None:
    of = worked(tmp_path, tactics=SLOW)

    async def until_it_rests(journal: Mortal) -> None:
        def also(record: CycleRecord) -> None:
            if record.plan.orders:
                # Dies: a clean stop would take them back.
                asyncio.get_running_loop().call_later(20.0, journal.life.died.set)

        await of.trade(journal, 14, also=also)

    of.live(until_it_rests)
    # Their children are in no list of the gateway's from now on.
    gone = of.host.desk.working()
    of.host.desk._live.clear()
    for one in gone:
        of.host.desk.orders.remove(one)
    symbols = tuple(dict.fromkeys(one.contract.symbol for one in gone))
    accepted(of, Wish(("SPY",)), confirm=no)
    lost = {o.order.cl_ord_id for o in of.state.working}
    assert lost
    assert {o.status for o in of.state.working} == {OrdStatus.UNKNOWN}
    _, [offered] = accepted(of, Wish(symbols, why="asked the desk"))
    assert offered is not None
    assert {o.order.cl_ord_id for o in offered.lost} == lost
    # The broker's side of the next start knows it too: the names are free on the same day.
    before = len(of.records)
    of.live(lambda journal: of.trade(journal, 14))
    assert of.line is not None
    assert of.line.standing.differences == ()
    again = {o.symbol for r in of.records[before:] for o in r.plan.orders}
    assert again & set(symbols)
    assert not [one for one in read_ledger(of.path).rejected if "FROZEN" in one]
    assert replay(of.path).differences == ()


def test_a_run_that_is_alive_is_not_spoken_for(tmp_path: Path) -> None:
    of = world(tmp_path)

    async def work(journal: Mortal) -> None:
        with pytest.raises(JournalLocked):
            accepted(of, Wish(("SPY",)))

    of.live(work)


# --- the word itself

NAMES = kit.universe(3)


def book(*shares: int, cash: float = 100_000.0) -> State:
    state = kit.state(NAMES)
    held = Book(
        np.array(shares),
        micros(cash),
        np.array([50.0 if qty else 0.0 for qty in shares]),
        np.array([5 if qty else -1 for qty in shares]),
    )
    return replace(state, book=held, start_nav=9e4, peak_nav=1.2e5, last_nav=1e5)


def told(**held: int) -> BrokerSnapshot:
    positions = tuple(PositionReport(ACCOUNT, s, qty, 40.0) for s, qty in sorted(held.items()))
    account = AccountReport(ACCOUNT, "USD", 1e5, 1e5, 1e5, 2e5, 1e5, 1e5, 0.0, 0.0, -1, True)
    return BrokerSnapshot(Ok((), 0), Ok((), 0), Ok(positions, 0), Ok(account, 0))


MARKS = dict.fromkeys(NAMES.symbols, 45.0)


def offered(state: State, shot: BrokerSnapshot, **wish: Any) -> tuple[Adjustment, ...]:
    return offer(state, shot, MARKS, Wish(("S0000",), **wish), 7).words


def test_a_split_moves_the_entry_price_against_the_shares_and_no_nav() -> None:
    [word] = offered(book(100, 0, 0), told(S0000=400), nature=Nature.SPLIT)
    assert (word.shares, word.entry_price, word.flow_micro) == (400, 12.5, 0)
    state = cycle.apply(book(100, 0, 0), word)
    assert (state.last_nav, state.book.entry_at[0]) == (1e5, 5)


@pytest.mark.parametrize(
    ("shares", "held", "entry"),
    [(0, 70, 40.0), (100, 70, 50.0), (100, 170, 40.0), (100, -30, 40.0), (100, 0, 0.0)],
)
def test_what_a_share_cost_is_the_brokers_word_unless_the_position_shrank(
    shares: int, held: int, entry: float
) -> None:
    shot = told(S0000=held) if held else told()
    [word] = offered(book(shares, 0, 0), shot, nature=Nature.TRANSFER)
    assert word.entry_price == entry
    assert word.flow_micro == micros((held - shares) * 45.0)
    state = cycle.apply(book(shares, 0, 0), word)
    assert state.book.shares[0] == held
    assert state.book.entry_at[0] == (-1 if not held else 5 if shares * held > 0 else 7)
    with pytest.raises(BrokerError, match="the book holds"):
        cycle.apply(state, word)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(("S0000",), held=9), "the broker holds 10 S0000 now, and 9 was seen"),
        (Wish(("S0000", "S0001"), held=9), "belong to one symbol"),
        (Wish(("NONE",)), "not in the journal's universe"),
        (Wish(("S0001",), cash=5.0), "holds what the broker holds"),
        (Wish(("S0002",)), "a ratio as of a split"),
        (Wish(), "nothing is named"),
        (Wish(cash=5.0), "nothing is named"),
        (Wish(cash=5.0, nature=Nature.INCOME), "nothing is named"),
        (Wish(cash=float("nan"), nature=Nature.INCOME, why="x"), "cannot be"),
        (Wish(("S0000",), entry_price=0.0), "an entry price of 0"),
        (Wish(cash=-2e5, nature=Nature.TRANSFER, why="x"), "would be worth"),
    ],
)
def test_what_cannot_be_granted_is_refused_with_the_cure(wish: Wish, said: str) -> None:
    with pytest.raises(DataError, match=said):
        offer(book(0, 0, 50), told(S0000=10, S0002=100), MARKS, wish, 7)


@given(
    before=st.integers(-500, 500),
    held=st.integers(-500, 500),
    cash=st.integers(-10_000, 10_000),
)
def test_after_the_word_the_book_is_the_brokers_and_losses_are_measured_as_before(
    before: int, held: int, cash: int
) -> None:
    state = book(before, 3, 0)
    shot = told(**{"S0000": held, "S0001": 3} if held else {"S0001": 3})
    if before == held:
        return
    [word] = offered(state, shot, nature=Nature.TRANSFER, cash=float(cash))
    after = cycle.apply(state, word)
    assert after.book.shares.tolist() == [held, 3, 0]
    assert after.book.cash_micro == state.book.cash_micro + micros(float(cash))
    flow = (held - before) * 45.0 + cash
    assert after.start_nav - state.start_nav == pytest.approx(flow)
    # NAV at the marks moved by just that, so the day's profit is what it was.
    nav = usd(after.book.cash_micro - state.book.cash_micro) + 45.0 * (held - before)
    assert nav == pytest.approx(flow)
    assert cycle.apply(state, word).book.entry_price[0] == word.entry_price


def test_the_words_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    accepted(of, Wish(cash=1.5, nature=Nature.INCOME, why="interest"))
    with JournalReader(of.path) as journal:
        [words] = [journal.value(e.tree) for e in journal.entries() if e.kind == "OPERATOR"]
    [word] = words
    assert isinstance(word, Adjustment)
    assert (word.symbol, word.cash_micro, word.flow_micro) == ("", 1_500_000, 0)
    assert word.text.startswith(f"{Code.RECON_ACCEPTED}: income")


# --- the command


def said(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: str, answer: str = ""
) -> tuple[object, str, str]:
    monkeypatch.setattr("sys.argv", ["deadband", *words])
    monkeypatch.setattr("sys.stdin", StringIO(answer))
    with pytest.raises(SystemExit) as exit_:
        main()
    told = capsys.readouterr()
    return exit_.value.code, told.out, " ".join(told.err.split())


def test_the_command_takes_the_position_over_that_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    of = world(tmp_path)
    lived(of)
    before = shares_of(folded(of), "SPY")
    by_hand(of, "SPY", 7)
    words = ["accept", str(of.path), "SPY", "--account", ACCOUNT, "--held", str(before + 7)]
    with served(of.host) as port:
        more = ["--port", str(port), "--as", "transfer", "--yes", "--json"]
        # By this machine's clock it is another day than the gateway's.
        code, out, err = said(monkeypatch, capsys, *words, *more)
        assert (code, out, of.kinds().get("OPERATOR", 0)) == (2, "", 0)
        assert "nothing was written: our clock is" in err and "--rehearse SPEED" in err
        monkeypatch.setattr("deadband.cli.account.utc_now", lambda: of.host.timeline.now)
        code, out, err = said(monkeypatch, capsys, *words, *more)
    told = json.loads(out)
    assert (code, told["left"]) == (0, [])
    assert [(one["symbol"], one["shares"]) for one in told["written"]] == [("SPY", before + 7)]
    assert f"SPY {before} → {before + 7} shares" in err
    assert of.kinds()["OPERATOR"] == 1
    explained = explain(of.path, "SPY")
    assert "Afterwards the operator decided of it." in explained.sentence
    assert f"{before} → {before + 7} shares" in dict(explained.facts)["by hand"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["SPY", "--yes"], "--held has to say"),
        (["SPY", "--as", "gift"], "--as gift is none of transfer, income, split"),
        (["SPY"], "there is no journal"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    words: list[str],
    found: str,
) -> None:
    path = str(tmp_path / "none.db")
    code, _, err = said(monkeypatch, capsys, "accept", path, "--account", ACCOUNT, *words)
    assert code == 2
    assert found in err

"""A comparison tells what a start would find, and leaves journal and broker as they are."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.cli import main
from deadband.core.broker import Memory, WriteAhead
from deadband.core.events import Difference
from deadband.core.reasons import Code
from deadband.core.units import epoch_ns
from deadband.journal.store import JournalWriter
from deadband.live.begin import Counter, OpenCounter
from deadband.live.look import Look, look
from deadband.live.recover import Recovered, recover
from deadband.twsim.gateway import Gateway
from deadband.twsim.server import Server

from ..kit import virtual
from ..kit.ibkr import ACCOUNT
from ..kit.live import World
from .test_live_crash import lived, place_of, world


def looked(of: World) -> Look:
    """What another client sees of this world and its journal."""
    found: list[Look] = []

    def open_counter(write_ahead: WriteAhead, memory: Memory) -> Counter:
        settings = IbkrSettings(ACCOUNT, client_id=12, settle_s=0.1)
        clock = LoopClock(lambda: epoch_ns(of.wall()))
        broker = IbkrBroker(settings, clock, write_ahead, memory)
        return Counter(broker, broker.contracts)

    async def work() -> None:
        recovered = recover(of.path, of.wall().date())
        assert recovered is not None
        found.append(await look(recovered, open_counter, of.wall))

    virtual.run(of.host, work)
    return found[0]


def test_after_a_clean_end_nothing_differs(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    found = looked(of)
    assert (found.differences, found.not_intended, found.lost_cancels) == ((), (), ())
    assert found.journal_cash == pytest.approx(found.broker_cash, abs=0.01)


def test_after_a_death_it_tells_what_a_start_would_do_and_changes_nothing(tmp_path: Path) -> None:
    at = place_of(tmp_path / "before", "CYCLE", cancels=False)
    of = world(tmp_path / "after")
    lived(of, at, is_after=True)
    before, orders = of.kinds(), len(of.host.desk.orders)
    found = looked(of)
    assert found.not_intended
    assert found.differences == ()
    assert (of.kinds(), len(of.host.desk.orders)) == (before, orders)


def test_fills_that_the_journal_missed_are_news_and_no_difference(tmp_path: Path) -> None:
    at = place_of(tmp_path / "before", "CYCLE", cancels=False)
    of = world(tmp_path / "after")
    # The intents are the record after; the first report after them is where it ends.
    lived(of, at + 2)
    found = looked(of)
    assert found.news > 0
    assert found.differences == ()


@contextmanager
def served(host: Gateway) -> Iterator[int]:
    """The gateway on a real port, in a thread of its own."""
    port: list[int] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with Server(host, "127.0.0.1", 0) as server:
            port.append(server.port)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield port[0]
    finally:
        done.set()
        thread.join()


def test_the_command_names_every_difference_and_exits_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    of = world(tmp_path)
    lived(of)
    contract = of.host.listing.find({"symbol": "AAPL"})
    assert contract is not None
    of.host.accounts[ACCOUNT].fill(contract, 7, 100.0, 0)
    with served(of.host) as port:
        words = ["reconcile", str(of.path), "--account", ACCOUNT, "--port", str(port), "--json"]
        monkeypatch.setattr("sys.argv", ["deadband", *words])
        with pytest.raises(SystemExit) as exit_:
            main()
    assert exit_.value.code == 1
    out = capsys.readouterr().out
    said = json.loads(out.splitlines()[-1])
    [difference] = said["differences"]
    assert difference["symbol"] == "AAPL"
    assert difference["code"] == Code.RECON_POSITION_DIFFERS
    assert difference["held"] - difference["expected"] == 7
    assert "1 differences" in out
    held = difference["held"]
    assert f"accept {of.path} AAPL --account {ACCOUNT} --held {held}" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--account", "U7654321", "--port", "4001"], "live trading of U7654321 is not confirmed"),
        (["--account", "DU1234567"], "there is no journal"),
    ],
)
def test_a_live_account_is_typed_twice_and_a_journal_has_to_be_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    words: list[str],
    said: str,
) -> None:
    argv = ["deadband", "reconcile", str(tmp_path / "none.db"), *words]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("grows", "code"), [((True, False), 0), ((False,), 1), ((True,) * 5, 1)])
def test_what_a_run_trades_between_the_two_looks_is_no_difference(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    grows: tuple[bool, ...],
    code: int,
) -> None:
    of = world(tmp_path)
    lived(of)
    differs = Difference("AAPL", Code.RECON_POSITION_DIFFERS, 0, 7, 7, "")
    looks = 0

    async def look(_: Recovered, open_counter: OpenCounter, __: object) -> Look:
        """A run that writes while it is looked at, and whose books agree once it does not."""
        nonlocal looks
        open_counter(lambda _: None, Memory())
        if grows[looks]:
            with JournalWriter(of.path, goes_on=True) as writer:
                writer.append("REPORTS", "", of.host.timeline.now.isoformat(), ())
        looks += 1
        found = () if looks == len(grows) and code == 0 else (differs,)
        return Look(found, 0, (), (), (), 1.0, 1.0)

    monkeypatch.setattr("deadband.live.look.look", look)
    monkeypatch.setattr("sys.argv", ["deadband", "reconcile", str(of.path), "--account", ACCOUNT])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert (exit_.value.code, looks) == (code, len(grows))
    assert ("went on writing" in capsys.readouterr().err) == (len(grows) == 5)


@pytest.mark.parametrize(
    "words",
    [("reconcile", "{}"), ("accept", "{}", "SPY"), ("flatten", "--journal", "{}")],
)
def test_a_journal_is_not_compared_with_another_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, words: tuple[str, ...]
) -> None:
    of = world(tmp_path)
    made = of.settings
    of.settings = replace(made, execution=replace(made.execution, account="DU777"))
    lived(of)
    given = [word.format(of.path) for word in words]
    monkeypatch.setattr("sys.argv", ["deadband", *given, "--account", ACCOUNT])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert f"is of account DU777, and {ACCOUNT} is named" in capsys.readouterr().err

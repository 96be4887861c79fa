"""The kill switch: survives, halts when not understood, and re-arms for a typed account only."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deadband.backtest.ledger import read_ledger
from deadband.backtest.start import drive, prepare_simulated
from deadband.core.errors import ConfigError
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.core.types import CycleRecord
from deadband.switch import file as switch_file
from deadband.switch.cancel import cancel_everything
from deadband.switch.file import Command, SwitchFile, open_switch, read, write
from tests.kit import settings
from tests.unit.test_cli import call

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
COMMAND = Command(Switch("REDUCING", ("GLOBAL",), ("A", "B"), 7), "U1", "now", 'a "why" \n of two')


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "deadband.switch"


def test_a_command_is_read_as_it_was_written_and_by_people(place: Path) -> None:
    write(place, COMMAND)
    assert read(place) == COMMAND
    assert 'mode = "REDUCING"' in place.read_text(encoding="utf-8")
    assert [one.name for one in place.parent.iterdir()] == [place.name], "nothing is left beside"


def test_a_file_cut_anywhere_halts(place: Path) -> None:
    write(place, Command(Switch(), "U1"))
    whole = place.read_bytes()
    for length in range(len(whole) - 1):
        place.write_bytes(whole[:length])
        assert read(place).switch.mode == "HALTED", whole[:length]
        assert read(place).switch.fault


BROKEN: dict[str, Callable[[str], str]] = {
    "unknown mode": lambda text: text.replace("ACTIVE", "ACTIV"),
    "small letters": lambda text: text.replace("ACTIVE", "active"),
    "unknown key": lambda text: text + "speed = 2\n",
    "a key twice": lambda text: text + 'mode = "ACTIVE"\n',
    "a number for a list": lambda text: text.replace("flatten = []", "flatten = 3"),
    "numbers in a list": lambda text: text.replace("paused = []", "paused = [1]"),
    "a yes for a number": lambda text: text.replace("cleared = 0", "cleared = true"),
    "not complete": lambda text: text.replace("complete = true", "complete = false"),
    "not TOML": lambda text: "run, run!" + text,
    "empty": lambda _: "",
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_not_understood_halts(how: str, place: Path) -> None:
    write(place, Command(Switch(), "U1"))
    place.write_text(BROKEN[how](place.read_text(encoding="utf-8")), encoding="utf-8")
    assert read(place).switch.mode == "HALTED" and read(place).switch.fault


def test_no_file_no_text_and_no_access_halt(place: Path) -> None:
    asks = SwitchFile(place, "U1")
    assert asks(NOW).mode == "HALTED" and "not there" in asks(NOW).fault
    place.write_bytes(b"\xff\xfe\x00")
    assert asks(NOW).mode == "HALTED"
    place.unlink()
    place.mkdir()
    assert asks(NOW).mode == "HALTED"


def test_a_file_of_another_account_halts(place: Path) -> None:
    write(place, Command(Switch(), "U1"))
    assert SwitchFile(place, "U1")(NOW) == Switch()
    assert SwitchFile(place, "U2")(NOW).mode == "HALTED"


def test_a_run_makes_the_file_and_never_changes_one(place: Path) -> None:
    assert open_switch(place, "U1")(NOW) == Switch()
    write(place, COMMAND)
    assert open_switch(place, "U1")(NOW) == COMMAND.switch
    place.write_text("", encoding="utf-8")
    assert open_switch(place, "U1")(NOW).mode == "HALTED", "a restart is no resume"


def test_power_cut_before_the_rename_leaves_the_old_command(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(place, COMMAND)

    def cut(self: Path, _: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(ConfigError, match="cancel at the broker"):
        write(place, Command(Switch(), "U1"))
    assert read(place) == COMMAND


def test_it_is_on_the_disk_before_it_is_in_its_place(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("flushed"), fsync(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda *p: (done.append("renamed"), replace(*p))[1])
    write(place, COMMAND)
    assert done[:2] == ["flushed", "renamed"]


def commanded(place: Path, *words: object) -> Any:
    return call(*words, "--switch", place)


def test_kill_reduce_resume(place: Path) -> None:
    first = commanded(place, "kill", "--why", "smoke", "--json")
    assert first.code == 0 and first.json["mode"] == "HALTED" and "no run reads it" in first.err
    assert read(place).why == "smoke"
    for refused in (("reduce",), ("reduce", "--account", "U2"), ("resume", "--account", "SI")):
        said = commanded(place, *refused)
        assert said.code == 2 and "Nothing was changed" in said.err
        assert read(place).switch.mode == "HALTED"
    assert commanded(place, "reduce", "--account", "SIM", "--flatten", "GLOBAL").code == 0
    assert read(place).switch == Switch("REDUCING", ("GLOBAL",))
    assert commanded(place, "reduce").code == 0
    assert commanded(place, "kill").code == 0
    assert commanded(place, "resume", "--account", "SIM").code == 0
    assert read(place).switch == Switch()
    assert commanded(place, "resume", "--account", "SIM", "--clear-losses").code == 0
    assert read(place).switch.cleared > 10**9


def test_resume_of_a_broken_file_asks_for_the_configured_account(place: Path) -> None:
    place.write_text("mode = ", encoding="utf-8")
    assert commanded(place, "reduce").code == 2
    assert commanded(place, "resume", "--account", "U1").code == 2
    assert commanded(place, "resume", "--account", "SIM").code == 0
    assert read(place).switch == Switch()


def test_a_broken_configuration_keeps_nobody_from_killing(place: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[gate]\nmode = 3\n", encoding="utf-8")
    assert commanded(place, "kill", "--config", config).code == 0
    assert read(place).switch.mode == "HALTED"
    assert commanded(place, "resume", "--account", "SIM", "--config", config).code == 2


def test_a_kill_does_not_wait_for_another_command_that_hangs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deadband.cli.switch.WAIT_S", 0.01)
    with switch_file.one_at_a_time(place, 1.0):
        assert commanded(place, "kill").code == 0
    assert read(place).switch.mode == "HALTED"


def test_a_run_obeys_within_a_cycle_and_survives_a_restart(tmp_path: Path) -> None:
    """Killed in the middle by a file that is cut: cancels leave, nothing else does any more."""
    place = tmp_path / "deadband.switch"
    made = settings(switch_file=str(place))
    seen: list[CycleRecord] = []

    def watch(record: CycleRecord) -> None:
        seen.append(record)
        if len(seen) == 40:
            whole = place.read_text(encoding="utf-8")
            place.write_text(whole[: len(whole) // 2], encoding="utf-8")

    drive(prepare_simulated(made, seed=7), tmp_path / "journal.db", watch)
    assert any(record.plan.orders for record in seen[20:40])
    assert not any(record.plan.orders for record in seen[40:])
    assert [note.code for note in seen[40].plan.notes] == [Code.KILL_UNREADABLE]
    assert seen[40].seen.switch.fault
    ledger = read_ledger(tmp_path / "journal.db")
    assert ledger.spoken[Code.KILL_HALTED] == 38 and ledger.complete
    again: list[CycleRecord] = []
    drive(prepare_simulated(made, seed=7), tmp_path / "again.db", again.append)
    assert not any(record.plan.orders for record in again)


class Port:
    """A broker of which only one verb is left."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def cancel_all(self, what: str) -> Any:
        self.asked.append(what)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Accepted:
    is_accepted = True


class Refused:
    is_accepted = False

    def __repr__(self) -> str:
        return "not connected"


def test_everything_is_canceled_whatever_fails_before() -> None:
    port = Port(OSError("link down"), Refused(), Accepted())
    assert cancel_everything(port, "OWN", "AAPL", "ACCOUNT") == (
        "OWN: OSError: link down",
        "AAPL: not connected",
    )
    assert port.asked == ["OWN", "AAPL", "ACCOUNT"]
    assert cancel_everything(Port(Accepted()), "OWN") == ()


def test_what_is_said_is_json_too(place: Path) -> None:
    commanded(place, "kill")
    said = commanded(place, "resume", "--account", "SIM", "--json")
    assert json.loads(said.out)["mode"] == "ACTIVE"

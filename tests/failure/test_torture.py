"""Random schedules of faults, deaths and other people: a few hundred here, `make torture` has more.

A seed that fails is repeated by `python -m benchmarks.torture --seed N`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchmarks.torture import Total, repeat, written

from deadband.brokers.ibkr import broker as broker_module
from deadband.brokers.ibkr import link as link_module
from deadband.brokers.ibkr import settle as settle_module
from deadband.brokers.ibkr.orders import OrderTable
from deadband.brokers.ibkr.wire import Wire
from deadband.twsim.fault_names import FaultName

from ..kit.death import Boundary
from ..kit.torture import Outcome, draw, torment
from ..kit.torture.schedule import NEVER_DRAWN

ROOT = Path(__file__).parents[2]
SEEDS, BATCH = 240, 10


def fresh(folder: Path, seed: int) -> Path:
    path = folder / str(seed)
    path.mkdir()
    return path


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whatever_a_seed_does_the_books_are_the_gateways_in_the_end(
    tmp_path: Path, first: int
) -> None:
    for seed in range(first, first + BATCH):
        outcome = torment(seed, fresh(tmp_path, seed))
        assert not outcome.failure, (
            f"python -m benchmarks.torture --seed {seed}\n{outcome.failure}\n{outcome.trace}"
        )


def test_seeds_hold_every_fault_every_boundary_and_every_act() -> None:
    faults: Counter[FaultName] = Counter()
    deaths: Counter[Boundary] = Counter()
    for seed in range(1500):
        schedule = draw(seed)
        faults.update(fault.name for fault in schedule.faults)
        deaths.update(stretch.death.boundary for stretch in schedule.lives if stretch.death.nth)
    assert faults.keys() | NEVER_DRAWN.keys() == set(FaultName)
    assert not faults.keys() & NEVER_DRAWN.keys()
    assert deaths.keys() == set(Boundary)


def test_the_same_seed_is_the_same_ordeal(tmp_path: Path) -> None:
    assert draw(7) == draw(7)
    one, two = (torment(7, fresh(tmp_path / name, 7)) for name in made(tmp_path, "a", "b"))
    assert one == two
    assert one.digest != torment(8, fresh(tmp_path, 8)).digest


def made(folder: Path, *names: str) -> tuple[str, ...]:
    for name in names:
        (folder / name).mkdir()
    return names


REPEAT = """
import sys, tempfile
from pathlib import Path
from tests.kit.torture import torment
for seed in (3, 4, 5):
    with tempfile.TemporaryDirectory() as folder:
        print(torment(seed, Path(folder)).digest)
"""


def test_another_process_repeats_a_seed_to_the_byte() -> None:
    told = [digests_under(hash_seed) for hash_seed in ("1", "2")]
    assert told[0] == told[1]
    assert len(set(told[0].split())) == 3


def digests_under(hash_seed: str) -> str:
    """What a fresh interpreter makes of three seeds, with another order in every set."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    run = [sys.executable, "-c", REPEAT]
    done = subprocess.run(
        run, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_is_kept_of_many_seeds_can_be_written(tmp_path: Path) -> None:
    total = Total()
    for seed in (3, 4):
        total.add(torment(seed, fresh(tmp_path, seed)))
    total.add(Outcome(5, failure="it broke"))
    kept = json.loads(json.dumps(written(total, 3, 1.0, 1)))
    assert (kept["seeds"], kept["failures"]) == (3, {"5": "it broke"})
    assert sum(kept["deaths"].values()) == sum(total.deaths.values()) > 0
    assert kept["faults"].keys() <= {name.value for name in FaultName}
    assert repeat(5) == "python -m benchmarks.torture --seed 5"


# --- the checks see what they are for


def failures(folder: Path, seeds: range = range(6)) -> list[str]:
    return [torment(seed, fresh(folder, seed)).failure for seed in seeds]


def test_an_order_that_leaves_before_its_intent_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "journal_denial", lambda *_: None)
    assert any("sent without an intent" in one for one in failures(tmp_path))


def test_an_order_that_is_sent_twice_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Wire.place

    def twice(self: Wire, order_id: int, *rest: Any) -> None:
        place(self, order_id, *rest)
        place(self, order_id + 1000, *rest)

    monkeypatch.setattr(Wire, "place", twice)
    found = failures(tmp_path)
    assert any("may come to" in one or "twice" in one for one in found), found


def test_a_fill_that_is_passed_over_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traded = link_module.traded

    def deaf(table: Any, said: Any) -> None:
        if int(said.exec_id.split(".")[1], 16) % 3:
            traded(table, said)

    monkeypatch.setattr(link_module, "traded", deaf)
    found = failures(tmp_path)
    assert any("the book holds" in one for one in found), found


def test_an_answer_that_is_waited_for_for_ever_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrderTable, "_ended", lambda *_: None)
    monkeypatch.setattr(settle_module, "_found_over", lambda *_: None)
    found = failures(tmp_path)
    assert any("no answer is to come" in one or "does not work" in one for one in found), found

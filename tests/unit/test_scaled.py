"""The clock of scaled tests: one instant for all processes, and waits that fit it."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.scaled import Clock, run, steady

START = datetime(2026, 3, 9, 13, 30, tzinfo=UTC)
DAY = Clock(START, ((100.0, 10.0), (5_100.0, 1_000.0), (6_000.0, 50.0)), origin=7.0)


@pytest.mark.parametrize(
    ("real", "seconds"), [(7.0, 0.0), (12.0, 50.0), (17.0, 100.0), (20.0, 3_100.0), (23.0, 5_150.0)]
)
def test_each_leg_has_its_speed(real: float, seconds: float) -> None:
    assert DAY.seconds(real) == pytest.approx(seconds)
    assert DAY.real(seconds) == pytest.approx(real)


@given(st.floats(0.0, 20_000.0), st.floats(0.0, 20_000.0))
def test_time_never_goes_back(one: float, other: float) -> None:
    assert DAY.seconds(DAY.real(one)) == pytest.approx(one, abs=1e-6)
    assert (one <= other) == (DAY.real(one) <= DAY.real(other)) or one == pytest.approx(other)


def test_another_process_reads_the_same_clock() -> None:
    clock = Clock.begun(START, (START + timedelta(hours=1), 60.0), (START + timedelta(days=1), 9.0))
    assert Clock.of(clock.text()) == clock
    told = "import sys; from tests.kit.scaled import Clock; print(Clock.of(sys.argv[1]).seconds())"
    before = clock.seconds()
    said = subprocess.run(
        [sys.executable, "-c", told, clock.text()], check=True, capture_output=True, text=True
    )
    assert before < float(said.stdout) < clock.seconds()


def test_a_loop_sleeps_on_the_clock() -> None:
    clock = steady(START, 100_000.0)

    async def nap() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(3_600)
        return loop.time() - began

    assert run(clock, nap) >= 3_600
    assert clock.now() - START >= timedelta(hours=1)

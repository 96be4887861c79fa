"""A live run in a process of its own, on a real socket, that is killed by the operating system.

Time runs `speed` times faster than the clock, for the run as for the gateway. One process has
imported everything and waits; each life is a fork of it, so that a start takes no second. It is
told on stdin what to live, a line of JSON for each life, and answers with the process and its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import sys
import time
import traceback
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from deadband.core.config import Settings
from deadband.core.errors import BrokerError
from deadband.core.session import EXCHANGE_ZONE
from deadband.journal.store import JournalWriter
from deadband.twsim.faults import Fault
from deadband.twsim.server import Server

from .inputs import settings
from .live import EAGER, World
from .torture.ordeal import compared
from .tws import fault

ROOT = Path(__file__).parents[2]
NAMES = 5
CYCLE_S = 300.0
SPEED = 300.0
"""Seconds of the run in one of the clock."""
LONGEST_S = 200.0
"""Seconds of the clock for a life that is not killed, on a machine that is busy."""
REFUSED = 75
"""The end of a life that could not begin: the gateway did not serve it."""
PATIENT = {
    # Of the run's seconds: a machine that is busy must not look like a gateway that is dead.
    "connect_s": 3000.0,
    "answer_s": 3000.0,
    "ack_s": 120.0,
    "heartbeat_s": 1000.0,
    "silence_s": 6000.0,
    "most_skew_s": 3000.0,
    "settle_s": 1.0,
}
FAULTS = (
    fault("exec_corrected", chance=0.1, times=0, seconds=20.0),
    fault("commission_first", chance=0.1, times=0),
    fault("status_never", chance=0.1, times=0),
    fault("cancel_unanswered", chance=0.2, times=0, seconds=40.0),
    fault("drop_socket_mid_frame", message="execDetails", chance=0.003, times=0),
)


def resting() -> Settings:
    return settings(**EAGER, collar_bps=-8.0, order_life_min=4.0)


@dataclass(slots=True)
class Away(World):
    """What a life sees: the gateway is elsewhere, and so is its clock."""

    now: datetime = datetime(2026, 3, 9, tzinfo=EXCHANGE_ZONE)
    at: float = 0.0
    """The clock's seconds when it was `now`."""
    speed: float = 1.0

    def wall(self) -> datetime:
        return self.now + timedelta(seconds=(time.monotonic() - self.at) * self.speed)


class Hasty(selectors.DefaultSelector):
    """Waits a part of what it is told."""

    speed = 1.0

    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout if timeout is None else timeout / self.speed)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds are shorter."""

    def __init__(self, speed: float) -> None:
        selector = Hasty()
        selector.speed = self._speed = speed
        super().__init__(selector)

    def time(self) -> float:
        return time.monotonic() * self._speed


def life(told: dict[str, Any]) -> None:
    """One life up to a cycle of the session, if it is let live so long."""
    world = Away(
        Path(told["path"]),
        NAMES,
        settings=resting(),
        changes=PATIENT | {"port": told["port"]},
        market_seed=told["market"],
        now=datetime.fromisoformat(told["now"]),
        at=told["at"],
        speed=told["speed"],
    )
    with (
        JournalWriter(world.path, goes_on=True) as journal,
        asyncio.Runner(loop_factory=lambda: FastLoop(world.speed)) as runner,
    ):
        runner.run(world.trade(journal, told["last"]))


def bear() -> None:
    """Fork a life for each line on stdin, and say how it ended."""
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                life(json.loads(line))
            except BrokerError:
                os._exit(REFUSED)
            except BaseException:  # noqa: BLE001 - whatever ends a life is said before it is gone
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


# --- who kills


@dataclass(slots=True)
class Killings:
    """What a world of killings came to."""

    kills: int = 0
    ended: int = 0
    """Lives that were over before they were killed."""
    orders: int = 0
    fills: int = 0
    cycles: int = 0

    def and_then(self, other: Killings) -> Killings:
        """Both together."""
        mine, theirs = asdict(self), asdict(other)
        return Killings(**{name: mine[name] + theirs[name] for name in mine})


def kill_often(
    path: Path, kills: int, seed: int, faults: tuple[Fault, ...] = FAULTS
) -> tuple[World, Killings]:
    """Kill a run so many times at random moments, let it live, and compare; raises Violation."""
    world = World(
        path,
        NAMES,
        settings=resting(),
        faults=faults,
        begins_min=9.0,
        market_seed=seed % 6,
        seed=seed,
    )
    came = Killings()
    asyncio.run(_kill(world, kills, Random(f"killed {seed}"), came))
    world.host.faults.end()
    world.host.timeline.run_for(200.0)
    compared(world)
    kinds = world.kinds()
    came.cycles, came.orders = kinds["CYCLE"], len(world.host.desk.orders)
    came.fills = len(world.host.exchange.books.executions)
    return world, came


async def _kill(world: World, kills: int, chance: Random, came: Killings) -> None:
    errors = world.path.with_suffix(".err")
    with errors.open("wb") as said:
        nursery = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.kit.killed",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        # Imported and ready: time begins to run only then.
        assert await nursery.stdout.readline() == b"ready\n"
        try:
            async with Server(world.host, "127.0.0.1", 0, speed=SPEED) as server:
                while came.kills < kills:
                    await _live(world, nursery, server, came, chance)
                    assert came.ended < 5 * kills, errors.read_text("utf-8")[-3000:]
                for _ in range(10):
                    if await _live(world, nursery, server, came, None) == 0:
                        return
                raise AssertionError(f"it never begins again: {errors.read_text('utf-8')[-3000:]}")
        finally:
            nursery.stdin.close()
            await nursery.wait()


async def _live(
    world: World, nursery: Process, server: Server, came: Killings, chance: Random | None
) -> int:
    """One life, killed by chance; how its process ended."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    server.pump()
    now = world.host.timeline.now
    open_s = (now - world.market.sessions[0].open).total_seconds()
    told = {
        "path": str(world.path),
        "port": server.port,
        "market": world.market_seed,
        "now": now.isoformat(),
        "at": time.monotonic(),
        "speed": SPEED,
        "last": int(open_s // CYCLE_S) + 3 if chance is None else 78,
    }
    nursery.stdin.write(json.dumps(told).encode() + b"\n")
    process = int(await nursery.stdout.readline())
    try:
        if chance is None:
            code = int(await asyncio.wait_for(nursery.stdout.readline(), LONGEST_S))
        else:
            await _moment(world, chance)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if chance is not None:
        code = int(await nursery.stdout.readline())
    assert code in (0, REFUSED, -signal.SIGKILL), world.path.with_suffix(".err").read_text("utf-8")
    came.kills += code == -signal.SIGKILL
    came.ended += code != -signal.SIGKILL
    return code


async def _moment(world: World, chance: Random) -> None:
    """Wait for when a life ends: at any time, in its start, or as orders arrive."""
    drawn, host = chance.random(), world.host
    if drawn < 0.25:
        await asyncio.sleep(chance.uniform(0.0, 0.8))
    elif drawn < 0.5:
        await _soon(lambda: bool(host.clients))
        await asyncio.sleep(chance.uniform(0.0, 0.25))
    else:
        orders = len(host.desk.orders)
        await _soon(lambda: len(host.desk.orders) > orders)
        await asyncio.sleep(chance.choice((0.0, 0.0, chance.uniform(0.0, 0.1))))


async def _soon(is_so: Callable[[], bool], most_s: float = 4.0) -> None:
    """Look every few turns until something is so, but not for ever."""
    until = time.monotonic() + most_s
    while not is_so() and time.monotonic() < until:
        await asyncio.sleep(0.0005)


if __name__ == "__main__":
    bear()

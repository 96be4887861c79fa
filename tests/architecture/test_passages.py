"""One way through the house at run time: who calls whom in a step, and how often.

Import rules cannot see a callable that one room hands to another; a profile of one step can.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import deadband
from deadband import cycle
from deadband.core.correlation import FactorCorrelation
from deadband.core.seen import RiskGiven, Seen
from deadband.core.session import session_on
from deadband.core.types import CycleRecord, State
from deadband.policy import windows
from tests import kit

HOME = Path(deadband.__file__).parent
ROOMS = frozenset({"signals", "risk", "policy", "optimize", "execute", "cycle"})
CORRIDOR = [
    ("cycle", "risk"),
    ("cycle", "signals"),
    ("cycle", "policy"),
    ("cycle", "optimize"),
    ("cycle", "policy"),
    ("cycle", "execute"),
    ("cycle", "execute"),
]
HELD, WANTED = 12, 18


def room_of(frame: FrameType | None) -> str | None:
    """The room a frame belongs to; core, engines and foreign code are none."""
    if frame is None:
        return None
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(HOME):
        return None
    room = path.relative_to(HOME).parts[0].removesuffix(".py")
    return room if room in ROOMS else None


@dataclass
class Profile:
    """What one step called: passages between rooms, our calls, our files, our deepest stack."""

    passages: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0
    files: set[str] = field(default_factory=set)
    depth: int = 0
    _now: int = 0

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        name = frame.f_code.co_filename
        if event not in ("call", "return") or not name.startswith(str(HOME)):
            return
        self._now += 1 if event == "call" else -1
        if event == "return":
            return
        self.calls += 1
        self.files.add(name)
        self.depth = max(self.depth, self._now)
        caller, callee = room_of(frame.f_back), room_of(frame)
        if caller and callee and caller != callee:
            self.passages.append((caller, callee))


def profiled(seen: Seen, state: State, **given: Any) -> tuple[Profile, CycleRecord]:
    settings, profile = kit.settings(**given), Profile()
    cycle.step(settings, state, seen)  # Tables that are built once are built before.
    sys.setprofile(profile)
    try:
        _, record = cycle.step(settings, state, seen)
    finally:
        sys.setprofile(None)
    return profile, record


def busy(n: int) -> tuple[Seen, State]:
    """A cycle that cuts, rotates and buys: the same names held and wanted whatever `n` is."""
    names = kit.universe(n, **{f"S{i:04d}": f"sector {i % 5}" for i in range(30)})
    wanted = {f"S{i:04d}": 3.0 - 0.05 * i for i in range(WANTED)}
    held = {f"S{i:04d}": 0.02 for i in range(WANTED, WANTED + HELD)}
    rest = {s: 0.1 - 0.6 * i / n for i, s in enumerate(names.symbols) if s not in wanted}
    book = kit.portfolio(names, weights=held)
    flat = FactorCorrelation(np.full((n, 1), 0.5), np.full(n, 0.75))
    seen = kit.seen(
        names,
        market=kit.market(names, halted={"S0018": True}, spread_bps={"S0001": 60.0}),
        scores=kit.scores(names, rest | wanted),
        portfolio=book,
        risk_given=RiskGiven(flat, np.ones(n), "flat"),
    )
    return seen, kit.state(names, portfolio=book)


@pytest.mark.parametrize("given", [{}, {"K_short": 5}], ids=["long only", "two-sided"])
def test_a_step_opens_each_room_once_in_order_and_no_room_opens_another(
    given: dict[str, Any],
) -> None:
    profile, record = profiled(*busy(60), beta_tolerance=1.0, **given)
    assert record.plan.orders
    assert profile.passages == CORRIDOR


def test_a_callable_handed_from_one_room_to_another_is_seen() -> None:
    """As if the optimizer had been given a function of policy's and called it."""
    session = session_on(kit.NOW.date())
    given = {"clamp": windows.clamp, "asked": (session, kit.NOW, kit.settings().policy)}
    inside_optimize = compile("clamp(*asked)", str(HOME / "optimize" / "solve.py"), "eval")
    profile = Profile()
    sys.setprofile(profile)
    try:
        eval(inside_optimize, given)
    finally:
        sys.setprofile(None)
    assert profile.passages == [("optimize", "policy")]


def test_our_calls_in_a_step_do_not_grow_with_the_universe() -> None:
    """The same names are held, wanted and gated; the rest only lengthen arrays.

    Two in a hundred are allowed: how many times a limit is measured again depends on last bits.
    """
    profiles = {}
    for n in (30, 300, 3000):
        profile, record = profiled(*busy(n), beta_tolerance=1.0)
        profiles[n] = profile
        print(f"n={n}: {profile.calls} calls, {len(profile.files)} files, depth {profile.depth}")
        assert record.plan.orders
    calls = [profile.calls for profile in profiles.values()]
    assert max(calls) <= 1.02 * min(calls)
    assert len({len(profile.files) for profile in profiles.values()}) == 1
    assert max(profile.depth for profile in profiles.values()) <= 12

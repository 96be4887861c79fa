"""What a seed stands for: faults, deaths, commands and other people's orders, all drawn at once.

The same seed gives the same schedule, on every machine and in every process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from deadband.brokers.ibkr.codes import RULES
from deadband.core.seen import Switch
from deadband.twsim.fault_names import KINDS, FaultName, Strikes
from deadband.twsim.faults import Fault
from deadband.twsim.replies import KINDS_SENT
from deadband.twsim.requests import KINDS_ASKED

from ..death import Boundary, Death
from ..live import EAGER, SYMBOLS, market_of

MARKETS = 6
"""Different prices and scores."""
CYCLE_S = 300.0
NEVER_DRAWN: dict[FaultName, str] = {}
"""Kinds that no schedule holds, and why; every other kind may be drawn with every other."""

TOLD = ("orderStatus", "execDetails", "openOrder", "commission", "error")
"""Messages about orders: those that matter most are drawn most."""
ASKED = ("reqAllOpenOrders", "reqExecutions", "reqCompletedOrders", "reqPositions")
NEVER_ASKED = frozenset({"startApi"})
SECONDS = (0.2, 1.0, 4.0, 15.0, 60.0, 240.0)
REACH = {Boundary.RECORD: 45, Boundary.SEND: 120, Boundary.RECEIVE: 900}
"""Crossings of a boundary among which a death is drawn."""
UNKNOWN_CODES = (9999, 10345, 2199)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One life and the time until the next begins."""

    death: Death
    stops_after: int = 0
    """Cycles after which it is asked to end by itself; 0: never."""
    away_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Act:
    """Something that others do, or an operator, so many seconds after the start."""

    after_s: float
    what: str
    symbol: str
    shares: int
    is_resting: bool


FOREIGN = ("foreign order", "foreign cancel", "global cancel")
"""Done at the gateway, whoever lives."""
OPERATOR = ("change", "cancel own", "preview", "history", "order status")
"""Done within the process, where one lives."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that is going to happen; `begins_min` after the open, settings as keywords."""

    seed: int
    names: int
    cycles: int
    market: int
    begins_min: float
    step_s: float
    watches: bool
    settings: dict[str, Any]
    broker: dict[str, Any]
    compare_s: float
    faults: tuple[Fault, ...]
    lives: tuple[Stretch, ...]
    acts: tuple[Act, ...]
    commands: tuple[tuple[float, Switch], ...] = field(default=())
    """From so many seconds after the start on."""


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = Random(f"torture {seed}")
    names, cycles = chance.randint(3, 5), chance.randint(4, 7)
    worked = _worked(Random(f"torture {seed}, how orders are worked"))
    begins_min = 345.0 if chance.random() < 0.08 else 9.0
    span = cycles * CYCLE_S
    market = chance.randrange(MARKETS)
    faults = tuple(
        _fault(chance, names, market, begins_min, span) for _ in range(chance.choice(_COUNTS))
    )
    return Schedule(
        seed=seed,
        names=names,
        cycles=cycles,
        market=market,
        begins_min=begins_min,
        step_s=chance.choice((15.0, 60.0, 60.0)),
        # Who works orders has to see quotes.
        watches=chance.random() < 0.12 or bool(worked),
        settings=_settings(chance) | worked,
        broker={
            "reconcile_s": chance.choice((240.0, 1800.0, 1800.0)),
            "answer_s": chance.choice((10.0, 30.0)),
            "silence_s": chance.choice((70.0, 150.0)),
            "messages_per_s": chance.choice((40.0, 40.0, 4.0)),
        },
        compare_s=chance.choice((240.0, 1800.0, 1800.0)),
        faults=faults,
        lives=tuple(_stretch(chance) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4)))),
        acts=_acts(chance, names, span, faults),
        commands=_commands(chance, names, span),
    )


_COUNTS = (0, 1, 1, 2, 2, 3, 3, 4, 5, 6)


def _settings(chance: Random) -> dict[str, Any]:
    return EAGER | {
        "collar_bps": chance.choice((-8.0, -8.0, -3.0, 5.0)),
        "order_life_min": chance.choice((4.0, 4.0, 9.0, 15.0)),
    }


ALGORITHMS = ("passive", "passive", "auto", "peg_mid", "twap", "pov", "ib_adaptive", "ib_twap")


def _worked(chance: Random) -> dict[str, Any]:
    """In two schedules of five, how orders are worked by children; else they go out as they are."""
    if chance.random() > 0.4:
        return {}
    return {
        "algorithm": chance.choice(ALGORITHMS),
        "horizon_min": chance.choice((0.8, 2.0, 4.0, 11.0)),
        "start_at": chance.choice((0.0, 0.0, -4.0)),
        "min_reprice_s": chance.choice((5.0, 20.0)),
        "slices": chance.choice((2, 4)),
        "corridor": chance.choice((0.01, 0.2)),
    }


def _commands(chance: Random, names: int, span: float) -> tuple[tuple[float, Switch], ...]:
    """Now and then the operator commands something, and gives the word again later or not."""
    if chance.random() > 0.25:
        return ()
    name = chance.choice(SYMBOLS[:names])
    command = chance.choice(
        (
            Switch("HALTED"),
            Switch("REDUCING"),
            Switch(flatten=(name,)),
            Switch(flatten=("GLOBAL",)),
            Switch(paused=(name,)),
        )
    )
    at = chance.uniform(0, span)
    again = chance.uniform(at, 1.5 * span)
    return ((at, command), (again, Switch()))


def _stretch(chance: Random) -> Stretch:
    boundary = chance.choice(tuple(Boundary))
    # Early crossings are drawn more often: recoveries are short.
    nth = max(1, round(REACH[boundary] ** chance.random()))
    if chance.random() < 0.4:
        nth = chance.randint(1, REACH[boundary])
    death = Death(boundary, nth, chance.random() < 0.5, chance.random() < 0.2)
    stops = 0
    if chance.random() < 0.12:
        death, stops = Death(), chance.randint(1, 4)
    return Stretch(death, stops, chance.choice((0.0, 0.5, 3.0, 30.0, 200.0, 500.0)))


def _acts(chance: Random, names: int, span: float, faults: tuple[Fault, ...]) -> tuple[Act, ...]:
    """What others do at random, and what a fault needs to be done before it can strike."""
    wanted = [chance.choice(FOREIGN + OPERATOR) for _ in range(chance.choice((0, 0, 1, 1, 2, 3)))]
    wanted += [what for fault in faults for what in _NEEDS.get(KINDS[fault.name].strikes, ())]
    wanted += [what for fault in faults for what in _NEEDS.get(fault.name, ())]
    return tuple(_act(chance, what, names, span) for what in wanted)


_NEEDS: dict[object, tuple[str, ...]] = {
    Strikes.MODIFY: ("change",) * 4,
    Strikes.CANCEL: ("cancel own",),
    FaultName.WHAT_IF_REJECTED: ("preview",) * 2,
    FaultName.HISTORY_PACING: ("history",),
    FaultName.HISTORY_FARM_DOWN: ("history",),
}


def _act(chance: Random, what: str, names: int, span: float) -> Act:
    return Act(
        # Shortly after a decision there are orders at work.
        after_s=round(chance.randrange(int(span // CYCLE_S) + 1) * CYCLE_S + _soon(chance), 3),
        what=what,
        symbol=chance.choice(SYMBOLS[:names]),
        shares=chance.choice((-80, -7, 7, 80)),
        is_resting=chance.random() < 0.5,
    )


def _soon(chance: Random) -> float:
    return 60.0 + (CYCLE_S * chance.random() if chance.random() < 0.5 else 8.0 * chance.random())


_SELDOM = frozenset({Strikes.CANCEL, Strikes.MODIFY})
_DRAWN = tuple(
    name
    for name in FaultName
    if name not in NEVER_DRAWN
    # Orders are canceled and changed seldom: their faults are drawn more often.
    for _ in range(3 if KINDS[name].strikes in _SELDOM else 1)
)


def _fault(chance: Random, names: int, market: int, begins_min: float, span: float) -> Fault:
    name = chance.choice(_DRAWN)
    changes: dict[str, Any] = {"seconds": chance.choice(SECONDS)}
    if chance.random() < 0.3:
        changes["symbol"] = chance.choice(SYMBOLS[:names])
    changes |= _WHEN[KINDS[name].strikes](chance)
    if KINDS[name].strikes is Strikes.TIME:
        first = market_of(names, 1, market).sessions[0]
        at = first.open + timedelta(minutes=begins_min, seconds=chance.uniform(0.5, span))
        changes["at"] = at.replace(tzinfo=None).isoformat() + "+00:00"
    special = _SPECIAL.get(name)
    if special is not None:
        changes |= special(chance, names)
    return Fault(name, **changes)


def _often(chance: Random, nth: int, rate: float) -> dict[str, Any]:
    """By count or by chance."""
    if chance.random() < 0.3:
        return {"chance": chance.uniform(0.2 * rate, rate), "times": chance.choice((0, 3, 10))}
    return {"nth": max(1, round(nth ** chance.random())), "times": chance.choice((1, 1, 2, 5))}


def _of_message(chance: Random) -> dict[str, Any]:
    drawn = chance.random()
    message = chance.choice(TOLD) if drawn < 0.6 else chance.choice(sorted(KINDS_SENT))
    if drawn > 0.9:
        message = ""
    return {"message": message, **_often(chance, 12 if message in TOLD else 60, 0.2)}


def _of_request(chance: Random) -> dict[str, Any]:
    drawn = chance.random()
    others = sorted(KINDS_ASKED - NEVER_ASKED)
    message = chance.choice(ASKED) if drawn < 0.6 else chance.choice(others)
    if drawn > 0.9:
        message = ""
    return {"message": message, "nth": chance.randint(1, 8), "times": chance.choice((1, 1, 2, 3))}


_WHEN = {
    Strikes.TIME: lambda chance: {},
    Strikes.NEW: lambda chance: _often(chance, 8, 0.5),
    Strikes.MODIFY: lambda chance: {"times": chance.choice((1, 1, 0))},
    Strikes.CANCEL: lambda chance: _often(chance, 2, 0.9),
    Strikes.FILL: lambda chance: _often(chance, 8, 0.5),
    Strikes.MESSAGE: _of_message,
    Strikes.REQUEST: _of_request,
}


def _notice(chance: Random, names: int) -> dict[str, Any]:
    code = chance.choice((*sorted(RULES), *UNKNOWN_CODES))
    text = chance.choice(("as it happens", "the API interface is currently in Read-Only mode"))
    return {"code": code, "text": text}


_SPECIAL = {
    FaultName.NOTICE: _notice,
    FaultName.HALT: lambda chance, names: {"symbol": chance.choice(SYMBOLS[:names])},
    FaultName.MANUAL_ORDER: lambda chance, names: {
        "symbol": chance.choice(SYMBOLS[:names]),
        "shares": chance.choice((-40, -3, 5, 60)),
    },
    FaultName.CONNECTIVITY_LOST: lambda chance, names: {
        "data_lost": chance.random() < 0.5,
        "lossy": chance.random() < 0.5,
    },
    FaultName.MARKET_FARM_DOWN: lambda chance, names: {"lossy": chance.random() < 0.5},
    FaultName.EXEC_CORRECTED: lambda chance, names: {"move": chance.choice((-0.05, -0.01, 0.02))},
    # A question that is never answered twice in a row is a gateway that does not serve.
    FaultName.NO_LIVE_DATA: lambda chance, names: {"message": ""},
    FaultName.HISTORY_PACING: lambda chance, names: {"message": ""},
    FaultName.POSITIONS_TWICE: lambda chance, names: {"message": ""},
}

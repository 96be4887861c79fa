"""Puts a run together: settings checked, tape and scores opened, sessions chosen, broker made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from ..brokers.sim import SimBroker
from ..core.ailments import Ailment
from ..core.arrays import Bools
from ..core.config import Settings
from ..core.costs import one_way_bps
from ..core.errors import ConfigError, DataError
from ..core.lint import Circumstances, Doubt, lint, refuse_errors
from ..core.ports import Finding, ScoreSource, Tape
from ..core.seen import Universe
from ..core.session import Session
from ..core.types import CycleRecord
from ..core.units import BPS
from ..feeds.doctor.examine import worst_first
from ..feeds.files import bar_tape
from ..feeds.simulated import simulated_market
from ..feeds.tape import BarTape
from ..feeds.universe import LISTS, Listing, read_listing
from ..journal.store import JournalWriter
from ..switch.file import open_switch
from .check import refuse_bad_data
from .run import Run
from .speakers import given_scores, speakers


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything a run needs; `lint` and the tape's findings are to be shown before it starts."""

    settings: Settings
    tape: Tape
    scores: ScoreSource
    sessions: tuple[Session, ...]
    shortable: Bools
    lint: tuple[Doubt, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        return tuple(str(finding) for finding in self.tape.findings)

    @property
    def cycles(self) -> int:
        return sum(round(session.minutes / self.tape.bar_min) for session in self.sessions)


def prepare_simulated(settings: Settings, seed: int) -> Prepared:
    """The seeded simulated day; models that are listed speak in place of its own scores."""
    market = simulated_market(settings, seed)
    found = lint(
        settings, Circumstances(names=len(market.tape.universe), cycle_min=market.tape.bar_min)
    )
    refuse_errors(found)
    speaking = speakers(settings, market.tape, None if settings.models else market.scores)
    return Prepared(
        settings=settings,
        tape=replace(market.tape, findings=speaking.findings),
        scores=speaking.source,
        sessions=market.sessions,
        shortable=market.tape.shortable,
        lint=found,
    )


def prepare_files(
    settings: Settings, first: date | None, last: date | None, now: datetime | None = None
) -> Prepared:
    """Recorded sessions from `first` to `last` (or `first` alone); raises before anything runs.

    Bars dated after `now`, where it is given, are left out.
    """
    _refuse_missing(settings)
    data = settings.data
    listing = read_listing(Path(data.universe)) if data.universe else Listing()
    settings = replace(settings, policy=listing.added_to(settings.policy))
    refuse_errors(lint(settings))
    tape = bar_tape(Path(data.bars), listing, settings, now)
    given = given_scores(data, tape.universe)
    speaking = speakers(settings, tape, given)
    sessions = choose_sessions(tape, first, last)
    found = worst_first(
        (
            *tape.findings,
            *speaking.findings,
            *listing.against(tape.universe),
            *unknown_names(settings, tape.universe),
        )
    )
    refuse_bad_data(found, settings)
    return Prepared(
        settings=settings,
        # The journal's first record takes the findings from the tape: it is to hold them all.
        tape=replace(tape, findings=found),
        scores=speaking.source,
        sessions=sessions,
        shortable=tape.shortable,
        lint=lint(settings, _measured(settings, tape, sessions[0])),
    )


def prepare_bars(
    settings: Settings, first: date | None, last: date | None
) -> tuple[BarTape, tuple[Session, ...]]:
    """Recorded sessions alone, without scores: those from `first` to `last`, all if neither."""
    data = settings.data
    listing = read_listing(Path(data.universe)) if data.universe else Listing()
    refuse_errors(lint(settings))
    tape = bar_tape(Path(data.bars), listing, settings)
    ready = tape.sessions()
    if not ready:
        return tape, choose_sessions(tape, None, None)
    return tape, choose_sessions(tape, first or ready[0].day, last or ready[-1].day)


def _measured(settings: Settings, tape: Tape, session: Session) -> Circumstances:
    """What the check is made against: medians of the first session's names, at midday."""
    day = tape.day(session)
    known = day.prior_close > 0
    if not known.any():
        return Circumstances(names=int(tape.universe.traded.sum()), cycle_min=tape.bar_min)
    price = day.prior_close[known]
    costs = one_way_bps(
        price,
        2 * day.half_spread[len(day) // 2][known] / price / BPS,
        day.adv[known],
        day.sigma_day[known],
        settings.execution.capital_usd * settings.optimize.max_net_exposure / settings.optimize.K,
        settings.costs,
    )
    horizon = np.sqrt(30.0 / session.minutes)
    return Circumstances(
        names=int(tape.universe.traded.sum()),
        has_betas=bool(settings.data.market),
        sigma_bps=max(float(np.median(day.sigma_day[known])) * horizon / BPS, 1e-6),
        cost_bps=float(np.median(costs)),
        cycle_min=tape.bar_min,
    )


def _refuse_missing(settings: Settings) -> None:
    if not settings.data.scores and not settings.models:
        raise ConfigError(
            (
                "bars are given but no scores. Give --scores FILE or --model MODEL, or scores in "
                "the config's [data], or models in [[models]] tables.",
            )
        )


def unknown_names(settings: Settings, universe: Universe) -> Iterator[Finding]:
    """Names on the policy's lists that no bar speaks of: a slip there lifts a restriction."""
    for name in LISTS:
        unknown = [s for s in getattr(settings.policy, name) if s not in universe.index]
        if unknown:
            text = f"{name}: {', '.join(unknown[:5])}"
            yield Finding(Ailment.DATA_BARRED_WITHOUT_BARS, len(unknown), text)


def choose_sessions(tape: BarTape, first: date | None, last: date | None) -> tuple[Session, ...]:
    """The sessions asked for; the last one of the tape when none is named."""
    ready = tape.sessions()
    if not ready:
        raise DataError(
            f"the bars hold {len(tape.days)} sessions, and risk.min_days={tape.risk.min_days:g} "
            "are needed before the first that is run. Add earlier bars, or lower risk.min_days."
        )
    if first is None:
        return ready[-1:]
    chosen = tuple(s for s in ready if first <= s.day <= (last or first))
    if not chosen:
        raise DataError(
            f"no session from {first} to {last or first} can be run; the bars allow "
            f"{ready[0].day} to {ready[-1].day}. Sessions before the first are its history; "
            "risk.min_days says how many are needed."
        )
    return chosen


def drive(prepared: Prepared, journal: Path, progress: Callable[[CycleRecord], None]) -> None:
    """Run the prepared sessions into a new journal."""
    settings = prepared.settings
    broker = SimBroker(
        prepared.tape.universe, settings.execution, settings.costs, prepared.shortable
    )
    with JournalWriter(journal) as writer:
        run = Run(settings, prepared.tape, prepared.scores, broker, writer)
        if settings.gate.switch_file:
            run.switch = open_switch(Path(settings.gate.switch_file), settings.execution.account)
        run.over(prepared.sessions, progress)

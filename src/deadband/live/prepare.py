"""What a live run needs before it connects: names, known bars, scores, settings that can work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..backtest.check import refuse_bad_data
from ..backtest.measure import Measure
from ..backtest.speakers import given_scores, speakers
from ..backtest.start import unknown_names
from ..core.config import AUTO, Settings
from ..core.errors import ConfigError
from ..core.lint import Circumstances, Doubt, lint, refuse_errors
from ..core.ports import Finding, ScoreSource
from ..core.seen import Universe
from ..feeds.doctor.examine import worst_first
from ..feeds.files import bar_tape
from ..feeds.tape import BarTape
from ..feeds.universe import Listing, read_listing


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What the run is made of; `lint` and `findings` are to be shown before it connects."""

    settings: Settings
    tape: BarTape
    """Universe and bars known from a file; without one it has no day."""
    scores: ScoreSource
    measure: Measure
    lint: tuple[Doubt, ...]
    findings: tuple[Finding, ...]


def prepare(settings: Settings, now: datetime) -> Prepared:
    """Read what files there are; raises before anything connects."""
    _refuse_missing(settings)
    data = settings.data
    listing = read_listing(Path(data.universe)) if data.universe else Listing()
    settings = replace(
        settings,
        policy=listing.added_to(settings.policy),
        # The gate refuses orders of a book that is another account's.
        execution=replace(
            settings.execution,
            account=settings.broker.account,
            # The broker quotes; a run on bars would send plain limits.
            algorithm=settings.execution.algorithm or AUTO,
        ),
    )
    refuse_errors(lint(settings))
    tape = _of_file(settings, listing, now) if data.bars else _of_names(settings, listing)
    speaking = speakers(settings, tape, given_scores(data, tape.universe, live=True), live=True)
    found = worst_first(
        (
            *tape.findings,
            *speaking.findings,
            *(listing.against(tape.universe) if data.bars else ()),
            *unknown_names(settings, tape.universe),
        )
    )
    refuse_bad_data(found, settings)
    names = int(tape.universe.traded.sum())
    against = Circumstances(
        names=names, has_betas=bool(data.market), cycle_min=settings.broker.bar_min
    )
    return Prepared(
        settings=settings,
        tape=tape,
        scores=speaking.source,
        measure=Measure(tape, speaking.source.needs),
        lint=lint(settings, against),
        findings=found,
    )


def _refuse_missing(settings: Settings) -> None:
    data, faults = settings.data, []
    if not data.scores and not settings.models:
        faults.append(
            "there are no scores. Give --scores FILE or --model MODEL, or scores in the config's "
            "[data], or models in [[models]] tables."
        )
    if not data.universe and not data.bars:
        faults.append(
            "which names are traded? Give --universe FILE with a column symbol, and sector where "
            "you have it; or --bars FILE, whose names are taken."
        )
    if faults:
        raise ConfigError(tuple(faults))


def _of_file(settings: Settings, listing: Listing, now: datetime) -> BarTape:
    path = Path(settings.data.bars)
    tape = bar_tape(path, listing, settings, now)
    if tape.bar_min != settings.broker.bar_min:
        raise ConfigError(
            (
                f"{path} has bars of {tape.bar_min:g} minutes, and broker.bar_min is "
                f"{settings.broker.bar_min:g}. Set broker.bar_min to {tape.bar_min:g}, or resample "
                "the file.",
            )
        )
    return tape


def _of_names(settings: Settings, listing: Listing) -> BarTape:
    """No bars yet: the listed names, and the market symbol beside them."""
    market = settings.data.market
    symbols = tuple(dict.fromkeys((*listing.symbols, *((market,) if market else ()))))
    # A market symbol that is listed is there for risk only too, as with a bars file.
    universe = Universe.of(symbols, listing.sectors, frozenset({market} - {""}))
    return BarTape(
        universe=universe,
        bar_min=settings.broker.bar_min,
        days={},
        market=market,
        risk=settings.risk,
        costs=settings.costs,
        shortable=~universe.mask(listing.not_shortable),
    )

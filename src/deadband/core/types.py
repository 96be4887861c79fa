"""The frozen data types that the rooms hand on, from the merged signal to the cycle's record.

Arrays are float64 unless said otherwise, finite and read-only; n = names, k = sectors. All vectors
of a cycle share one Universe by identity, so they cannot be misaligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .arrays import Bools, Floats, Ints, constant, freeze, seal
from .correlation import Correlation
from .errors import MissingError
from .orders import Book, Order, Replacement, Sent, WorkingOrder
from .problem import Proposal
from .reasons import Code, Reason
from .seen import Codes, Seen, Universe, seal_fields
from .session import SESSION_MIN
from .skill import Skill


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One score per name (n,): z, or expected return (fraction over `horizon_min`).

    parts (h, n): what each horizon adds to the score, in the order of `skill.horizons`; none where
    there is only one. `skill`: what is known of the models from here on, and what each weighed.
    """

    score: Floats
    age_s: Floats
    defect: Codes
    unit: str
    horizon_min: float
    parts: Floats = field(default_factory=lambda: constant(0, 0.0))
    skill: Skill = Skill()

    def __post_init__(self) -> None:
        seal_fields(self, len(self.score), score=np.float64, age_s=np.float64, defect=np.int16)
        shape = (len(self.parts), len(self.score))
        parts = self.parts if len(self.parts) else np.zeros(shape)
        object.__setattr__(self, "parts", seal(parts, shape, "Signal.parts"))

    @property
    def by_horizon(self) -> Floats:
        """What each horizon adds to the score (h, n)."""
        return self.parts if len(self.parts) else self.score[None]

    def term_structure(self, minutes: Sequence[float]) -> Floats:
        """Expected return, or z, of each name within each of these times (k, n).

        Within `horizon_min` it is the score. What a horizon adds comes true with its half-life, so
        that a signal of long horizon goes on to pay when a short one is spent.
        """
        lives = np.array([one.half_life_min for one in self.skill.horizons])
        if not len(lives):
            raise MissingError("this signal was not merged: its half-lives are not known.")
        within = 1.0 - 2.0 ** (-np.array(minutes)[:, None] / lives)
        grown: Floats = within / (1.0 - 2.0 ** (-self.horizon_min / lives))
        return grown @ self.by_horizon


@dataclass(frozen=True, slots=True, eq=False)
class VolatilityLevel:
    """What σ rests on between bars: parts of the session's estimate, and what has moved since.

    base (n,): variance of one bar at the mean time of day; curve (b,): variance of each bar of a
    full session in units of that; `calibration` scales the product to what the horizon realizes.
    fast, slow (n,): moving means of r² / (curve·base), over half an hour and over a session;
    `sound` (n,): names whose mean is the level of all. `folded_ns`: epoch nanoseconds of the last
    bar folded in, −1 none.
    """

    bar_min: float
    base: Floats
    curve: Floats
    calibration: float
    sound: Bools
    fast: Floats
    slow: Floats
    folded_ns: int = -1

    def __post_init__(self) -> None:
        seal_fields(self, len(self.base), base=np.float64, fast=np.float64, slow=np.float64)
        seal_fields(self, len(self.base), sound=np.bool_)
        freeze(self, "curve")


@dataclass(frozen=True, slots=True, eq=False)
class RiskModel:
    """σ (n,) fraction per √horizon_min from now on; correlation; β (n,); ATR (n,), of price.

    `sigma` is of open market at this time of day and at today's level; `sigma_night` (n,) is that
    of one night, close to open. `defect` (n,) is the code number of names whose history does not
    carry an estimate: they may only shrink. `borrowed` (n,): the code number of names whose σ, β
    and correlation are those of their sector, or of all names. `day_scale` is σ of a session over
    σ of the horizon. What is not known is None. `version` is that of the session's estimate.
    """

    horizon_min: float
    sigma: Floats | None
    correlation: Correlation | None
    beta: Floats | None
    atr: Floats | None
    defect: Codes
    version: str
    sigma_night: Floats | None = None
    borrowed: Codes | None = None
    day_scale: float = 1.0
    level: VolatilityLevel | None = None

    @property
    def sigma_day(self) -> Floats | None:
        """σ (n,) fraction per √session at today's level, whatever the time of day."""
        return None if self.sigma is None else self.sigma * self.day_scale

    def sigma_over(self, minutes: float) -> Floats | None:
        """σ (n,) fraction per √`minutes` from now on.

        Up to `horizon_min` at this time of day; from there to a session and beyond, the variance
        nears that of a session in proportion to time: a day's σ is not that of the opening times √.
        """
        if self.sigma is None:
            return None
        near, session = self.horizon_min, self.day_scale**2
        if minutes <= near:
            variance = minutes / near
        elif minutes < SESSION_MIN:
            variance = 1.0 + (session - 1.0) * (minutes - near) / (SESSION_MIN - near)
        else:
            variance = session * minutes / SESSION_MIN
        over: Floats = self.sigma * np.sqrt(variance)
        return over


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One rule that held names back: who (n,), the number it saw (n,), and its bound."""

    code: Code
    names: Bools
    value: Floats
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class Permits:
    """What each name may do.

    low, high (n,): box for discretionary weights; hard_low, hard_high (n,): box nothing leaves,
    not even a cut. `force` (n,): code number of a commanded exit, 0 none. `gross_scale` multiplies
    the gross and net limits, `gross_cap` bounds gross alone. `gates` name the rules behind it;
    `spoken` speaks for the portfolio.
    """

    low: Floats
    high: Floats
    hard_low: Floats
    hard_high: Floats
    force: Codes
    gross_scale: float
    gates: tuple[Gate, ...]
    spoken: tuple[Reason, ...]
    watch: Watch
    gross_cap: float = np.inf

    def __post_init__(self) -> None:
        freeze(self, "low", "high", "hard_low", "hard_high", "force")

    def first_gate(self) -> Codes:
        """Per name (n,) the code number of the first gate that holds it, 0 none."""
        code = np.zeros(len(self.low), dtype=np.int16)
        for gate in reversed(self.gates):
            code[gate.names] = gate.code.number
        return code

    @property
    def frozen(self) -> Bools:
        """Names (n,) that nothing may move."""
        frozen: Bools = self.hard_low == self.hard_high
        return frozen


@dataclass(frozen=True, slots=True)
class Watch:
    """What the overrides remember: cycles in a row over a norm, and latches with their release.

    A latch is a code with the epoch seconds at which it fell; `cleared` is the operator's last
    clearing that was taken up.
    """

    vol_cycles: int = 0
    spread_cycles: int = 0
    latches: tuple[tuple[Code, float], ...] = ()
    cleared: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What is to be traded: `target` (n,) weights, `code` (n,) the final deciding code per name.

    `spoken` says what fired and what refused, for the portfolio.
    """

    target: Floats
    code: Codes
    spoken: tuple[Reason, ...]

    def __post_init__(self) -> None:
        freeze(self, "target", "code")


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders to send, working orders to cancel and to change, and what rounding did, per name.

    `replaces`: reductions, then raises; they leave after the cancels and before the orders.
    `denied`: orders that the gate took out, a raise as an order for what it adds; a note of each
    says why.
    """

    orders: tuple[Order, ...]
    cancels: tuple[str, ...]
    notes: tuple[Reason, ...]
    denied: tuple[Order, ...] = ()
    replaces: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What a run remembers between cycles: a fold of its journal.

    turnover_today L1 fraction of NAV; cut_at (n,): epoch nanoseconds of the last CUT_LOSER or
    CUT_DEAD_MONEY of a name, −1 none. NAV in USD: of the day's start (yesterday's last, where
    there is one, so that a night's gap counts), the highest, and the last seen. last_target (n,):
    what the engine last proposed, where the next solve may start; None at first. `skill`: the
    models' records; `sent`: what left for the broker today and just now.
    """

    universe: Universe
    book: Book
    working: tuple[WorkingOrder, ...]
    cycle: int
    day: str
    turnover_today: float
    start_nav: float
    peak_nav: float
    last_nav: float
    cut_at: Ints
    watch: Watch
    risk: RiskModel | None
    last_target: Floats | None = None
    skill: Skill = Skill()
    sent: Sent = Sent()

    def __post_init__(self) -> None:
        freeze(self, "cut_at")
        if self.last_target is not None:
            freeze(self, "last_target")


@dataclass(frozen=True, slots=True, eq=False)
class CycleRecord:
    """One cycle with all that went in and all that came out; no timings."""

    cycle_id: str
    state: State
    seen: Seen
    signal: Signal
    risk: RiskModel
    permits: Permits
    proposal: Proposal
    decision: Decision
    plan: Plan

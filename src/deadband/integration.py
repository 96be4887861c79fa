"""IBKROptimizationIntegration: a cycle, a broker and a journal behind three methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .backtest.run import Run
from .backtest.speakers import speakers
from .brokers.sim import SimBroker
from .core import align
from .core.arrays import Ints
from .core.bars import SessionBars
from .core.config import OptimizationConfig, Settings
from .core.correlation import Correlation, DenseCorrelation, FactorCorrelation, seal_correlation
from .core.errors import DataError, DeadbandError, MissingError
from .core.lint import lint, refuse_errors
from .core.reasons import BY_NUMBER, GLOBAL
from .core.seen import RiskGiven, Switch
from .core.types import CycleRecord
from .feeds.simulated import SCORE_EVERY, SimulatedMarket, simulated_market
from .journal.codec import content_hash
from .journal.store import JournalWriter, NoJournal

SIMULATED_DAYS = 5


class IBKROptimizationIntegration:
    """Runs decision cycles for a set of symbols; without a broker given, on a simulated market.

    The embedded broker and feed are seeded: the same calls give the same decisions. Each call is
    one five-minute bar. Every cycle is journaled when `journal` names a file. Positions, entry
    times and latches live from call to call; a cycle that fails trades nothing.
    """

    def __init__(
        self,
        config: OptimizationConfig | None = None,
        *,
        settings: Settings | None = None,
        seed: int = 7,
        journal: Path | None = None,
        switch: Callable[[datetime], Switch] = lambda _: Switch(),
    ) -> None:
        base = settings or Settings()
        self.settings = base if config is None else replace(base, optimize=config)
        refuse_errors(lint(self.settings))
        self.history: list[dict[str, Any]] = []
        self._seed, self._switch, self._path = seed, switch, journal
        self._given: tuple[tuple[str, ...], Correlation | None, Any] | None = None
        self._days: _Days | None = None

    def update_risk_model(
        self, symbols: Sequence[str], correlation_matrix: Any, beta_exposures: Any = None
    ) -> None:
        """State correlation (n, n) and betas (n,) in place of the estimate, from the next cycle on.

        The matrix is checked once, here; it may be an array, a labeled frame, a sealed
        correlation or a pair (loadings, specific).
        """
        names = tuple(symbols)
        correlation = seal_correlation(align.square(correlation_matrix, names), len(names))
        beta = beta_exposures
        if beta is not None:
            beta = align.vector(beta, names, "beta_exposures")
        self._given = names, correlation, beta

    def run_optimization_cycle(self, symbols: Sequence[str]) -> tuple[bool, dict[str, Any]]:
        """Decide, send and book one cycle for `symbols`; returns (success, summary).

        The summary holds cycle_id, asof, orders, denied (their number), changes, reason_codes, nav
        and status. Where `success` is False it holds `error` instead, and nothing was traded.
        """
        try:
            with threadpool_limits(limits=1, user_api="blas"):
                summary, success = _summary(self._cycle(tuple(symbols))), True
        except DeadbandError as fault:
            summary, success = {"error": str(fault), "orders": 0}, False
        self.history.append(summary)
        return success, summary

    def switch_engine_type(self, engine: str) -> None:
        """Use another engine from the next cycle on; positions and state stay."""
        settings = replace(self.settings, engine=engine)
        refuse_errors(lint(settings))
        self.settings = settings
        if self._days is not None:
            self._days.run.change(self.settings, self._days.now)

    def close(self) -> None:
        """End the run: its journal is complete then, and closed."""
        if self._days is not None:
            self._days.run.end(self._days.now)
            self._days.run.journal.close()
            self._days = None

    def _cycle(self, symbols: tuple[str, ...]) -> CycleRecord:
        if self._days is None:
            self._days = self._started(symbols)
        run = self._days.run
        known = run.tape.universe.symbols
        if set(symbols) != set(known):
            other = sorted(set(symbols) ^ set(known))
            raise DataError(
                f"this integration runs {len(known)} names; {', '.join(other[:5])} differ from "
                "them. Make a new integration for another universe."
            )
        run.risk_given = self._aligned(known)
        return self._days.next()

    def _started(self, symbols: tuple[str, ...]) -> _Days:
        market = simulated_market(self.settings, self._seed, symbols=symbols, days=SIMULATED_DAYS)
        tape = market.tape
        broker = SimBroker(
            tape.universe, self.settings.execution, self.settings.costs, tape.shortable
        )
        journal = NoJournal() if self._path is None else JournalWriter(self._path)
        own = None if self.settings.models else market.scores
        source = speakers(self.settings, tape, own).source
        run = Run(self.settings, tape, source, broker, journal, self._switch)
        run.open(market.sessions[0].open)
        return _Days(run, market)

    def _aligned(self, known: tuple[str, ...]) -> RiskGiven | None:
        """What the user stated, in the order of the universe."""
        if self._given is None:
            return None
        names, correlation, beta = self._given
        missing = sorted(set(known) - set(names))
        if missing:
            raise MissingError(
                f"update_risk_model was not told of {', '.join(missing[:5])}. "
                "Call it with every symbol of the cycle."
            )
        place = {symbol: i for i, symbol in enumerate(names)}
        order = np.array([place[symbol] for symbol in known], dtype=np.int64)
        arrays = [] if beta is None else [beta[order]]
        reordered = _reordered(correlation, order)
        if isinstance(reordered, DenseCorrelation):
            arrays.append(reordered.matrix)
        elif isinstance(reordered, FactorCorrelation):
            arrays += [reordered.loadings, reordered.specific]
        version = content_hash(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hex()
        return RiskGiven(reordered, None if beta is None else beta[order], version)


class _Days:
    """Walks a run bar by bar over the simulated sessions."""

    def __init__(self, run: Run, market: SimulatedMarket) -> None:
        self.run = run
        self._sessions = iter(market.sessions)
        self._bars: SessionBars | None = None
        self.now = market.sessions[0].open
        # The first scores of a session come after a few bars: begin where there is one.
        self._k = SCORE_EVERY

    def next(self) -> CycleRecord:
        if self._bars is None:
            session = next(self._sessions, None)
            if session is None:
                raise DataError(
                    f"the {SIMULATED_DAYS} simulated sessions are over. Make a new integration, "
                    "or run recorded files with `deadband run`."
                )
            self._bars = self.run.tape.day(session)
        # Counted before it is run: a bar that failed half-way is never given to the broker again.
        k, self._k = self._k, self._k + 1
        record = self.run.bar(self._bars, k)
        self.now = record.seen.now
        if self._k > len(self._bars):
            self.run.close(self._bars)
            self._bars, self._k = None, 1
        return record


def _reordered(correlation: Correlation | None, order: Ints) -> Correlation | None:
    if isinstance(correlation, DenseCorrelation):
        return DenseCorrelation(correlation.matrix[np.ix_(order, order)], correlation.repair)
    if isinstance(correlation, FactorCorrelation):
        return FactorCorrelation(correlation.loadings[order], correlation.specific[order])
    return None


def _summary(record: CycleRecord) -> dict[str, Any]:
    symbols, decision = record.state.universe.symbols, record.decision
    current = record.seen.portfolio.weights
    codes = {s: BY_NUMBER[int(c)].value for s, c in zip(symbols, decision.code, strict=True)}
    spoken = decision.spoken[0].code.value if decision.spoken else ""
    return {
        "cycle_id": record.cycle_id,
        "asof": record.seen.now.isoformat(),
        "orders": len(record.plan.orders),
        "amended": len(record.plan.replaces),
        "denied": len(record.plan.denied),
        "changes": [
            {"symbol": symbols[i], "from": float(current[i]), "to": float(decision.target[i])}
            for i in np.flatnonzero(decision.target != current).tolist()
        ],
        "reason_codes": codes | {GLOBAL: spoken},
        "nav": record.seen.portfolio.nav,
        "status": record.proposal.status,
        "engine": record.proposal.engine,
    }

"""What an engine says of its answer: the `info` dict, its codes rendered when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.arrays import Floats
from ..core.config import OptimizationConfig
from ..core.errors import ConfigError
from ..core.problem import Problem, Proposal
from ..core.reasons import BY_NUMBER, GLOBAL, Code
from ..core.seen import Codes
from ..optimize.certify import certify

FEW = 4


class ReasonCodes(Mapping[str, Code]):
    """Symbol → deciding code, and "GLOBAL" → the portfolio's; rendered when read."""

    def __init__(self, symbols: Sequence[str], code: Codes, spoken: Code) -> None:
        self._symbols, self._code, self._spoken = symbols, code, spoken
        self._place: dict[str, int] | None = None
        self._asked = 0

    def __getitem__(self, symbol: str) -> Code:
        if symbol == GLOBAL:
            return self._spoken
        return BY_NUMBER[int(self._code[self._find(symbol)])]

    def _find(self, symbol: str) -> int:
        """Looked up one by one at first: a dict of 100,000 names costs more than the decision."""
        self._asked += 1
        if self._place is None and self._asked <= FEW:
            try:
                return self._symbols.index(symbol)
            except ValueError as fault:
                raise KeyError(symbol) from fault
        if self._place is None:
            self._place = {name: i for i, name in enumerate(self._symbols)}
        return self._place[symbol]

    def __iter__(self) -> Iterator[str]:
        yield from self._symbols
        yield GLOBAL

    def __len__(self) -> int:
        return len(self._symbols) + 1

    def __repr__(self) -> str:
        return repr({symbol: code.value for symbol, code in self.items()})


def info_of(proposal: Proposal, weights: Floats, code: Codes, spoken: Code) -> dict[str, Any]:
    problem, certificate = proposal.problem, proposal.certificate
    if weights is not proposal.weights:
        # The book that is returned is the one that is checked, bands and all.
        certificate = certify(problem, weights)
    proof = certificate.proof
    return {
        "changes": _changes(problem, weights, code),
        "reason_codes": ReasonCodes(problem.symbols, code, spoken),
        "status": proposal.status,
        "objective_value": certificate.objective,
        "engine": proposal.engine,
        "method": proposal.engine if proof is None else proof.methods[-1],
        "why": proposal.why,
        "rounding_gap": 0.0 if proof is None else proof.rounding,
        "correlation_repair": 0.0 if problem.correlation is None else problem.correlation.repair,
        "relaxed": dict(proposal.relaxed),
        "certificate": certificate,
    }


def gap_of(
    problem: Problem, config: OptimizationConfig, weights: Floats, asked: object
) -> Mapping[str, float] | None:
    """What `weights` (n,) leave against the optimum, in units of U; None where limits conflict.

    `asked` True: mandate, heuristic and total (SEMANTICS §5); "bound": a bound of the total.
    """
    # Loaded when asked for, with the solvers behind it.
    from ..optimize.gap import gap_bound, optimality_gap

    if asked is True:
        return optimality_gap(problem, config, weights)
    if asked == "bound":
        return gap_bound(problem, weights)
    raise ConfigError((f"gap={asked!r} is expected to be True, False or 'bound'.",))


def _changes(problem: Problem, weights: Floats, code: Codes) -> list[dict[str, Any]]:
    """One row for each name whose weight changes."""
    moved = (weights != problem.current).nonzero()[0]
    symbols, before, after = problem.symbols, problem.current[moved], weights[moved]
    rows = zip(moved.tolist(), before.tolist(), after.tolist(), code[moved].tolist(), strict=True)
    return [
        {"symbol": symbols[i], "from": w, "to": v, "delta": v - w, "reason": BY_NUMBER[number]}
        for i, w, v, number in rows
    ]

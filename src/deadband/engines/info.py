"""What an engine says of its answer: the `info` dict, its codes rendered when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.arrays import Floats
from ..core.reasons import BY_NUMBER, GLOBAL, Code
from ..core.seen import Codes
from ..core.types import Proposal
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
    problem = proposal.problem
    changes = [
        {
            "symbol": problem.symbols[i],
            "from": float(problem.current[i]),
            "to": float(weights[i]),
            "delta": float(weights[i] - problem.current[i]),
            "reason": BY_NUMBER[int(code[i])],
        }
        for i in np.flatnonzero(weights != problem.current).tolist()
    ]
    # The book that is returned is the one that is checked, bands and all.
    certificate = certify(problem, weights)
    return {
        "changes": changes,
        "reason_codes": ReasonCodes(problem.symbols, code, spoken),
        "status": proposal.status,
        "objective_value": certificate.objective,
        "engine": proposal.engine,
        "why": proposal.why,
        "correlation_repair": 0.0 if problem.correlation is None else problem.correlation.repair,
        "relaxed": dict(proposal.relaxed),
        "certificate": certificate,
    }

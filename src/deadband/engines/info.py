"""What an engine says of its answer: the `info` dict, its codes rendered when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.arrays import Floats
from ..core.reasons import BY_NUMBER, GLOBAL, Code
from ..core.seen import Codes
from ..core.types import Proposal
from ..optimize.objective import utility


class ReasonCodes(Mapping[str, Code]):
    """Symbol → deciding code, and "GLOBAL" → the portfolio's; rendered when read."""

    def __init__(self, symbols: Sequence[str], code: Codes, spoken: Code) -> None:
        self._symbols, self._code, self._spoken = symbols, code, spoken
        self._place: dict[str, int] | None = None

    def __getitem__(self, symbol: str) -> Code:
        if symbol == GLOBAL:
            return self._spoken
        if self._place is None:
            self._place = {name: i for i, name in enumerate(self._symbols)}
        return BY_NUMBER[int(self._code[self._place[symbol]])]

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
    return {
        "changes": changes,
        "reason_codes": ReasonCodes(problem.symbols, code, spoken),
        "status": proposal.status,
        "objective_value": utility(problem, weights),
        "engine": proposal.engine,
        "relaxed": dict(proposal.relaxed),
        "certificate": proposal.certificate,
    }

"""Types of the compiled kernel; see kernel/README.md."""

from ..core.arrays import Floats, Ints
from ..core.config import OptimizationConfig
from ..core.problem import Problem
from ..core.seen import Codes
from .exact.program import Program

def rotate(
    problem: Problem, config: OptimizationConfig
) -> tuple[Floats, Codes, Codes, Ints, Floats, Floats, Floats]:
    """Weights (n,), then code, limit, counterpart, gap, gain, cost (n,), all fresh."""

def active_set(
    program: Program,
    start: Floats,
    start_prices: Floats,
    most_pivots: int,
    most_free: int,
    snap: float,
    descend: bool = False,
) -> tuple[Floats, Floats, int, int, int, int]:
    """Weights (n,), prices (limits,), how it ended, pivots, most free names, full pricings."""

def margins(
    problem: Problem,
    program: Program,
    row_limit: Codes,
    weights: Floats,
    prices: Floats,
    risk: Floats,
    half_borrow: Floats | None,
) -> tuple[Codes, Codes, Floats]:
    """Code, limit and gain (n,) of every name at an optimum; row_limit (R,) Limit.number."""

def interior(program: Program, accuracy: float) -> tuple[Floats, Floats, int, bool]:
    """Weights (n,), prices (limits,), iterations, whether it converged."""

"""The problem of instances.py as one quadratic program, in the shape that solvers take.

    columns  w (n), s ≥ 0 (n) sold, q ≥ 0 (n) short, y (k) factors; each only where it is needed
    with     w + s ≥ home,  w + q ≥ 0,  y = Bᵀw
             Σ|w − home| = Σ(w + 2s) − Σhome  and  Σ|w| = Σ(w + 2q)  at the optimum

One row a kink where the usual p ≥ ±(w − home) takes two: the leanest form that general solvers can
be given. Matrices are made once; a cycle changes vectors only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from instances import NEVER, Cycle, Setting

from deadband.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """What a cycle asks: minimize ½xᵀPx + cᵀx, Ex = e, below ≤ Gx ≤ above, low ≤ x ≤ high.

    `constant` is what the value lacks: value + constant = −U.
    """

    linear: Floats
    below: Floats
    above: Floats
    low: Floats
    high: Floats
    constant: float


class Epigraph:
    """P, E, e, G of a setting, and the vectors of each cycle."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        n = setting.size
        self.moves = setting.capped or bool(setting.costs.any())
        self.sizes = setting.shorts
        self.factors = 0 if setting.factors is None else setting.scaled_factors[0].shape[1]
        self.sold = n
        self.short = self.sold + n * self.moves
        self.exposures = self.short + n * self.sizes
        self.columns = self.exposures + self.factors
        self.quadratic = self._quadratic()
        self.equal, self.equals = self._equalities()
        self.limits = self._limits()

    def vectors(self, cycle: Cycle) -> Vectors:
        setting, n = self.setting, self.setting.size
        config, prices = setting.config, setting.prices
        linear = np.zeros(self.columns)
        linear[:n] = -setting.scale * cycle.scores
        below, above = [], []
        if self.moves:
            linear[:n] += prices
            linear[n : 2 * n] = 2.0 * prices
            below.append(cycle.home)
            above.append(np.full(n, NEVER))
        if self.sizes:
            below.append(np.zeros(n))
            above.append(np.full(n, NEVER))
        sides = [config.sector_cap] * len(setting.sector_rows)
        if not setting.invested:
            # Without shorts gross is net.
            gross = NEVER if self.sizes else config.max_gross_exposure
            sides.append(min(config.max_net_exposure, gross))
        if setting.beta is not None:
            sides.append(config.beta_tolerance)
        tops = [config.max_turnover + cycle.home.sum()] if setting.capped else []
        tops += [config.max_gross_exposure] if self.sizes else []
        low, high = np.full(self.columns, -NEVER), np.full(self.columns, NEVER)
        low[:n], high[:n] = setting.box(cycle.home)
        low[n : self.exposures] = 0.0
        return Vectors(
            linear=linear,
            below=np.concatenate([*below, -np.array(sides), np.full(len(tops), -NEVER)]),
            above=np.concatenate([*above, np.array(sides), np.array(tops)]),
            low=low,
            high=high,
            constant=-float(prices @ cycle.home) if self.moves else 0.0,
        )

    def _quadratic(self) -> sp.csc_matrix:
        setting, n = self.setting, self.setting.size
        twice = 2.0 * setting.config.lambda_risk
        if setting.factors is not None:
            diagonal = np.zeros(self.columns)
            diagonal[:n] = twice * setting.scaled_factors[1]
            diagonal[self.exposures :] = twice
            return sp.diags(diagonal, format="csc")
        rest = self.columns - n
        risk = sp.csc_matrix(twice * setting.sigma)
        return sp.block_diag([risk, sp.csc_matrix((rest, rest))], format="csc")

    def _equalities(self) -> tuple[sp.csc_matrix, Floats]:
        n, rows, values = self.setting.size, [sp.csc_matrix((0, self.columns))], [np.zeros(0)]
        if self.setting.invested:
            rows.append(self._row({0: np.ones(n)}))
            values.append(np.ones(1))
        if self.factors:
            loadings = sp.csc_matrix(self.setting.scaled_factors[0].T)
            between = sp.csc_matrix((self.factors, self.exposures - n))
            rows.append(sp.hstack([loadings, between, -sp.identity(self.factors)]))
            values.append(np.zeros(self.factors))
        return sp.vstack(rows, format="csc"), np.concatenate(values)

    def _limits(self) -> sp.csc_matrix:
        setting, n = self.setting, self.setting.size
        one, blocks = np.ones(n), []
        if self.moves:
            blocks.append(self._names(self.sold))
        if self.sizes:
            blocks.append(self._names(self.short))
        blocks += [self._row({0: row}) for row in setting.sector_rows]
        if not setting.invested:
            blocks.append(self._row({0: one}))
        if setting.beta is not None:
            blocks.append(self._row({0: setting.beta}))
        if setting.capped:
            blocks.append(self._row({0: one, self.sold: 2.0 * one}))
        if self.sizes:
            blocks.append(self._row({0: one, self.short: 2.0 * one}))
        return sp.vstack(blocks, format="csc")

    def _names(self, start: int) -> sp.csc_matrix:
        """A row a name: w + the column of that name from `start` on."""
        n = self.setting.size
        each = np.arange(n)
        places = (np.tile(each, 2), np.concatenate([each, start + each]))
        return sp.csc_matrix((np.ones(2 * n), places), shape=(n, self.columns))

    def _row(self, parts: dict[int, Floats]) -> sp.csc_matrix:
        """One row with coefficients (n,) on the columns from each start on."""
        row = np.zeros(self.columns)
        for start, values in parts.items():
            row[start : start + len(values)] = values
        return sp.csc_matrix(row[None, :])


@lru_cache(maxsize=1)
def epigraph(setting: Setting) -> Epigraph:
    """The epigraph of a setting, made once for all solvers."""
    return Epigraph(setting)


class OneSided:
    """The inequalities of an epigraph as Fx ≤ f, for solvers that know no two-sided rows."""

    def __init__(self, form: Epigraph, first: Vectors) -> None:
        # Which bounds are there is the same in every cycle.
        self.tops, self.bottoms = np.isfinite(first.above), np.isfinite(first.below)
        self.highs, self.lows = np.isfinite(first.high), np.isfinite(first.low)
        unit = sp.identity(form.columns, format="csr")
        limits = form.limits.tocsr()
        parts = [limits[self.tops], -limits[self.bottoms], unit[self.highs], -unit[self.lows]]
        self.matrix = sp.vstack(parts, format="csc")

    def bounds(self, vectors: Vectors) -> Floats:
        return np.concatenate(
            [
                vectors.above[self.tops],
                -vectors.below[self.bottoms],
                vectors.high[self.highs],
                -vectors.low[self.lows],
            ]
        )

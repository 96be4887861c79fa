"""The reference zoo: textbook signals that need no model of the user's, so that everything runs.

Every score is divided by the name's own volatility where it is a return, set against the other
names by median and MAD, and means z: + is better to be long. They are old and published, and what
they earned is long gone or smaller than its cost: docs/features.md has what they are worth on
recorded days. `needs` may be swapped for features of the same kind: a week's reversal is
`Reversal(name="reversal_5d", needs=("return_5d", "realized_vol_1d"), horizon_min=1950.0)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..core.arrays import Bools, Floats, median
from ..core.features import Features
from ..core.ports import Model

OUTLIER = 3.0
"""z beyond which a name is pulled back."""
LEAST_NAMES = 5
"""Names that must be known before any is set against the others."""
HALF_HOUR = 30.0


@dataclass(frozen=True, slots=True)
class Reversal:
    """What fell against the others in the last half hour is expected to come back.

    B. N. Lehmann, Fads, martingales, and market efficiency, Quarterly Journal of Economics 105
    (1990), weighs names by −(return − mean return) of last week, as N. Jegadeesh, Evidence of
    predictable behavior of security returns, Journal of Finance 45 (1990), does for the month. Of
    half hours: S. L. Heston, R. A. Korajczyk, R. Sadka, Intraday patterns in the cross-section of
    stock returns, Journal of Finance 65 (2010).
    """

    name: str = "reversal"
    version: str = "1"
    unit: str = "z"
    horizon_min: float = HALF_HOUR
    needs: tuple[str, ...] = ("return_30m", "realized_vol_1d")

    def score(self, features: Features) -> Floats:
        moved, sigma = features.rows(self.needs)
        return standardized(-scaled(moved, sigma), features.universe.traded)


@dataclass(frozen=True, slots=True)
class Momentum:
    """The first half hour, counted from the last close, goes on in the last one; silent before.

    L. Gao, Y. Han, S. Z. Li, G. Zhou, Market intraday momentum, Journal of Financial Economics 129
    (2018), show it for the market as a whole; here it is taken across names.
    """

    name: str = "momentum"
    version: str = "1"
    unit: str = "z"
    horizon_min: float = HALF_HOUR
    needs: tuple[str, ...] = ("opening_return_30m", "realized_vol_1d", "to_close_min")

    def score(self, features: Features) -> Floats:
        moved, sigma, left_min = features.rows(self.needs)
        last = left_min <= self.horizon_min
        return standardized(scaled(moved, sigma), features.universe.traded & last)


@dataclass(frozen=True, slots=True)
class Periodicity:
    """What rose at this time of day on earlier days rises at it again.

    Heston, Korajczyk, Sadka (2010), as above: returns of a half hour continue at whole days.
    """

    name: str = "periodicity"
    version: str = "1"
    unit: str = "z"
    horizon_min: float = HALF_HOUR
    needs: tuple[str, ...] = ("slot_return_30m", "realized_vol_1d")

    def score(self, features: Features) -> Floats:
        moved, sigma = features.rows(self.needs)
        return standardized(scaled(moved, sigma), features.universe.traded)


@dataclass(frozen=True, slots=True)
class VwapDistance:
    """A price above its session's average price is expected to come back to it.

    A rule of the trading floor, not of a paper: S. A. Berkowitz, D. E. Logue, E. A. Noser, The
    total cost of transactions on the NYSE, Journal of Finance 43 (1988), make VWAP the fair price.
    """

    name: str = "vwap_distance"
    version: str = "1"
    unit: str = "z"
    horizon_min: float = HALF_HOUR
    needs: tuple[str, ...] = ("vwap_distance", "realized_vol_1d")

    def score(self, features: Features) -> Floats:
        distance, sigma = features.rows(self.needs)
        return standardized(-scaled(distance, sigma), features.universe.traded)


@dataclass(frozen=True, slots=True)
class OvernightGap:
    """What opened high against the others gives some of it back during the day.

    H. Berkman, P. D. Koch, L. Tuttle, Y. J. Zhang, Paying attention: overnight returns and the
    hidden cost of buying at the open, Journal of Financial and Quantitative Analysis 47 (2012).
    """

    name: str = "overnight_gap"
    version: str = "1"
    unit: str = "z"
    horizon_min: float = HALF_HOUR
    needs: tuple[str, ...] = ("overnight_gap", "realized_vol_1d")

    def score(self, features: Features) -> Floats:
        gap, sigma = features.rows(self.needs)
        return standardized(-scaled(gap, sigma), features.universe.traded)


@dataclass(frozen=True, slots=True)
class VolumeShock:
    """What trades more than is usual at the time of day is bought by those who now see it.

    S. Gervais, R. Kaniel, D. H. Mingelgrin, The high-volume return premium, Journal of Finance 56
    (2001), of days and weeks; here of half hours.
    """

    name: str = "volume_shock"
    version: str = "1"
    unit: str = "z"
    horizon_min: float = HALF_HOUR
    needs: tuple[str, ...] = ("volume_ratio",)

    def score(self, features: Features) -> Floats:
        (ratio,) = features.rows(self.needs)
        shock = np.log(ratio, out=np.full(len(ratio), np.nan), where=ratio > 0)
        return standardized(shock, features.universe.traded)


REFERENCE_ZOO: tuple[Model, ...] = (
    Reversal(),
    Momentum(),
    Periodicity(),
    VwapDistance(),
    OvernightGap(),
    VolumeShock(),
)
REFERENCE_MODELS: Mapping[str, Model] = {model.name: model for model in REFERENCE_ZOO}
"""Models by name, as a configuration asks for them."""


def scaled(moved: Floats, sigma: Floats) -> Floats:
    """A return (n,) in units of the name's σ; NaN where σ is not known or zero."""
    unknown = np.full(len(sigma), np.nan)
    ratio: Floats = np.divide(moved, sigma, out=unknown, where=sigma > 0)
    return ratio


def standardized(values: Floats, among: Bools) -> Floats:
    """z (n,) of each name against the others `among` it (n,), NaN where there is nothing to say.

    (x − median) / (1.4826·MAD), pulled back to ±3: MAD is the median distance from the median, and
    1.4826 makes it σ of a normal (F. R. Hampel, The influence curve and its role in robust
    estimation, JASA 69 (1974)). Where more than half are equal the mean distance stands in.
    """
    known = np.isfinite(values) & among
    z = np.full(len(values), np.nan)
    if np.count_nonzero(known) < LEAST_NAMES:
        return z
    chosen = values[known]
    away = chosen - median(chosen)
    spread = 1.4826 * median(np.abs(away)) or np.sqrt(np.pi / 2) * float(np.abs(away).mean())
    if spread > 0:
        z[known] = np.clip(away / spread, -OUTLIER, OUTLIER)
    return z

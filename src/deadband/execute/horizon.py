"""How long to take over an order: what waiting costs of the edge against what haste costs.

With an edge that arrives as α(t) = α₀(1 − e^(−t/τ)) and even trading over T, in fractions of price,

    waiting(T) = α₀ · [1 − (τ/T)(1 − e^(−T/τ))]
    impact(T)  = η · σ_day · (X / (ADV · T))^0.6        T in days of 390 minutes
    risk(T)    = λ' · σ_day · √(T/3)

and T* is the T in [shortest, longest] with the least sum. The impact term is that of Almgren, Thum,
Hauptmann and Li, "Direct estimation of equity market impact" (2005), η = 0.142; the risk term is
the standard deviation of an even schedule's price, off by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log, sqrt

from ..core.session import SESSION_MIN

ETA = 0.142
EXPONENT = 0.6
SHORTEST_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Haste:
    """What bears on the horizon of one order: edge and σ as fractions, τ in minutes.

    `share` is the order over average daily volume; `risk_price` is λ', cost per unit of deviation.
    """

    alpha: float
    tau_min: float
    sigma_day: float
    share: float
    risk_price: float = 0.0


def slippage(minutes: float, haste: Haste) -> float:
    """Expected cost, as a fraction of price, of trading evenly over `minutes`."""
    days, decay = minutes / SESSION_MIN, minutes / haste.tau_min
    waiting = haste.alpha * (1.0 + expm1(-decay) / decay)
    impact = ETA * haste.sigma_day * float((haste.share / days) ** EXPONENT)
    return waiting + impact + haste.risk_price * haste.sigma_day * sqrt(days / 3.0)


def horizon(haste: Haste, longest_min: float) -> float:
    """T* in minutes, by a bounded search over log T; the shortest where nothing speaks for time."""
    # Imported here: SciPy's optimizers take a while to load, and most orders have no edge stated.
    from scipy.optimize import minimize_scalar

    if longest_min <= SHORTEST_MIN:
        return longest_min
    found = minimize_scalar(
        lambda logarithm: slippage(2.0**logarithm, haste),
        bounds=(log(SHORTEST_MIN, 2), log(longest_min, 2)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    ends = (SHORTEST_MIN, 2.0 ** float(found.x), longest_min)
    return float(min(ends, key=lambda minutes: slippage(minutes, haste)))

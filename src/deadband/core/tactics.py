"""How the algorithms of room execute work an order: times, ladders, rates and budgets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tactics:
    """How orders are worked where quotes are seen, whatever the algorithm."""

    horizon_min: float = 5.0
    """Minutes an order is given, where neither its size nor its alpha says otherwise."""
    start_at: float = 0.0
    """Where a resting price begins, in spreads from the near touch: 0 joins it, 0.5 is the mid."""
    rungs: int = 2
    """Steps of the ladder from start_at towards the far touch."""
    cross_at: float = 0.8
    """Share of its time after which an order, or a slice, crosses the spread."""
    adverse_spreads: float = 0.0
    """Cross early once the mid has run away by this many spreads since arrival; 0: never."""
    imbalance: float = 0.0
    """Cross early once the near touch shows this many times the far touch's size; 0: never."""
    sweep_bps: float = 5.0
    """How far through the far touch a crossing price may reach, collar_bps allowing."""
    max_spread_bps: float = 50.0
    """No crossing at a wider spread; the order rests and waits."""
    min_reprice_s: float = 5.0
    """Least seconds between two changes of a resting order."""
    max_replaces: int = 6
    """Changes of an order, or of each slice, at most; one more may cross."""
    slices: int = 10
    """Slices of a schedule."""
    jitter: float = 0.5
    """Share of a slice by which its start is moved, by a hash of the order's id."""
    complete: bool = True
    """Cross what a schedule has due by the end of each slice; false: only rest, drop the rest."""
    participation: float = 0.1
    """Share of the market's volume that pov follows."""
    min_participation: float = 0.05
    """Share under which pov crosses to catch up."""
    max_participation: float = 0.2
    """Share that pov never passes."""
    risk_aversion: float = 1e-6
    """λ of arrival's schedule, per USD: how much variance of the shortfall is worth."""
    close_cutoff_min: float = 10.0
    """Minutes before the close after which no auction order is sent or changed (NYSE: 15:50)."""
    close_limit_bps: float = 50.0
    """Limit of an auction order, from the mid, within the collar; 0: market-on-close, without."""
    slice_share: float = 0.005
    """Share of average daily volume from which on auto slices an order."""
    peg_spread_bps: float = 15.0
    """Spread from which on auto pegs to the mid instead of joining the touch."""
    alpha_tau_min: float = 30.0
    """Time constant τ of an edge's decay, α(t) = α₀(1 − e^(−t/τ)), for the horizon of an order."""
    max_horizon_min: float = 60.0
    """Longest time that alpha and impact may give an order."""
    corridor: float = 0.01
    """|net filled − planned net| at most while the legs of a basket fill, share of NAV."""
    beta_corridor: float = 0.01
    """The same of beta."""
    messages_per_s: int = 40
    """New, replace and cancel messages in any second at most, over all orders."""

"""Transaction cost analysis: what trading cost, why, and what the cost model should learn of it."""

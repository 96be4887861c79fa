"""Whole lots and least trades, from an optimum that knows neither."""

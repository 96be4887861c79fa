"""A model that is a function: half an hour's move is expected to give a little of itself back."""

SHARE = 0.02
"""What a move gives back within the next half hour."""


def fade(features):
    """Expected return over the next 30 minutes (n,), bps."""
    (move,) = features.rows(("return_30m",))
    return -SHARE * move * 1e4

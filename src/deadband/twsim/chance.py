"""Chance that is looked up, not drawn in turn: a seed and a name of the event give the number.

So nothing depends on who asked first: two clients, or none, see the same market and the same
accidents for the same seed.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()


def uniform(seed: int, *event: object) -> float:
    """A number strictly between 0 and 1 that belongs to the event."""
    digest = blake2b(repr((seed, *event)).encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53


@lru_cache(maxsize=65_536)
def normal(seed: int, *event: object) -> float:
    """A standard normal number that belongs to the event."""
    return _NORMAL.inv_cdf(uniform(seed, *event))

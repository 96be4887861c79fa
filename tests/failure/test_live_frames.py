"""Killed before or after any frame that leaves or is read: the next start ends with the same books.

A part of the places here, spread over the session; `make torture` dies at every one. The records
of the journal are all in `test_live_crash.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ..kit.death import Boundary
from ..kit.torture.boundaries import crossings, deaths, die

PARTS = 4
EVERY = {Boundary.SEND: 5, Boundary.RECEIVE: 31}
"""Of so many places one is died at."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("boundary", EVERY, ids=str)
def test_killed_at_a_frame_the_next_start_ends_with_the_gateways_books(
    tmp_path: Path, boundary: Boundary, part: int
) -> None:
    crossed = crossings(tmp_path / "undisturbed.db")
    places = [death for death in deaths(crossed) if death.boundary is boundary]
    assert len(places) > 100
    for death in places[part * EVERY[boundary] :: PARTS * EVERY[boundary]]:
        die(tmp_path / f"{death}.db", death)

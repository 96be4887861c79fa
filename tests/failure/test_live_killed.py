"""Killed for real: SIGKILL to a process on a socket, at random moments, again and again.

The moments are not the same twice; what has to hold is. The journal is on a disk and synced.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deadband.backtest.replay import replay

from ..kit.killed import kill_often

KILLS = 20


@pytest.mark.timeout(600)
def test_killed_by_the_operating_system_again_and_again_nothing_is_doubled_or_lost(
    tmp_path: Path,
) -> None:
    world, came = kill_often(tmp_path / "journal.db", KILLS, seed=1)
    assert came.kills == KILLS
    assert world.kinds()["RESUMED"] > 1
    assert replay(world.path).differences == ()

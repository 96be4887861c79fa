"""What many tests read and none may change: one simulated day, run once."""

from pathlib import Path

import pytest

from deadband.backtest.start import drive, prepare_simulated
from deadband.core.config import Settings


@pytest.fixture(scope="session")
def simulated_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the simulated day of seed 7, as `deadband run` writes it."""
    journal = tmp_path_factory.mktemp("day") / "journal.db"
    drive(prepare_simulated(Settings(), seed=7), journal, lambda _: None)
    return journal

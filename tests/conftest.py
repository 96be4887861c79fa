"""What many tests read and none may change: one simulated day, run once, or a journal of yours.

`pytest tests/reference/test_ledger_ties_out.py --journal FILE` ties out any run.
"""

from pathlib import Path

import pytest

from deadband.backtest.start import drive, prepare_simulated
from deadband.core.config import Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--journal", type=Path, help="tie out this journal, not a simulated day")


@pytest.fixture(scope="session")
def journal_to_tie_out(request: pytest.FixtureRequest) -> Path:
    """The journal named with --journal, else the simulated day."""
    named: Path | None = request.config.getoption("--journal")
    if named is not None:
        return named
    simulated: Path = request.getfixturevalue("simulated_day")
    return simulated


@pytest.fixture(scope="session")
def simulated_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the simulated day of seed 7, as `deadband run` writes it."""
    journal = tmp_path_factory.mktemp("day") / "journal.db"
    drive(prepare_simulated(Settings(), seed=7), journal, lambda _: None)
    return journal

"""Every session we ship opens and closes when exchange_calendars says the NYSE does."""

import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import exchange_calendars
import pytest

from deadband.core.session import open_minutes, sessions_between
from deadband.core.session_table import FIRST_DAY, LAST_DAY

TOOL = Path(__file__).parents[2] / "tools/make_session_table.py"

# exchange_calendars 4.13 uses what pandas 3.1 deprecates; neither is in the decision path.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")

Hours = dict[date, tuple[datetime, datetime]]


@pytest.fixture(scope="module")
def theirs() -> Hours:
    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_DAY, end=LAST_DAY)
    rows = calendar.schedule[["open", "close"]].itertuples()
    return {
        day.date(): (opens.to_pydatetime(), closes.to_pydatetime()) for day, opens, closes in rows
    }


@pytest.fixture(scope="module")
def ours() -> Hours:
    return {s.day: (s.open, s.close) for s in sessions_between(FIRST_DAY, LAST_DAY)}


def test_the_same_days_have_sessions(ours: Hours, theirs: Hours) -> None:
    assert list(ours) == list(theirs)


def test_every_session_opens_and_closes_at_the_same_instant(ours: Hours, theirs: Hours) -> None:
    differ = {day: (ours[day], theirs[day]) for day in ours if ours[day] != theirs[day]}
    assert differ == {}


def test_daylight_saving_changes_lie_inside_the_range(theirs: Hours) -> None:
    """Without them the comparison above would say nothing about the weeks around a change."""
    hours = [opens.hour for opens, _ in theirs.values()]
    changes = sum(a != b for a, b in pairwise(hours))
    assert changes >= 2 * (LAST_DAY.year - FIRST_DAY.year)


def test_the_whole_range_holds_the_same_open_minutes(theirs: Hours) -> None:
    minutes = sum((closes - opens).total_seconds() / 60 for opens, closes in theirs.values())
    first = datetime(1998, 1, 2, tzinfo=UTC)
    assert open_minutes(first, max(theirs.values())[1]) == minutes


def test_the_shipped_table_is_what_the_tool_would_write() -> None:
    check = subprocess.run([sys.executable, TOOL, "--check"], capture_output=True, check=False)
    assert check.returncode == 0, check.stderr.decode()

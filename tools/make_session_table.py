"""Writes src/deadband/core/session_table.py, the NYSE holidays and half-days we ship.

    python tools/make_session_table.py            # from 1998 to as far as exchange_calendars looks
    python tools/make_session_table.py --check    # exit 1 if the shipped table is not current

The check stays inside the shipped table's own range: exchange_calendars looks one year ahead of
today, so without that rule yesterday's table would be out of date every morning.
"""

import argparse
import runpy
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import exchange_calendars

TABLE = Path(__file__).parents[1] / "src/deadband/core/session_table.py"
FIRST_DAY = date(1998, 1, 1)
OPEN, CLOSE = "09:30", "16:00"
SATURDAY = 5

HEADER = '''\
"""NYSE holidays and half-days, as data; `deadband.core.session` reads it.

Generated from exchange_calendars (XNYS) by `python tools/make_session_table.py`. Do not edit.
Days are month-day under their year; times are exchange clock. Regular sessions run 09:30 to 16:00.
Opens that were delayed (noon on 2002-09-11, a minute or so on five other days to 2006) and the
floor's stop at 15:56 on 2005-06-01 are not known to exchange_calendars, and so not to us.
"""
'''


def main() -> int:
    """Write the table, or with --check only say whether it is current."""
    parser = argparse.ArgumentParser(description="Write or check the NYSE session table.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if not current")
    if not parser.parse_args().check:
        TABLE.write_text(source(FIRST_DAY, None), encoding="utf-8")
        return 0
    if is_current():
        return 0
    print(f"{TABLE} is not current. Run `python tools/make_session_table.py`.", file=sys.stderr)
    return 1


def is_current() -> bool:
    """Whether generating the shipped range again gives the shipped file, byte for byte."""
    if not TABLE.exists():
        return False
    shipped = runpy.run_path(str(TABLE))
    again = source(shipped["FIRST_DAY"], shipped["LAST_DAY"])
    return TABLE.read_text(encoding="utf-8") == again


def source(first: date, last: date | None) -> str:
    """Render the table as Python; `last` None means as far as exchange_calendars looks."""
    clocks = session_clocks(first, last)
    last = last or max(clocks)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    holidays = [day for day in days if day.weekday() < SATURDAY and day not in clocks]
    return "\n".join(
        [
            HEADER,
            "from datetime import date",
            "",
            f"FIRST_DAY = date({first.year}, {first.month}, {first.day})",
            f"LAST_DAY = date({last.year}, {last.month}, {last.day})",
            "",
            "# Weekdays without a session, by year.",
            "HOLIDAYS = {",
            *by_year(holidays, indent=4),
            "}",
            "",
            "# Sessions that end early: closing time, then days by year.",
            "EARLY_CLOSES = {",
            *early_closes(clocks),
            "}",
            "",
        ]
    )


def session_clocks(first: date, last: date | None) -> dict[date, str]:
    """Closing clock time of every session; stop at what the table has no words for."""
    calendar = exchange_calendars.get_calendar("XNYS", start=first, end=last)
    clocks = {}
    for day, *hours in calendar.schedule[["open", "close"]].itertuples():
        opens, closes = (f"{t.tz_convert(calendar.tz):%H:%M}" for t in hours)
        if opens != OPEN or closes > CLOSE:
            sys.exit(
                f"{day:%Y-%m-%d} runs {opens} to {closes}, but the table can only say that a "
                f"session ends before {CLOSE}. Teach this tool and core/session.py late opens."
            )
        clocks[day.date()] = closes
    return clocks


def early_closes(clocks: dict[date, str]) -> list[str]:
    """One block of lines per early closing time."""
    lines = []
    for clock in sorted(set(clocks.values()) - {CLOSE}):
        days = (day for day, closes in clocks.items() if closes == clock)
        lines += [f'    "{clock}": {{', *by_year(days, indent=8), "    },"]
    return lines


def by_year(days: Iterable[date], indent: int) -> list[str]:
    """One line per year: `2026: "11-27 12-24",`."""
    years: dict[int, list[str]] = defaultdict(list)
    for day in sorted(days):
        years[day.year].append(f"{day:%m-%d}")
    return [f'{" " * indent}{year}: "{" ".join(names)}",' for year, names in years.items()]


if __name__ == "__main__":
    sys.exit(main())

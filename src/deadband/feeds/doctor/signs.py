"""How each ailment is told, with the numbers it is told by; docs/data-doctor.md is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.ailments import Ailment
from ...core.corporate_action import TOLERANCE, WIDE_FROM, WIDE_TOLERANCE
from .adjustment import (
    ADJUSTED,
    ADJUSTED_DAYS,
    CHANCE,
    LEAVING,
    MIXED_NAMES,
    OFF_TICK,
    REVERSE_VOLUME,
    SPLIT_VOLUME,
)
from .clock import (
    END_LABEL_DAYS,
    END_LABEL_NAMES,
    LEAST_DAYS,
    MOST_DAYS,
    QUIET_SHARE,
    SHIFTED_COVERAGE,
    U_DAYS,
    U_SHARE,
)
from .copies import REPEATED_BARS, REPEATED_NAMES
from .placing import CROSS_TIMES
from .prints import FROZEN_BARS, FROZEN_MIN, SCALE, SPIKE, SPIKE_BARS, SPIKE_LEFT, SPIKE_SIGMAS
from .silence import (
    CALENDAR_NAMES,
    GONE_DAYS,
    HALT_BARS,
    HALT_CHANCE,
    HALT_LIQUID,
    HALT_MIN,
    ILLIQUID,
    LIQUID,
    OUT_NAMES,
    OUT_SHARE,
    PART_MIN,
    PART_NAMES,
    PART_SHARE,
    PART_SIGMAS,
)
from .volume import AROUND, FALL, MOST_NAMES, UNIT_SPREAD, UNIT_TOLERANCE

SIGNS: Mapping[Ailment, str] = {
    Ailment.DATA_WRONG_ZONE: (
        f"more than {MOST_DAYS:.0%} of the days fill the session's grid "
        f"({SHIFTED_COVERAGE:.0%} of its bars) only when moved by whole hours; or, on "
        f"{LEAST_DAYS} days and more, volume jumps at another full hour: before it (after it, "
        f"for the close) every half hour trades less than {QUIET_SHARE:.0%} of the busy one "
        "beside it"
    ),
    Ailment.DATA_DST_MISMATCH: (
        "as above, one hour off on one side of a change of clocks in New York or London, and "
        "right on the other"
    ),
    Ailment.DATA_HOURS_OFF: (
        f"as above, on at most {MOST_DAYS:.0%} of the days and not since a change of clocks"
    ),
    Ailment.DATA_END_LABELS: (
        f"on {END_LABEL_DAYS:.0%} of at least {LEAST_DAYS} days no name has a bar at the open, "
        f"some have the one after it, and {END_LABEL_NAMES:.0%} have one at the close"
    ),
    Ailment.DATA_NO_U_SHAPE: (
        f"over {U_DAYS} days and more, the median half hour at the open and the one at the "
        f"close both trade less than {U_SHARE:.0%} of the middle of the day"
    ),
    Ailment.DATA_FUTURE: ("ts is later than the clock of the machine that reads"),
    Ailment.DATA_NO_BARS: "no row is left that starts a bar of a session",
    Ailment.DATA_PRICE_NOT_FINITE: (
        "one of open, high, low and close is missing or infinite, and not all are missing"
    ),
    Ailment.DATA_PRICE_NOT_POSITIVE: ("one of open, high, low and close is at most 0"),
    Ailment.DATA_HIGH_LOW: ("high is under, or low is over, another price of the bar"),
    Ailment.DATA_VOLUME_INVALID: ("volume is not a number of 0 or more"),
    Ailment.DATA_QUOTE_INVALID: ("bid and ask are given, and not 0 < bid ≤ ask < ∞"),
    Ailment.DATA_BETWEEN_BARS: ("ts is not a whole number of bars after the open"),
    Ailment.DATA_NO_SESSION: ("the day in New York is a weekend or a holiday of NYSE"),
    Ailment.DATA_OUTSIDE_SESSION: ("ts is before the open, or at or after the close"),
    Ailment.DATA_AFTER_EARLY_CLOSE: (
        "ts is at or after the close of a half-day, and before the close of a full one"
    ),
    Ailment.DATA_CLOSING_CROSS: (
        f"ts is at the close, within a bar, and volume is {CROSS_TIMES:g} times the name's "
        "mean bar of that day"
    ),
    Ailment.DATA_OPENING_CROSS: (
        "ts is less than a bar before the open or off the grid in the first bar, all four "
        f"prices are equal, and volume is {CROSS_TIMES:g} times the name's mean bar of that "
        "day"
    ),
    Ailment.DATA_DOUBLED: ("ts, symbol and every value are equal"),
    Ailment.DATA_CONTRADICTING: ("ts and symbol are equal, and a value is not"),
    Ailment.DATA_DAY_REPEATED: (
        f"closes and volumes of {REPEATED_NAMES:.0%} of the names are those of another day, "
        "bar by bar"
    ),
    Ailment.DATA_SYMBOL_REPEATED: (
        "closes and volumes are those of another symbol on every day, and there are at least "
        f"{REPEATED_BARS} bars"
    ),
    Ailment.DATA_SYMBOL_GLITCH: ("the symbol is not its own upper case without spaces around it"),
    Ailment.DATA_SYMBOL_TWICE: (
        "two symbols are equal but for case, spaces and the sign before the class (BRK.B, BRK-B)"
    ),
    Ailment.DATA_ONE_VENUE: (
        f"volume by the bar falls below {FALL:.0%}, or rises above its inverse, overnight and in "
        f"the median of up to {AROUND} days, for {MOST_NAMES:.0%} of the names"
    ),
    Ailment.DATA_VOLUME_UNITS: (
        f"as above, and the median ratio of the names is within a factor {UNIT_TOLERANCE:g} of "
        f"100 or 1000, the names within {UNIT_SPREAD:g} of each other (median deviation of "
        "logs)"
    ),
    Ailment.DATA_FILLED: (
        "all four prices are equal and volume is 0, while the name has volume elsewhere"
    ),
    Ailment.DATA_RANGE_NO_VOLUME: (
        "high is over low and volume is 0, while the name has volume elsewhere"
    ),
    Ailment.DATA_NO_VOLUME: ("volume is 0 in every bar of the name"),
    Ailment.DATA_VENDOR_OUTAGE: (
        f"at most {OUT_SHARE:.0%} of the names that trade in {LIQUID:.0%} of their bars have "
        f"one, of at least {OUT_NAMES} such names"
    ),
    Ailment.DATA_PARTIAL_OUTAGE: (
        f"{PART_NAMES} and {PART_SHARE:.0%} of the names that trade in {HALT_LIQUID:.0%} of their "
        f"bars lack it at once for {PART_MIN} minutes, {PART_SIGMAS:g} σ more than usual and more "
        "than at that time on other days, and it is no outage of all"
    ),
    Ailment.DATA_SILENT_SESSION: (
        "no name has a usable bar, and there are sessions before and after"
    ),
    Ailment.DATA_HALT: (
        f"a name that trades in {HALT_LIQUID:.0%} of its bars has none for {HALT_BARS} bars, "
        f"{HALT_MIN} minutes, and longer than its usual gaps would by a chance of {HALT_CHANCE:g}, "
        "between two bars of one session, the feed not being out"
    ),
    Ailment.DATA_DELISTED: (
        f"no bar in the last {GONE_DAYS} sessions or more, and never as long a silence before"
    ),
    Ailment.DATA_MISSING_SESSIONS: (
        f"no bar for a whole session between two with bars, for at most {CALENDAR_NAMES:.0%} "
        f"of the names that have {LIQUID:.0%} of the bars of the days they trade on"
    ),
    Ailment.DATA_ILLIQUID: (f"bars between first and last day: under {ILLIQUID:.0%}"),
    Ailment.DATA_FROZEN: (
        f"open, high, low and close repeat for {FROZEN_BARS} bars and {FROZEN_MIN} minutes, "
        "with volume"
    ),
    Ailment.DATA_SPIKE: (
        f"a close {SPIKE:.0%} and {SPIKE_SIGMAS:g} robust σ of the name's bar from the one "
        f"before it, and one of the next {SPIKE_BARS} back at one blow to within {SPIKE_LEFT:.0%} "
        "of the jump; or, the first bar aside, a high or low as far from the bar's own open "
        "and close; or a close "
        f"{SCALE:g} times the one before it in the same session, or a {SCALE:g}th of it"
    ),
    Ailment.DATA_OFF_TICK: (
        f"{OFF_TICK:.0%} of the closes are no multiple of $0.0001, and the symbol is not adjusted"
    ),
    Ailment.DATA_UNADJUSTED_SPLIT: (
        f"overnight the price moves by a split's ratio within {TOLERANCE:.0%} of it, the "
        f"market's move aside ({WIDE_TOLERANCE:.0%} from {WIDE_FROM:g} for 1 on), and volume "
        f"moves with it within a factor {SPLIT_VOLUME:g} ({REVERSE_VOLUME:g} where shares "
        "become fewer)"
    ),
    Ailment.DATA_ADJUSTED: (
        f"on {ADJUSTED_DAYS} sessions and more, {ADJUSTED:.0%} of the closes of a session are "
        "no multiple of half a cent"
    ),
    Ailment.DATA_MIXED_ADJUSTMENT: (
        f"splits stand in the prices of some symbols, and {MIXED_NAMES:.0%} of all are adjusted"
    ),
    Ailment.DATA_SURVIVORS: (
        f"at {LEAVING:.0%} a year, so few symbols that leave have a chance below {CHANCE:.0%}"
    ),
    Ailment.DATA_SCORE_NOT_FINITE: ("the score is missing, NaN or infinite"),
    Ailment.DATA_SCORE_WITHOUT_BARS: ("the symbol is not in the bars"),
    Ailment.DATA_BARS_WITHOUT_SCORE: ("the symbol is not in the scores"),
    Ailment.DATA_NOT_LISTED: ("the symbol is not in the universe file"),
    Ailment.DATA_LISTED_WITHOUT_BARS: ("the symbol is not in the bars"),
    Ailment.DATA_BARRED_WITHOUT_BARS: ("the symbol is not in the bars"),
}

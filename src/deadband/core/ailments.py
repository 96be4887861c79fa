"""What can be wrong with data, each under a name that stays: how it is told, and what is done.

An `error` refuses a run unless `data.accept` names it: whatever is decided on such data is wrong
in a way that leaving rows out does not mend. A `warning` costs something and the run goes on. A
`note` is a fact worth knowing. Numbers in braces stand in the file that looks for the ailment;
`tools/make_docs.py` puts them into docs/data-doctor.md.
"""

from __future__ import annotations

from enum import StrEnum

SEVERITIES = ("error", "warning", "note")
"""From the worst on."""


class Ailment(StrEnum):
    """A defect of bars, scores or lists; names are never changed, as those of reasons are not."""

    severity: str
    what: str
    effect: str
    sign: str
    cure: str

    def __new__(
        cls, value: str, severity: str, what: str, effect: str, sign: str, cure: str
    ) -> Ailment:
        member = str.__new__(cls, value)
        member._value_ = value
        member.severity, member.what, member.effect = severity, what, effect
        member.sign, member.cure = sign, cure
        return member

    # Clock.
    DATA_WRONG_ZONE = (
        "DATA_WRONG_ZONE",
        "error",
        "days that lie hours off their session: another time zone",
        "left out",
        "more than {MOST_DAYS:.0%} of the days fill the session's grid ({SHIFTED_COVERAGE:.0%} of "
        "its bars) only when moved by whole hours; or, on {LEAST_DAYS} days and more, volume jumps "
        "at another full hour: before it (after it, for the close) every half hour trades less "
        "than {QUIET_SHARE:.0%} of the busy one beside it",
        "Find out the zone of the labels and convert them to UTC with it.",
    )
    DATA_DST_MISMATCH = (
        "DATA_DST_MISMATCH",
        "error",
        "days off by an hour since clocks were changed",
        "left out",
        "as above, one hour off on one side of a change of clocks in New York or London, and right "
        "on the other",
        "Convert the labels with the exchange's zone (America/New_York), not with a fixed offset.",
    )
    DATA_HOURS_OFF = (
        "DATA_HOURS_OFF",
        "warning",
        "days that lie hours off their session",
        "left out",
        "as above, on at most {MOST_DAYS:.0%} of the days and not since a change of clocks",
        "Convert the labels of those days again, or get them again.",
    )
    DATA_END_LABELS = (
        "DATA_END_LABELS",
        "error",
        "days whose bars are labeled by their end",
        "kept",
        "on {END_LABEL_DAYS:.0%} of at least {LEAST_DAYS} days no name has a bar at the open, "
        "some have the one after it, and {END_LABEL_NAMES:.0%} have one at the close",
        "Subtract a bar's length from ts: it is the start of the bar that is meant.",
    )
    DATA_NO_U_SHAPE = (
        "DATA_NO_U_SHAPE",
        "warning",
        "days whose volume is least at the open and the close",
        "kept",
        "over {U_DAYS} days and more, the median half hour at the open and the one at the close "
        "both trade less than {U_SHARE:.0%} of the middle of the day",
        "Check the time zone and what the volume column counts.",
    )
    DATA_FUTURE = (
        "DATA_FUTURE",
        "warning",
        "rows dated after now",
        "left out",
        "ts is later than the clock of the machine that reads",
        "Check the zone of ts, and the clock of the machine.",
    )
    # Rows.
    DATA_PRICE_NOT_FINITE = (
        "DATA_PRICE_NOT_FINITE",
        "warning",
        "prices that are not finite",
        "left out",
        "one of open, high, low and close is missing or infinite, and not all are missing",
        "Get the rows again.",
    )
    DATA_PRICE_NOT_POSITIVE = (
        "DATA_PRICE_NOT_POSITIVE",
        "warning",
        "prices of zero or less",
        "left out",
        "one of open, high, low and close is at most 0",
        "Get the rows again.",
    )
    DATA_HIGH_LOW = (
        "DATA_HIGH_LOW",
        "warning",
        "high or low inside the bar",
        "left out",
        "high is under, or low is over, another price of the bar",
        "Check the order of the columns.",
    )
    DATA_VOLUME_INVALID = (
        "DATA_VOLUME_INVALID",
        "warning",
        "volume that is negative, missing or not finite",
        "left out",
        "volume is not a number of 0 or more",
        "Get the rows again; where nothing traded there is no bar.",
    )
    DATA_QUOTE_INVALID = (
        "DATA_QUOTE_INVALID",
        "warning",
        "quotes that are crossed, not positive or not finite",
        "spread modeled instead",
        "bid and ask are given, and not 0 < bid ≤ ask < ∞",
        "Take the last quote of the bar whose sides stand at the same instant.",
    )
    DATA_BETWEEN_BARS = (
        "DATA_BETWEEN_BARS",
        "warning",
        "rows between bar starts",
        "left out",
        "ts is not a whole number of bars after the open",
        "Resample to one grid.",
    )
    DATA_NO_SESSION = (
        "DATA_NO_SESSION",
        "warning",
        "rows on days without a session",
        "left out",
        "the day in New York is a weekend or a holiday of NYSE",
        "None is needed; on Saturdays, suspect the zone of ts.",
    )
    DATA_OUTSIDE_SESSION = (
        "DATA_OUTSIDE_SESSION",
        "note",
        "rows outside the session",
        "left out",
        "ts is before the open, or at or after the close",
        "None is needed.",
    )
    DATA_AFTER_EARLY_CLOSE = (
        "DATA_AFTER_EARLY_CLOSE",
        "warning",
        "rows after an early close",
        "left out",
        "ts is at or after the close of a half-day, and before the close of a full one",
        "None is needed; such rows are often the last price, filled forward.",
    )
    DATA_CLOSING_CROSS = (
        "DATA_CLOSING_CROSS",
        "note",
        "rows that hold the closing cross",
        "kept out of the bars",
        "ts is at the close, within a bar, and volume is {CROSS_TIMES:g} times the name's mean bar "
        "of that day",
        "None is needed; a bar of the session cannot be filled at the auction's price.",
    )
    DATA_OPENING_CROSS = (
        "DATA_OPENING_CROSS",
        "note",
        "rows that hold the opening cross",
        "kept out of the bars",
        "ts is less than a bar before the open or off the grid in the first bar, all four prices "
        "are equal, and volume is {CROSS_TIMES:g} times the name's mean bar of that day",
        "None is needed.",
    )
    # Copies.
    DATA_DOUBLED = (
        "DATA_DOUBLED",
        "note",
        "doubled rows",
        "counted once",
        "ts, symbol and every value are equal",
        "None is needed.",
    )
    DATA_CONTRADICTING = (
        "DATA_CONTRADICTING",
        "warning",
        "doubled rows that contradict each other",
        "left out",
        "ts and symbol are equal, and a value is not",
        "Find out which feed is right, and drop the other's rows.",
    )
    DATA_DAY_REPEATED = (
        "DATA_DAY_REPEATED",
        "error",
        "days that repeat another day's bars",
        "kept",
        "closes and volumes of {REPEATED_NAMES:.0%} of the names are those of another day, bar by "
        "bar",
        "Get the later of the two days again.",
    )
    DATA_SYMBOL_REPEATED = (
        "DATA_SYMBOL_REPEATED",
        "error",
        "symbols that repeat another symbol's bars",
        "kept",
        "closes and volumes are those of another symbol on every day, and there are at least "
        "{REPEATED_BARS} bars",
        "Drop one of the two: the book would hold twice the cap of one company.",
    )
    DATA_SYMBOL_GLITCH = (
        "DATA_SYMBOL_GLITCH",
        "warning",
        "symbols with spaces or lower case",
        "kept",
        "the symbol is not its own upper case without spaces around it",
        "Write symbols as the scores and the broker do.",
    )
    DATA_SYMBOL_TWICE = (
        "DATA_SYMBOL_TWICE",
        "error",
        "symbols written in two ways",
        "kept",
        "two symbols are equal but for case, spaces and the sign before the class (BRK.B, BRK-B)",
        "Write every company in one way: its history is cut in two, or it is held twice.",
    )
    # Volume.
    DATA_ONE_VENUE = (
        "DATA_ONE_VENUE",
        "error",
        "nights after which most names trade another share of their volume",
        "kept",
        "volume falls below {FALL:.0%}, or rises above its inverse, overnight and in the median "
        "of up to {AROUND} days, for {MOST_NAMES:.0%} of the names",
        "Take all days from one feed, consolidated or of one venue: average volume, and every size "
        "that follows from it, mixes the two.",
    )
    DATA_VOLUME_UNITS = (
        "DATA_VOLUME_UNITS",
        "error",
        "nights after which volume is in another unit",
        "kept",
        "as above, and the median ratio of the names is within a factor {UNIT_TOLERANCE:g} of 100 "
        "or 1000, the names within {UNIT_SPREAD:g} of each other (median deviation of logs)",
        "Multiply the volume of those days: shares are meant, not lots of 100.",
    )
    DATA_FILLED = (
        "DATA_FILLED",
        "warning",
        "flat bars without volume, filled forward",
        "left out",
        "all four prices are equal and volume is 0, while the name has volume elsewhere",
        "None is needed: no trade, no bar, and no fresh price.",
    )
    DATA_RANGE_NO_VOLUME = (
        "DATA_RANGE_NO_VOLUME",
        "warning",
        "bars whose price moves without volume",
        "kept",
        "high is over low and volume is 0, while the name has volume elsewhere",
        "Check whether these are quotes: no order would have been filled there.",
    )
    DATA_NO_VOLUME = (
        "DATA_NO_VOLUME",
        "warning",
        "symbols without any volume",
        "kept",
        "volume is 0 in every bar of the name",
        "Fine for an index that is the market symbol; another name can only shrink.",
    )
    # Silence.
    DATA_VENDOR_OUTAGE = (
        "DATA_VENDOR_OUTAGE",
        "warning",
        "bars in which the feed was out",
        "kept; names are frozen meanwhile",
        "at most {OUT_SHARE:.0%} of the names that trade in {LIQUID:.0%} of their bars have one, "
        "of at least {OUT_NAMES} such names",
        "Get those bars again; a halt of the whole market looks the same.",
    )
    DATA_SILENT_SESSION = (
        "DATA_SILENT_SESSION",
        "warning",
        "sessions without any usable bar",
        "left out",
        "no name has a usable bar, and there are sessions before and after",
        "Get the day again.",
    )
    DATA_HALT = (
        "DATA_HALT",
        "note",
        "halts of one name",
        "kept; the name is frozen meanwhile",
        "a name that trades in {HALT_LIQUID:.1%} of its bars has none for {HALT_BARS} bars and "
        "{HALT_MIN} minutes between two of one session, the feed not being out",
        "None is needed.",
    )
    DATA_DELISTED = (
        "DATA_DELISTED",
        "warning",
        "symbols that stop trading for good",
        "kept; a position is frozen at the last price",
        "no bar in the last {GONE_DAYS} sessions or more, and never as long a silence before",
        "State when and at what price it ended; leave it out of the scores from then on.",
    )
    DATA_MISSING_SESSIONS = (
        "DATA_MISSING_SESSIONS",
        "warning",
        "sessions that one symbol lacks",
        "kept",
        "no bar for a whole session between two with bars, for at most {CALENDAR_NAMES:.0%} of the "
        "names that trade in {LIQUID:.0%} of their bars",
        "Get them again, unless it was halted.",
    )
    DATA_ILLIQUID = (
        "DATA_ILLIQUID",
        "note",
        "symbols that trade in fewer than half of their bars",
        "kept",
        "bars between first and last day: under {ILLIQUID:.0%}",
        "None is needed; risk.min_coverage keeps such names from being bought.",
    )
    # Prices.
    DATA_FROZEN = (
        "DATA_FROZEN",
        "warning",
        "stretches of frozen prices",
        "kept",
        "open, high, low and close repeat for {FROZEN_BARS} bars and {FROZEN_MIN} minutes, with "
        "volume",
        "Get them again: volume without a move is a feed that stands still.",
    )
    DATA_SPIKE = (
        "DATA_SPIKE",
        "warning",
        "closes that jump and are back within a bar",
        "kept: to know that it reverts is to know the next bar",
        "a close {SPIKE:.0%} and {SPIKE_SIGMAS:g} robust σ of the name's bar from the one before "
        "it, and the next one back to within {SPIKE_LEFT:.0%} of the jump",
        "Check the prints of that bar; correct it at the source.",
    )
    DATA_OFF_TICK = (
        "DATA_OFF_TICK",
        "warning",
        "symbols priced finer than any trade",
        "kept",
        "{OFF_TICK:.0%} of the closes are no multiple of $0.0001, and the symbol is not adjusted",
        "Round to the cent, or say how the prices were made.",
    )
    # Adjustment.
    DATA_UNADJUSTED_SPLIT = (
        "DATA_UNADJUSTED_SPLIT",
        "error",
        "nights of a split in raw prices",
        "kept",
        "overnight the price moves by a split's ratio within {TOLERANCE:.0%} of it, the market's "
        "move aside ({WIDE_TOLERANCE:.0%} from {WIDE_FROM:g} for 1 on), and volume moves with it "
        "within a factor {SPLIT_VOLUME:g} ({REVERSE_VOLUME:g} where shares become fewer)",
        "Adjust the prices and volumes before it, or run the days on one side of it.",
    )
    DATA_ADJUSTED = (
        "DATA_ADJUSTED",
        "note",
        "symbols whose prices are adjusted for what came later",
        "kept",
        "on {ADJUSTED_DAYS} sessions and more, {ADJUSTED:.0%} of the closes of a session are no "
        "multiple of half a cent",
        "None is needed for returns; ticks, lots, minimum price and fees per share are then not "
        "those of the day.",
    )
    DATA_MIXED_ADJUSTMENT = (
        "DATA_MIXED_ADJUSTMENT",
        "error",
        "symbols that are raw where others are adjusted",
        "kept",
        "splits stand in the prices of some symbols, and {MIXED_NAMES:.0%} of all are adjusted",
        "Take all symbols from one kind of file.",
    )
    DATA_SURVIVORS = (
        "DATA_SURVIVORS",
        "warning",
        "symbols that all survive",
        "kept",
        "at {LEAVING:.0%} a year, so few symbols that leave have a chance below {CHANCE:.0%}",
        "Draw the universe as it stood on its first day; profits over survivors are too high.",
    )
    # Scores and lists.
    DATA_SCORE_NOT_FINITE = (
        "DATA_SCORE_NOT_FINITE",
        "warning",
        "scores that are not finite",
        "held",
        "the score is missing, NaN or infinite",
        "Leave the row out where the model has no opinion.",
    )
    DATA_SCORE_WITHOUT_BARS = (
        "DATA_SCORE_WITHOUT_BARS",
        "warning",
        "symbols with scores but no bars",
        "left out",
        "the symbol is not in the bars",
        "Add its bars, or spell it as there.",
    )
    DATA_BARS_WITHOUT_SCORE = (
        "DATA_BARS_WITHOUT_SCORE",
        "warning",
        "symbols with bars but no score",
        "held",
        "the symbol is not in the scores",
        "Score it, or spell it as in the bars.",
    )
    DATA_NOT_LISTED = (
        "DATA_NOT_LISTED",
        "warning",
        "symbols with bars but not in the universe file",
        "kept, without a sector",
        "the symbol is not in the universe file",
        "Add it there.",
    )
    DATA_LISTED_WITHOUT_BARS = (
        "DATA_LISTED_WITHOUT_BARS",
        "warning",
        "symbols in the universe file but without bars",
        "left out",
        "the symbol is not in the bars",
        "Add its bars, or spell it as there.",
    )
    DATA_BARRED_WITHOUT_BARS = (
        "DATA_BARRED_WITHOUT_BARS",
        "warning",
        "symbols on a list of the policy but without bars",
        "left out",
        "the symbol is not in the bars",
        "Spell it as in the bars: a slip there lifts a restriction.",
    )

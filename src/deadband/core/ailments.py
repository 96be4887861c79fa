"""What can be wrong with data, each under a name that stays: how bad, what is done, what helps.

An `error` refuses a run unless `data.accept` names it: whatever is decided on such data is wrong
in a way that leaving rows out does not mend. A `warning` costs something and the run goes on. A
`note` is a fact worth knowing. How each is told stands in feeds/doctor/signs.py.
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
    cure: str

    def __new__(cls, value: str, severity: str, what: str, effect: str, cure: str) -> Ailment:
        member = str.__new__(cls, value)
        member._value_ = value
        member.severity, member.what, member.effect = severity, what, effect
        member.cure = cure
        return member

    # Clock.
    DATA_WRONG_ZONE = (
        "DATA_WRONG_ZONE",
        "error",
        "days that lie hours off their session: another time zone",
        "left out",
        "Find out the zone of the labels and convert them to UTC with it.",
    )
    DATA_DST_MISMATCH = (
        "DATA_DST_MISMATCH",
        "error",
        "days off by an hour since clocks were changed",
        "left out",
        "Convert the labels with the exchange's zone (America/New_York), not with a fixed offset.",
    )
    DATA_HOURS_OFF = (
        "DATA_HOURS_OFF",
        "warning",
        "days that lie hours off their session",
        "left out",
        "Convert the labels of those days again, or get them again.",
    )
    DATA_END_LABELS = (
        "DATA_END_LABELS",
        "error",
        "days whose bars are labeled by their end",
        "kept",
        "Subtract a bar's length from ts: it is the start of the bar that is meant.",
    )
    DATA_NO_U_SHAPE = (
        "DATA_NO_U_SHAPE",
        "warning",
        "days whose volume is least at the open and the close",
        "kept",
        "Check the time zone and what the volume column counts.",
    )
    DATA_FUTURE = (
        "DATA_FUTURE",
        "warning",
        "rows dated after now",
        "left out",
        "Check the zone of ts, and the clock of the machine.",
    )
    # Rows.
    DATA_NO_BARS = (
        "DATA_NO_BARS",
        "error",
        "files without a usable bar",
        "refused, accepted or not",
        "See what else was found: it says why every row was left out.",
    )
    DATA_PRICE_NOT_FINITE = (
        "DATA_PRICE_NOT_FINITE",
        "warning",
        "prices that are not finite",
        "left out",
        "Get the rows again.",
    )
    DATA_PRICE_NOT_POSITIVE = (
        "DATA_PRICE_NOT_POSITIVE",
        "warning",
        "prices of zero or less",
        "left out",
        "Get the rows again.",
    )
    DATA_HIGH_LOW = (
        "DATA_HIGH_LOW",
        "warning",
        "high or low inside the bar",
        "left out",
        "Check the order of the columns.",
    )
    DATA_VOLUME_INVALID = (
        "DATA_VOLUME_INVALID",
        "warning",
        "volume that is negative, missing or not finite",
        "left out",
        "Get the rows again; where nothing traded there is no bar.",
    )
    DATA_QUOTE_INVALID = (
        "DATA_QUOTE_INVALID",
        "warning",
        "quotes that are crossed, not positive or not finite",
        "spread modeled instead",
        "Take the last quote of the bar whose sides stand at the same instant.",
    )
    DATA_BETWEEN_BARS = (
        "DATA_BETWEEN_BARS",
        "warning",
        "rows between bar starts",
        "left out",
        "Resample to one grid.",
    )
    DATA_NO_SESSION = (
        "DATA_NO_SESSION",
        "warning",
        "rows on days without a session",
        "left out",
        "None is needed; on Saturdays, suspect the zone of ts.",
    )
    DATA_OUTSIDE_SESSION = (
        "DATA_OUTSIDE_SESSION",
        "note",
        "rows outside the session",
        "left out",
        "None is needed.",
    )
    DATA_AFTER_EARLY_CLOSE = (
        "DATA_AFTER_EARLY_CLOSE",
        "warning",
        "rows after an early close",
        "left out",
        "None is needed; such rows are often the last price, filled forward.",
    )
    DATA_CLOSING_CROSS = (
        "DATA_CLOSING_CROSS",
        "note",
        "rows that hold the closing cross",
        "kept out of the bars",
        "None is needed; a bar of the session cannot be filled at the auction's price.",
    )
    DATA_OPENING_CROSS = (
        "DATA_OPENING_CROSS",
        "note",
        "rows that hold the opening cross",
        "kept out of the bars",
        "None is needed.",
    )
    # Copies.
    DATA_DOUBLED = (
        "DATA_DOUBLED",
        "note",
        "doubled rows",
        "counted once",
        "None is needed.",
    )
    DATA_CONTRADICTING = (
        "DATA_CONTRADICTING",
        "warning",
        "doubled rows that contradict each other",
        "left out",
        "Find out which feed is right, and drop the other's rows.",
    )
    DATA_DAY_REPEATED = (
        "DATA_DAY_REPEATED",
        "error",
        "days that repeat another day's bars",
        "kept",
        "Get the later of the two days again.",
    )
    DATA_SYMBOL_REPEATED = (
        "DATA_SYMBOL_REPEATED",
        "error",
        "symbols that repeat another symbol's bars",
        "kept",
        "Drop one of the two: the book would hold twice the cap of one company.",
    )
    DATA_SYMBOL_GLITCH = (
        "DATA_SYMBOL_GLITCH",
        "warning",
        "symbols with spaces or lower case",
        "kept",
        "Write symbols as the scores and the broker do.",
    )
    DATA_SYMBOL_TWICE = (
        "DATA_SYMBOL_TWICE",
        "error",
        "symbols written in two ways",
        "kept",
        "Write every company in one way: its history is cut in two, or it is held twice.",
    )
    # Volume.
    DATA_ONE_VENUE = (
        "DATA_ONE_VENUE",
        "error",
        "nights after which most names trade another share of their volume",
        "kept",
        "Take all days from one feed, consolidated or of one venue: average volume, and every "
        "size that follows from it, mixes the two.",
    )
    DATA_VOLUME_UNITS = (
        "DATA_VOLUME_UNITS",
        "error",
        "nights after which volume is in another unit",
        "kept",
        "Multiply the volume of those days: shares are meant, not lots of 100.",
    )
    DATA_FILLED = (
        "DATA_FILLED",
        "warning",
        "flat bars without volume, filled forward",
        "left out",
        "None is needed: no trade, no bar, and no fresh price.",
    )
    DATA_RANGE_NO_VOLUME = (
        "DATA_RANGE_NO_VOLUME",
        "warning",
        "bars whose price moves without volume",
        "kept",
        "Check whether these are quotes: no order would have been filled there.",
    )
    DATA_NO_VOLUME = (
        "DATA_NO_VOLUME",
        "warning",
        "symbols without any volume",
        "kept",
        "Fine for an index that is the market symbol; another name can only shrink.",
    )
    # Silence.
    DATA_VENDOR_OUTAGE = (
        "DATA_VENDOR_OUTAGE",
        "warning",
        "bars in which the feed was out",
        "kept; names are frozen meanwhile",
        "Get those bars again; a halt of the whole market looks the same.",
    )
    DATA_PARTIAL_OUTAGE = (
        "DATA_PARTIAL_OUTAGE",
        "warning",
        "bars in which the feed lost many names",
        "kept; those names are frozen meanwhile",
        "Get those bars again; a day of many halts looks the same.",
    )
    DATA_SILENT_SESSION = (
        "DATA_SILENT_SESSION",
        "warning",
        "sessions without any usable bar",
        "left out",
        "Get the day again.",
    )
    DATA_HALT = (
        "DATA_HALT",
        "note",
        "halts of one name",
        "kept; the name is frozen meanwhile",
        "None is needed.",
    )
    DATA_DELISTED = (
        "DATA_DELISTED",
        "warning",
        "symbols that stop trading for good",
        "kept; a position is frozen at the last price",
        "State when and at what price it ended; leave it out of the scores from then on.",
    )
    DATA_MISSING_SESSIONS = (
        "DATA_MISSING_SESSIONS",
        "warning",
        "sessions that one symbol lacks",
        "kept",
        "Get them again, unless it was halted.",
    )
    DATA_ILLIQUID = (
        "DATA_ILLIQUID",
        "note",
        "symbols that trade in fewer than half of their bars",
        "kept",
        "None is needed; risk.min_coverage keeps such names from being bought.",
    )
    # Prices.
    DATA_FROZEN = (
        "DATA_FROZEN",
        "warning",
        "stretches of frozen prices",
        "kept",
        "Get them again: volume without a move is a feed that stands still.",
    )
    DATA_SPIKE = (
        "DATA_SPIKE",
        "warning",
        "prices that jump and are back, or that no news multiplies so",
        "kept: to know that it reverts is to know the next bar; σ, β and ATR cut it",
        "Check the prints of that bar; correct it at the source.",
    )
    DATA_OFF_TICK = (
        "DATA_OFF_TICK",
        "warning",
        "symbols priced finer than any trade",
        "kept",
        "Round to the cent, or say how the prices were made.",
    )
    # Adjustment.
    DATA_UNADJUSTED_SPLIT = (
        "DATA_UNADJUSTED_SPLIT",
        "error",
        "nights of a split in raw prices",
        "kept",
        "Adjust the prices and volumes before it, or run the days on one side of it.",
    )
    DATA_ADJUSTED = (
        "DATA_ADJUSTED",
        "note",
        "symbols whose prices are adjusted for what came later",
        "kept",
        "None is needed for returns; ticks, lots, minimum price and fees per share are then "
        "not those of the day.",
    )
    DATA_MIXED_ADJUSTMENT = (
        "DATA_MIXED_ADJUSTMENT",
        "error",
        "symbols that are raw where others are adjusted",
        "kept",
        "Take all symbols from one kind of file.",
    )
    DATA_SURVIVORS = (
        "DATA_SURVIVORS",
        "warning",
        "symbols that all survive",
        "kept",
        "Draw the universe as it stood on its first day; profits over survivors are too high.",
    )
    # Scores and lists.
    DATA_SCORE_NOT_FINITE = (
        "DATA_SCORE_NOT_FINITE",
        "warning",
        "scores that are not finite",
        "held",
        "Leave the row out where the model has no opinion.",
    )
    DATA_SCORE_WITHOUT_BARS = (
        "DATA_SCORE_WITHOUT_BARS",
        "warning",
        "symbols with scores but no bars",
        "left out",
        "Add its bars, or spell it as there.",
    )
    DATA_BARS_WITHOUT_SCORE = (
        "DATA_BARS_WITHOUT_SCORE",
        "warning",
        "symbols with bars but no score",
        "held",
        "Score it, or spell it as in the bars.",
    )
    DATA_NOT_LISTED = (
        "DATA_NOT_LISTED",
        "warning",
        "symbols with bars but not in the universe file",
        "kept, without a sector",
        "Add it there.",
    )
    DATA_LISTED_WITHOUT_BARS = (
        "DATA_LISTED_WITHOUT_BARS",
        "warning",
        "symbols in the universe file but without bars",
        "left out",
        "Add its bars, or spell it as there.",
    )
    DATA_BARRED_WITHOUT_BARS = (
        "DATA_BARRED_WITHOUT_BARS",
        "warning",
        "symbols on a list of the policy but without bars",
        "left out",
        "Spell it as in the bars: a slip there lifts a restriction.",
    )

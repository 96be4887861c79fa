"""The reason codes and what each means.

A code is never renamed and its number never reused: numbers are what the journal stores.
One family belongs to one room. Every name has exactly one deciding code per cycle; gates that
held it back beside that are listed as `Gate` columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

GLOBAL = "GLOBAL"
"""The symbol under which the portfolio as a whole speaks."""


class Code(StrEnum):
    """Why a name, or the portfolio, was traded or left alone."""

    number: int
    meaning: str

    def __new__(cls, value: str, number: int, meaning: str) -> Code:
        member = str.__new__(cls, value)
        member._value_ = value
        member.number = number
        member.meaning = meaning
        return member

    # Room optimize: cuts.
    CUT_SCORE = "CUT_SCORE", 1, "Held, rank beyond K_sell and score below z_cut: sold to zero."
    CUT_LOSER = "CUT_LOSER", 2, "Loss since entry beyond k_ATR average true ranges: sold to zero."
    CUT_DEAD_MONEY = "CUT_DEAD_MONEY", 3, "Held longer than Tmax_min with a score near zero."
    # Room optimize: rotation, buys, hedge.
    DROP_GREEN = "DROP_GREEN", 10, "A winner whose score decayed gave its weight to a better name."
    ROTATE_OUT = "ROTATE_OUT", 11, "A name not in profit gave its weight to a better one."
    BUY_BETTER = "BUY_BETTER", 12, "Bought with the weight of a donor of lower score."
    BUY_TOP_K = "BUY_TOP_K", 13, "Bought from free budget: rank within K_buy, score above z_keep."
    HEDGE_BETA = "HEDGE_BETA", 14, "The hedge instrument took over the book's residual beta."
    TARGET_MOVED = "TARGET_MOVED", 15, "The optimum of the convex program holds another weight."
    # Room optimize: holds.
    HOLD_KEEP = "HOLD_KEEP", 20, "Held and its score is still at or above z_keep."
    HOLD_RANK = "HOLD_RANK", 21, "Held inside the hysteresis band: no buyer asked for its place."
    HOLD_NO_GAP = "HOLD_NO_GAP", 22, "Score gap between donor and buyer below delta_z_min."
    HOLD_NO_EDGE = "HOLD_NO_EDGE", 23, "Edge after costs does not exceed tau_utility."
    HOLD_NO_DONOR = "HOLD_NO_DONOR", 24, "A buyer without free budget found nobody to buy from."
    HOLD_LIMIT = "HOLD_LIMIT", 25, "A limit leaves no room for the trade."
    HOLD_FLAT = "HOLD_FLAT", 26, "Not held and not a candidate."
    HOLD_CURRENT = "HOLD_CURRENT", 27, "The optimum leaves this weight where it is."
    HOLD_SMALL = "HOLD_SMALL", 28, "The optimum's trade is less than a lot, or than min_trade."
    # Room optimize: limits that took weight away.
    CAP_NAME = "CAP_NAME", 30, "Trimmed to the per-name cap."
    CAP_SECTOR = "CAP_SECTOR", 31, "Trimmed to a sector cap."
    CAP_BETA = "CAP_BETA", 32, "Trimmed to the beta tolerance."
    CAP_NET = "CAP_NET", 33, "Trimmed to the net cap."
    CAP_GROSS = "CAP_GROSS", 34, "Trimmed to the gross cap."
    CAP_FROZEN = "CAP_FROZEN", 35, "Over a limit but may not trade: the limit was widened for it."
    # Room optimize: the solve itself.
    SOLVE_RELAXED = "SOLVE_RELAXED", 40, "Limits conflict: one was exceeded by the least amount."
    SOLVE_FELL_BACK = "SOLVE_FELL_BACK", 41, "The engine failed its check; another one answered."
    SOLVE_HELD = "SOLVE_HELD", 42, "No engine passed its check: current weights kept."
    SOLVE_ESCALATED = (
        "SOLVE_ESCALATED",
        44,
        "Greedy left more than escalate_gap: qp answered.",
    )
    SOLVE_DONE = "SOLVE_DONE", 43, "The convex program was solved to optimality and checked."
    # Room policy: bands and reasons to trade.
    BAND_SKIP = "BAND_SKIP", 50, "Portfolio drift inside the no-trade band: nothing discretionary."
    BAND_NAME = "BAND_NAME", 51, "Drift of this name inside its no-trade band."
    BAND_BYPASSED = "BAND_BYPASSED", 52, "Inside its band, yet traded: holding breaks a limit."
    DRIFT_PORTFOLIO = "DRIFT_PORTFOLIO", 53, "Portfolio drift reached the threshold: trading."
    WINDOW_OPEN = "WINDOW_OPEN", 54, "A scheduled window sets the portfolio band to zero."
    WINDOW_CLOSED = "WINDOW_CLOSED", 55, "Windows only, and none is open: nothing discretionary."
    WINDOW_OPEN_CLAMP = "WINDOW_OPEN_CLAMP", 56, "Too soon after the open for discretionary trades."
    WINDOW_CLOSE_CLAMP = "WINDOW_CLOSE_CLAMP", 57, "Too near the close for discretionary trades."
    CUT_FIRED = "CUT_FIRED", 58, "At least one exit, repair or forced trade goes through."
    SESSION_CLOSED = "SESSION_CLOSED", 59, "The exchange is closed."
    # Room policy: liquidity and lists.
    LIQ_HALTED = "LIQ_HALTED", 60, "Trading is halted."
    LIQ_SPREAD = "LIQ_SPREAD", 61, "The spread is wider than max_spread_bps."
    LIQ_DOLLAR_VOLUME = "LIQ_DOLLAR_VOLUME", 62, "Average daily dollar volume below the minimum."
    LIQ_PRICE = "LIQ_PRICE", 63, "Price below min_price_usd."
    LIQ_PARTICIPATION = "LIQ_PARTICIPATION", 64, "Trade size bounded by a share of expected volume."
    LIQ_NOT_SHORTABLE = "LIQ_NOT_SHORTABLE", 65, "No shares to borrow: no new short."
    LIST_RESTRICTED = "LIST_RESTRICTED", 66, "On the restricted list: never traded."
    LIST_NO_SHORT = "LIST_NO_SHORT", 67, "On the no-short list."
    LIST_CLOSE_ONLY = "LIST_CLOSE_ONLY", 68, "Close-only: may shrink, not grow."
    LIST_EARNINGS = "LIST_EARNINGS", 69, "Earnings near: may shrink, not grow."
    LIST_PAUSED = "LIST_PAUSED", 70, "Paused by the operator: no discretionary trade."
    LIST_REENTRY = "LIST_REENTRY", 71, "Cut less than reentry_min ago: may not grow."
    # Room policy: force.
    RISK_VOL_SPIKE = "RISK_VOL_SPIKE", 80, "Market moves far above their norm for the time of day."
    RISK_SPREAD_BLOWOUT = "RISK_SPREAD_BLOWOUT", 81, "Spreads far above their norm."
    RISK_DAILY_LOSS = "RISK_DAILY_LOSS", 82, "Loss since the session's start beyond the limit."
    RISK_DRAWDOWN = "RISK_DRAWDOWN", 83, "Loss from the highest NAV beyond the limit."
    RISK_END_OF_DAY = "RISK_END_OF_DAY", 84, "Flat by the close, or within the overnight limit."
    KILL_REDUCING = "KILL_REDUCING", 85, "Kill switch REDUCING: weights may only shrink."
    KILL_HALTED = "KILL_HALTED", 86, "Kill switch HALTED: nothing is sent."
    KILL_FLATTEN = "KILL_FLATTEN", 87, "FLATTEN: sold to zero on command."
    # Room policy: data.
    DATA_STALE_SCORE = "DATA_STALE_SCORE", 90, "The score is older than max_score_age_min."
    DATA_STALE_QUOTE = "DATA_STALE_QUOTE", 91, "No fresh quote."
    DATA_MISSING_SCORE = "DATA_MISSING_SCORE", 92, "No score for this name."
    DATA_NOT_FINITE = "DATA_NOT_FINITE", 93, "The score is NaN or infinite."
    DATA_TOO_NEW = "DATA_TOO_NEW", 94, "Too little history for a risk estimate: may shrink only."
    DATA_TOO_GAPPY = "DATA_TOO_GAPPY", 95, "History has too many gaps: may shrink only."
    DATA_OUTAGE = "DATA_OUTAGE", 96, "No new quote for any name: the feed is out, not the names."
    DATA_NOT_TRADED = "DATA_NOT_TRADED", 97, "There for risk only, never ranked or bought."
    # Room risk: where an estimate comes from.
    RISK_FROM_SECTOR = "RISK_FROM_SECTOR", 150, "Too little history: σ, β, ρ are its sector's."
    RISK_FROM_ALL = "RISK_FROM_ALL", 151, "Too little history and no sector: σ, β, ρ are of all."
    # Room signals: what a model's vote weighs.
    WEIGHT_ALONE = "WEIGHT_ALONE", 120, "The only model of its horizon."
    WEIGHT_NO_RECORD = "WEIGHT_NO_RECORD", 121, "Too few outcomes known: the mean skill is assumed."
    WEIGHT_RECORD = "WEIGHT_RECORD", 122, "Weighed by its record, as far as that is evidence."
    WEIGHT_FLOOR = "WEIGHT_FLOOR", 123, "Its record asks for less than the least weight."
    WEIGHT_CAP = "WEIGHT_CAP", 124, "Its record asks for more than the largest weight."
    WEIGHT_RECENT = "WEIGHT_RECENT", 125, "Its late outcomes are worse than its record: they count."
    WEIGHT_ALIKE = "WEIGHT_ALIKE", 126, "Other models say much the same: they share a weight."
    # Room signals: what a horizon's score weighs.
    HORIZON_ALONE = "HORIZON_ALONE", 160, "The only horizon."
    HORIZON_NO_RECORD = "HORIZON_NO_RECORD", 161, "Too few outcomes known: average skill assumed."
    HORIZON_RECORD = "HORIZON_RECORD", 162, "Weighed by its skill left after cost."
    HORIZON_COST = "HORIZON_COST", 163, "Does not earn the round trip while the book holds."
    HORIZON_BOUND = "HORIZON_BOUND", 164, "Its weight is the least or the largest there may be."
    HORIZON_CONFLICT = "HORIZON_CONFLICT", 165, "Horizons disagree about the name's direction."
    # Room models: a model that lost its vote, for all names or for some.
    MODEL_RAISED = "MODEL_RAISED", 130, "The model raised an error instead of answering."
    MODEL_LATE = "MODEL_LATE", 131, "No answer within budget_ms: its last one stands and ages."
    MODEL_BAD_SHAPE = "MODEL_BAD_SHAPE", 132, "The answer is not one number for each name."
    MODEL_WRONG_UNIT = "MODEL_WRONG_UNIT", 133, "The answer cannot be in the unit that was stated."
    MODEL_FEATURES_MISSING = (
        "MODEL_FEATURES_MISSING",
        134,
        "A feature that the model needs is not known for this name.",
    )
    MODEL_UNKNOWN_SYMBOL = (
        "MODEL_UNKNOWN_SYMBOL",
        135,
        "The model scores symbols that the universe lacks: they are passed over.",
    )
    # Room execute: orders.
    ORDER_ROUNDED_TO_ZERO = "ORDER_ROUNDED_TO_ZERO", 100, "Less than one lot."
    ORDER_BELOW_MIN_TICKET = "ORDER_BELOW_MIN_TICKET", 101, "Notional below the minimum ticket."
    ORDER_NO_CASH = "ORDER_NO_CASH", 102, "Not enough cash for this buy."
    ORDER_ROUNDED_FOR_LIMIT = "ORDER_ROUNDED_FOR_LIMIT", 103, "Reduced: rounding broke a limit."
    ORDER_CLOSE_FIRST = "ORDER_CLOSE_FIRST", 104, "Through zero: closes now, opens later."
    ORDER_CANCEL_FIRST = "ORDER_CANCEL_FIRST", 105, "A working order opposes: canceled first."
    ORDER_UNKNOWN = "ORDER_UNKNOWN", 106, "An order of unknown fate: the name is frozen."
    # Room execute: how an order is worked.
    ALGO_ASKED = "ALGO_ASKED", 190, "The settings name this algorithm."
    ALGO_URGENT = "ALGO_URGENT", 191, "An exit, a repair, or no time left: crosses at once."
    ALGO_PATIENT = (
        "ALGO_PATIENT",
        192,
        "Small for its volume: rests first, crosses by its deadline.",
    )
    ALGO_WIDE = "ALGO_WIDE", 193, "The spread is wide: pegged to the mid."
    ALGO_SLICED = "ALGO_SLICED", 194, "Large for its volume: sliced over a horizon."
    ALGO_AUCTION = "ALGO_AUCTION", 195, "Near the close: joins the closing auction."
    ALGO_RESTS = "ALGO_RESTS", 196, "Rests at the touch or inside the spread."
    ALGO_CROSSES = "ALGO_CROSSES", 197, "Takes the far touch, at once or because time runs out."
    ALGO_ADVERSE = "ALGO_ADVERSE", 198, "The mid ran away: crosses early."
    ALGO_IMBALANCE = "ALGO_IMBALANCE", 199, "The far touch is thin against the near: crosses early."
    ALGO_BEHIND = "ALGO_BEHIND", 200, "Below its least share of the volume: crosses to catch up."
    ALGO_HANDED_OFF = "ALGO_HANDED_OFF", 201, "Worked by an algorithm of the broker's own."
    ALGO_NO_QUOTE = "ALGO_NO_QUOTE", 202, "No quote on both sides, or too wide to cross: waits."
    # Room execute: what holds a worked order back, and how it ends.
    ORDER_WAITS_CASH = "ORDER_WAITS_CASH", 203, "A buy waits until sells have filled."
    ORDER_WAITS_LEGS = "ORDER_WAITS_LEGS", 204, "Waits so that the legs of a basket fill together."
    ORDER_WAITS_MESSAGES = "ORDER_WAITS_MESSAGES", 205, "The second's messages are spent."
    ORDER_DONE = "ORDER_DONE", 206, "Filled as far as it was wanted."
    ORDER_DEADLINE = "ORDER_DEADLINE", 207, "Its time is over: the rest is decided anew."
    ORDER_GAVE_UP = (
        "ORDER_GAVE_UP",
        208,
        "Two prices were tried within the collar: the rest is dropped.",
    )
    ORDER_CHILD_REJECTED = "ORDER_CHILD_REJECTED", 209, "The broker rejected two children."
    ORDER_CHILD_RESTATED = (
        "ORDER_CHILD_RESTATED",
        350,
        "The broker says that a child lives that was over.",
    )
    ORDER_CALLED_OFF = "ORDER_CALLED_OFF", 351, "A later decision, or the operator, called it off."
    ORDER_CHILD_BAD = "ORDER_CHILD_BAD", 352, "A child beyond its order's bounds: not sent."
    # Room brokers: why an order was not sent.
    SESSION_NOT_READY = "SESSION_NOT_READY", 210, "The session cannot take orders now."
    SESSION_READ_ONLY = "SESSION_READ_ONLY", 211, "The broker's interface is read-only."
    SESSION_QUIET = "SESSION_QUIET", 212, "The broker restarts soon: nothing new is sent."
    SESSION_HALTED = "SESSION_HALTED", 213, "Halted until a human has looked."
    ORDER_BAD_ID = "ORDER_BAD_ID", 214, "The client order id is used already, or cannot be one."
    ORDER_NO_INSTRUMENT = "ORDER_NO_INSTRUMENT", 215, "The broker has not said what this name is."
    ORDER_UNSUPPORTED = "ORDER_UNSUPPORTED", 216, "The broker does not know such an order."
    ORDER_OFF_TICK = "ORDER_OFF_TICK", 217, "The price is between two price steps."
    ORDER_SYMBOL_FROZEN = "ORDER_SYMBOL_FROZEN", 218, "An order of this name is of unknown fate."
    ORDER_TOO_MANY = "ORDER_TOO_MANY", 219, "As many orders of this name and side as may work."
    ORDER_NOT_JOURNALED = "ORDER_NOT_JOURNALED", 220, "The intent is not durable: nothing is sent."
    ORDER_NOT_WORKING = "ORDER_NOT_WORKING", 221, "No such order works, or it cannot be reached."
    ORDER_IN_FLIGHT = "ORDER_IN_FLIGHT", 222, "The last request for this order has no answer yet."
    BROKER_NOT_CONFIRMED = "BROKER_NOT_CONFIRMED", 223, "Foreign orders go only when confirmed."
    # Room execute: the pre-trade gate, what no order may be.
    GATE_FAILED = "GATE_FAILED", 230, "The gate could not judge: an input is missing, or it failed."
    GATE_ACCOUNT = "GATE_ACCOUNT", 231, "The book is of another account or currency."
    GATE_KILLED = "GATE_KILLED", 232, "The kill switch lets nothing out, or nothing that grows."
    GATE_NOT_TRADABLE = "GATE_NOT_TRADABLE", 233, "Closed, halted, restricted, or for risk only."
    GATE_NO_QUOTE = "GATE_NO_QUOTE", 234, "No two-sided quote, or no last price."
    GATE_STALE_QUOTE = "GATE_STALE_QUOTE", 235, "The quote is older than gate.max_quote_age_s."
    GATE_COLLAR = "GATE_COLLAR", 236, "Limit price or far touch too far from the last price."
    GATE_TICK = "GATE_TICK", 237, "The limit price is not on a tick."
    GATE_LOT = "GATE_LOT", 238, "Not a whole number of shares, or of lots."
    GATE_NOT_DECIDED = "GATE_NOT_DECIDED", 239, "No decision asks for this order."
    GATE_MORE_THAN_DECIDED = (
        "GATE_MORE_THAN_DECIDED",
        240,
        "With what left before, more than was decided for the name.",
    )
    GATE_DUPLICATE = "GATE_DUPLICATE", 241, "The same order is working, or has just been sent."
    GATE_SELF_CROSS = "GATE_SELF_CROSS", 242, "It could trade with an order of our own."
    GATE_POSITION = "GATE_POSITION", 243, "Sells more than is held, or calls a sale short wrongly."
    GATE_SHORT = "GATE_SHORT", 244, "Short selling is not allowed, or there is nothing to borrow."
    # Room execute: the pre-trade gate, what no growing order may be.
    GATE_CLOSE_ONLY = "GATE_CLOSE_ONLY", 245, "The name may only shrink."
    GATE_SIZE_SHARES = "GATE_SIZE_SHARES", 246, "More shares than gate.max_order_shares."
    GATE_SIZE_USD = "GATE_SIZE_USD", 247, "More dollars than gate.max_order_usd."
    GATE_SIZE_NAV = "GATE_SIZE_NAV", 248, "A larger share of NAV than gate.max_order_nav."
    GATE_SIZE_ADV = "GATE_SIZE_ADV", 249, "A larger share of daily volume, or none is known."
    GATE_RATE = "GATE_RATE", 250, "Too many orders in a second or a minute."
    GATE_DAY_COUNT = "GATE_DAY_COUNT", 251, "Too many orders today."
    GATE_DAY_USD = "GATE_DAY_USD", 252, "Too much notional sent today."
    GATE_DAILY_LOSS = "GATE_DAILY_LOSS", 253, "The day's loss is beyond gate.daily_loss."
    # Room execute: the pre-trade gate, the book at its worst case.
    GATE_LIMIT = "GATE_LIMIT", 254, "The book would pass a limit once all that works has filled."
    GATE_UNEVEN = "GATE_UNEVEN", 255, "Too far past a limit if only the orders that hurt filled."
    GATE_MARGIN = "GATE_MARGIN", 256, "Margin requirements would pass the equity."
    GATE_CASH = "GATE_CASH", 257, "A cash account's buys would pass its settled cash."
    GATE_LEG = "GATE_LEG", 258, "It depended on a leg that was denied."
    # Room execute: the pre-trade gate, the account as the broker tells it.
    GATE_FUNDS = "GATE_FUNDS", 303, "More than the account's remaining funds, by the broker's word."
    GATE_FUNDS_UNKNOWN = "GATE_FUNDS_UNKNOWN", 304, "The broker does not say what the account has."
    GATE_OVERNIGHT = "GATE_OVERNIGHT", 305, "The account could not hold the book over the close."
    GATE_DAY_TRADES = "GATE_DAY_TRADES", 306, "No day trade is left: nothing new is opened."
    # Room execute: the kill switch file.
    KILL_UNREADABLE = "KILL_UNREADABLE", 259, "The kill switch file is not understood: HALTED."
    # Driver live: where the journal and the broker disagree; such a name is frozen.
    RECON_POSITION_DIFFERS = (
        "RECON_POSITION_DIFFERS",
        260,
        "The broker holds other shares than the journal: frozen.",
    )
    RECON_SPLIT_RATIO = "RECON_SPLIT_RATIO", 261, "Shares differ by a ratio, as after a split."
    RECON_FOREIGN_POSITION = (
        "RECON_FOREIGN_POSITION",
        262,
        "Held outside the universe: seen, never touched.",
    )
    RECON_FOREIGN_ORDER = (
        "RECON_FOREIGN_ORDER",
        263,
        "An order that is not ours: its shares are reserved.",
    )
    RECON_ORDER_DIFFERS = (
        "RECON_ORDER_DIFFERS",
        264,
        "The broker says other things of an order than the journal.",
    )
    RECON_NOT_INTENDED = (
        "RECON_NOT_INTENDED",
        265,
        "Decided, and the process ended before it was intended: never sent.",
    )
    RECON_CANCEL_LOST = (
        "RECON_CANCEL_LOST",
        266,
        "A cancel that the broker never saw: decided anew.",
    )
    RECON_ACCEPTED = "RECON_ACCEPTED", 300, "The operator took the broker's word for the book's."
    # Driver live: why a cycle did not take place.
    LIVE_NOT_READY = "LIVE_NOT_READY", 270, "The session is not ready, or not reconciled."
    LIVE_OVERRUN = "LIVE_OVERRUN", 271, "An earlier cycle ran past this one's time: skipped."
    # Driver live: what files that grow did not say.
    LIVE_SCORES_UNREADABLE = (
        "LIVE_SCORES_UNREADABLE",
        280,
        "The scores file cannot be read just now: its last scores stand and age.",
    )
    # Room execute: what a new decision makes of an order at work.
    ORDER_RAISED = "ORDER_RAISED", 340, "A working order was raised, not a second one sent."
    ORDER_REDUCED = "ORDER_REDUCED", 341, "A working order opposed: reduced to what is wanted."
    GATE_CHANGE = "GATE_CHANGE", 342, "It would change an order that cannot be changed so."
    # Driver live: a change that was decided and never asked for.
    RECON_CHANGE_LOST = (
        "RECON_CHANGE_LOST",
        343,
        "A change that was not answered: the broker's own word for the order stands.",
    )
    # Driver live: what the operator commanded outside of a cycle.
    HAND_FLATTEN = "HAND_FLATTEN", 301, "Closed by the operator's own command, by no decision."
    LIVE_HALTED = "LIVE_HALTED", 302, "HALTED between two cycles: what works is canceled at once."


BY_NUMBER: Mapping[int, Code] = {code.number: code for code in Code}
CUTS = frozenset({Code.CUT_SCORE, Code.CUT_LOSER, Code.CUT_DEAD_MONEY})
FORCED = frozenset({Code.KILL_FLATTEN, Code.RISK_END_OF_DAY})
REPAIRS = frozenset({Code.CAP_NAME, Code.CAP_SECTOR, Code.CAP_BETA, Code.CAP_NET, Code.CAP_GROSS})
NOT_DISCRETIONARY = CUTS | FORCED | REPAIRS
"""Trades that no band, window, clamp or turnover cap may stop."""
FREE = np.array(sorted(code.number for code in NOT_DISCRETIONARY), dtype=np.int16)
"""Their numbers, to test columns with."""


@dataclass(frozen=True, slots=True, eq=False)
class Reason:
    """One code with the name it speaks of and its numbers."""

    code: Code
    symbol: str
    facts: Mapping[str, float] = field(default_factory=dict)
    counterpart: str = ""
    limit: str = ""

    def __str__(self) -> str:
        words = [str(self.code), self.symbol]
        words += [f"counterpart={self.counterpart}"] if self.counterpart else []
        words += [f"limit={self.limit}"] if self.limit else []
        words += [f"{name}={value:.6g}" for name, value in self.facts.items()]
        return " ".join(words)

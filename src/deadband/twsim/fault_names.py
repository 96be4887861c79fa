"""Every accident the gateway can be told to have: its name, when it strikes, what it is known from.

The tables of docs/gateway.md are tested against this page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Strikes(StrEnum):
    """The kind of moment at which a fault may strike."""

    TIME = "time"
    """At an instant; needs `at`."""
    NEW = "new order"
    MODIFY = "modify"
    CANCEL = "cancel"
    FILL = "fill"
    MESSAGE = "message sent"
    """Any message, or the kind named by `message`."""
    REQUEST = "request"
    """A question: positions, orders, executions, history, market data."""


class FaultName(StrEnum):
    """Names as fault scripts write them."""

    DROP_MESSAGE = "drop_message"
    DUPLICATE_MESSAGE = "duplicate_message"
    DELAY_MESSAGE = "delay_message"
    SWAP_MESSAGES = "swap_messages"
    FRAGMENT_FRAMES = "fragment_frames"
    DROP_SOCKET_MID_FRAME = "drop_socket_mid_frame"
    DROP_SOCKET = "drop_socket"
    HALF_OPEN = "half_open"
    RESTART = "restart"
    CONNECTIVITY_LOST = "connectivity_lost"
    MARKET_FARM_DOWN = "market_farm_down"
    HISTORY_FARM_DOWN = "history_farm_down"
    COMPETING_SESSION = "competing_session"
    HALT = "halt"
    ACCOUNT_NOT_READY = "account_not_ready"
    MANUAL_ORDER = "manual_order"
    NOTICE = "notice"
    STRICT_RATE = "strict_rate"
    ORDER_LOST = "order_lost"
    ORDER_HELD_BY_DIALOG = "order_held_by_dialog"
    ORDER_REJECTED = "order_rejected"
    SIZE_REJECTED = "size_rejected"
    DUPLICATE_ID = "duplicate_id"
    TIF_PRESET = "tif_preset"
    ORDER_WARNING = "order_warning"
    SHORT_HELD = "short_held"
    READ_ONLY = "read_only"
    WHAT_IF_REJECTED = "what_if_rejected"
    MODIFY_REJECTED = "modify_rejected"
    MODIFY_SPLITS = "modify_splits"
    CANCEL_NOT_FOUND = "cancel_not_found"
    CANCEL_TOO_LATE = "cancel_too_late"
    CANCEL_UNANSWERED = "cancel_unanswered"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    EXEC_CORRECTED = "exec_corrected"
    EXEC_BUSTED = "exec_busted"
    COMMISSION_FIRST = "commission_first"
    COMMISSION_NEVER = "commission_never"
    STATUS_FIRST = "status_first"
    STATUS_TWICE = "status_twice"
    STATUS_REGRESS = "status_regress"
    STATUS_NEVER = "status_never"
    EMPTY_ANSWER = "empty_answer"
    NO_ANSWER = "no_answer"
    POSITIONS_TWICE = "positions_twice"
    HISTORY_PACING = "history_pacing"
    NO_LIVE_DATA = "no_live_data"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """When it strikes, a public incident or document it is known from, and what it does."""

    strikes: Strikes
    known_from: str
    does: str


_N, _F, _M, _T, _R = Strikes.NEW, Strikes.FILL, Strikes.MESSAGE, Strikes.TIME, Strikes.REQUEST

KINDS: Mapping[FaultName, FaultKind] = MappingProxyType(
    {
        FaultName.DROP_MESSAGE: FaultKind(_M, "LEAN#249", "the message is never sent"),
        FaultName.DUPLICATE_MESSAGE: FaultKind(_M, "API docs", "the message is sent twice"),
        FaultName.DELAY_MESSAGE: FaultKind(
            _M, "API docs", "the message is sent `seconds` later, behind those that came after it"
        ),
        FaultName.SWAP_MESSAGES: FaultKind(
            _M, "API docs", "the message changes places with the next"
        ),
        FaultName.FRAGMENT_FRAMES: FaultKind(
            _T, "TCP", "for `seconds` every frame is sent byte by byte"
        ),
        FaultName.DROP_SOCKET_MID_FRAME: FaultKind(
            _M, "TCP", "half of the frame is sent, then the socket closes"
        ),
        FaultName.DROP_SOCKET: FaultKind(_T, "ib_async hazard H7", "sockets close; orders live on"),
        FaultName.HALF_OPEN: FaultKind(
            _T, "TCP", "for `seconds` nothing is read or sent; the socket stays open"
        ),
        FaultName.RESTART: FaultKind(
            _T,
            "LEAN#242, Nautilus#4247",
            "sockets close and new ones are refused for `seconds`; afterwards nextValidId has "
            "rolled back and numbers are given again",
        ),
        FaultName.CONNECTIVITY_LOST: FaultKind(
            _T,
            "LEAN#249",
            "1100, after `seconds` 1102, or 1101 with `data_lost`; new orders wait for it; with "
            "`lossy`, callbacks of orders that fall into the gap are lost",
        ),
        FaultName.MARKET_FARM_DOWN: FaultKind(
            _T,
            "Nautilus#3968",
            "2103, no ticks for `seconds`, then 2104; with `lossy` none ever after",
        ),
        FaultName.HISTORY_FARM_DOWN: FaultKind(
            _T, "API docs", "2105, history answers 162 for `seconds`, then 2106"
        ),
        FaultName.COMPETING_SESSION: FaultKind(
            _T, "API docs", "10197 for every market data line, no ticks for `seconds`"
        ),
        FaultName.HALT: FaultKind(
            _T, "API docs", "`symbol` does not trade for `seconds`: tick 49 is 2, orders wait"
        ),
        FaultName.ACCOUNT_NOT_READY: FaultKind(
            _T, "API docs", "for `seconds` AccountReady is false and values are zero"
        ),
        FaultName.MANUAL_ORDER: FaultKind(
            _T, "API docs", "an order for `shares` of `symbol` is placed by hand: client 0, id 0"
        ),
        FaultName.NOTICE: FaultKind(
            _T,
            "API docs",
            "error `code` with `text` is sent for the newest live order, or for none",
        ),
        FaultName.STRICT_RATE: FaultKind(
            _T,
            "API docs",
            "from then on 50 messages a second answer 100, three times end the session",
        ),
        FaultName.ORDER_LOST: FaultKind(_N, "LEAN#93", "the order vanishes without any callback"),
        FaultName.ORDER_HELD_BY_DIALOG: FaultKind(
            _N, "LEAN#240", "the order waits unseen for `seconds`, then lives as if sent then"
        ),
        FaultName.ORDER_REJECTED: FaultKind(_N, "ib_async hazard H10", "201 with `text`"),
        FaultName.SIZE_REJECTED: FaultKind(_N, "API docs", "201: too large, convert it to an algo"),
        FaultName.DUPLICATE_ID: FaultKind(
            _N, "ib_async hazard H9", "103 is answered, yet the order is live"
        ),
        FaultName.TIF_PRESET: FaultKind(
            _N, "pysystemtrade#1580", "10349 comes as an error, yet the order is live"
        ),
        FaultName.ORDER_WARNING: FaultKind(
            _N, "ib_async hazard H2", "399 with `text`, yet the order is live"
        ),
        FaultName.SHORT_HELD: FaultKind(
            _N, "ib_insync#328", "404 and whyHeld=locate for `seconds`, then it works"
        ),
        FaultName.READ_ONLY: FaultKind(
            _N, "ib_async hazard H17", "321: the interface is read-only"
        ),
        FaultName.WHAT_IF_REJECTED: FaultKind(_N, "ib_async hazard H18", "a what-if answers 201"),
        FaultName.MODIFY_REJECTED: FaultKind(
            Strikes.MODIFY, "ib_insync#502", "201, yet the order lives on as it was"
        ),
        FaultName.MODIFY_SPLITS: FaultKind(
            Strikes.MODIFY, "Nautilus#4564", "the old order lives on beside the new: two permIds"
        ),
        FaultName.CANCEL_NOT_FOUND: FaultKind(
            Strikes.CANCEL, "LEAN#248", "10147, yet the order lives on"
        ),
        FaultName.CANCEL_TOO_LATE: FaultKind(
            Strikes.CANCEL, "ib_async hazard H11", "10148, and then the order fills"
        ),
        FaultName.CANCEL_UNANSWERED: FaultKind(
            Strikes.CANCEL, "LEAN#256", "PendingCancel; the cancel comes `seconds` later"
        ),
        FaultName.FILL_AFTER_CANCEL: FaultKind(
            Strikes.CANCEL, "pysystemtrade#874", "Cancelled, and `seconds` later it fills"
        ),
        FaultName.EXEC_CORRECTED: FaultKind(
            _F, "ib_insync#364", "`seconds` later revision .02 comes, priced `move` USD higher"
        ),
        FaultName.EXEC_BUSTED: FaultKind(
            _F, "API docs", "`seconds` later revision .02 comes with no shares"
        ),
        FaultName.COMMISSION_FIRST: FaultKind(
            _F, "ib_async hazard H6", "commission before execution"
        ),
        FaultName.COMMISSION_NEVER: FaultKind(_F, "Nautilus#4228", "no commission report comes"),
        FaultName.STATUS_FIRST: FaultKind(_F, "ib_async hazard H4", "status before execution"),
        FaultName.STATUS_TWICE: FaultKind(_F, "API docs", "the status comes three times"),
        FaultName.STATUS_REGRESS: FaultKind(
            _F, "Nautilus#3958", "after the status an older one comes once more"
        ),
        FaultName.STATUS_NEVER: FaultKind(_F, "LEAN#851", "the execution comes, no status does"),
        FaultName.EMPTY_ANSWER: FaultKind(
            _R, "Nautilus#4228", "the question `message` is answered by an empty list"
        ),
        FaultName.NO_ANSWER: FaultKind(_R, "ib_async hazard H16", "the question is never answered"),
        FaultName.POSITIONS_TWICE: FaultKind(
            _R, "Nautilus#3176", "reqPositions lists every position twice"
        ),
        FaultName.HISTORY_PACING: FaultKind(
            _R, "API docs", "history answers 162: pacing violation"
        ),
        FaultName.NO_LIVE_DATA: FaultKind(
            _R,
            "LEAN#140",
            "market data answers 10167 and delayed ticks, or 354 if none are asked for",
        ),
    }
)

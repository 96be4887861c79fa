"""The order table, callback by callback: what is believed, what is doubted, and what is ignored."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from deadband.brokers.ibkr import settle
from deadband.brokers.ibkr.codes import Codes
from deadband.brokers.ibkr.fills import charged, traded
from deadband.brokers.ibkr.numbers import numbered
from deadband.brokers.ibkr.orders import OrderTable
from deadband.brokers.ibkr.rows import Row, is_newer
from deadband.brokers.ibkr.said import (
    CompletedSaid,
    FeeSaid,
    OrderSaid,
    StatusSaid,
    TradeSaid,
)
from deadband.brokers.ibkr.sink import UNSET
from deadband.core.events import Notice, Severity
from deadband.core.orders import ExecType, ExecutionReport, OrdStatus, Side, Source, TradeFee

from ....kit.ibkr import buy
from ....kit.stages import StillClock

A, PERM, CLIENT = "db.1.000", 501, 11


class Bench:
    """A table with one order sent, and what it said."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.clock = StillClock()
        self.table = OrderTable("DU1", CLIENT, self.clock, self.events.append)
        self.row = self.send(A)

    def send(self, ref: str, number: int = 1) -> Row:
        row = self.table.add(buy(ref, 10, 150.0))
        self.table.number(row, number)
        return row

    def status(self, word: str, filled: float = 0, perm: int = PERM, **other: Any) -> None:
        values = {"order_id": 1, "client_id": CLIENT, "why_held": ""} | other
        self.table.status(
            StatusSaid(
                perm_id=perm,
                status=word,
                filled=filled,
                remaining=10 - filled,
                avg_px=150.0,
                **values,
            )
        )

    def opened(self, word: str = "Submitted", perm: int = PERM, **other: Any) -> None:
        values = {"ref": A, "client_id": CLIENT, "order_id": 1, "qty": 10, "price": 150.0} | other
        self.table.opened(
            OrderSaid(
                perm_id=perm,
                account="DU1",
                symbol="AAPL",
                action="BUY",
                ord_type="LMT",
                status=word,
                **values,
            )
        )

    def trade(self, exec_id: str = "x.1.01", shares: float = 10, **other: Any) -> None:
        values = {"ref": A, "perm_id": PERM, "price": 150.0, "side": "BOT", "req_id": -1} | other
        traded(
            self.table,
            TradeSaid(
                order_id=1,
                client_id=CLIENT,
                exec_id=exec_id,
                account="DU1",
                symbol="AAPL",
                shares=shares,
                ts=7,
                **values,
            ),
        )

    def error(self, code: int, text: str = "said") -> None:
        numbered(self.table, self.row, Codes().rule(code), text)

    def reports(self) -> list[ExecutionReport]:
        return [one for one in self.events if isinstance(one, ExecutionReport)]

    def kinds(self) -> list[ExecType]:
        return [report.exec_type for report in self.reports()]

    def settle(self) -> None:
        settle.settle(self.table, self.clock.now())


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- life


def test_a_word_nobody_knows_changes_nothing_and_is_asked_about(bench: Bench) -> None:
    bench.status("Levitating")
    assert bench.kinds() == []
    assert bench.table.doubts == {A}


@pytest.mark.parametrize("word", ["PendingSubmit", "ApiPending"])
def test_words_before_any_acknowledgement_say_nothing(bench: Bench, word: str) -> None:
    bench.status(word)
    assert not bench.row.is_acked
    bench.error(201, "rejected")
    assert bench.kinds() == [ExecType.REJECTED]


def test_inactive_is_a_rejection_only_with_a_reason(bench: Bench) -> None:
    bench.status("Submitted")
    bench.status("Inactive")
    assert bench.row.status is OrdStatus.SUSPENDED
    assert bench.table.doubts == {A}
    bench.error(201, "no margin")
    bench.status("Inactive")
    assert bench.reports()[-1].exec_type is ExecType.REJECTED
    assert (bench.reports()[-1].code, bench.reports()[-1].text) == (201, "no margin")


def test_inactive_for_want_of_shares_is_suspended_and_not_doubted(bench: Bench) -> None:
    bench.status("Inactive", why_held="locate")
    assert bench.row.status is OrdStatus.SUSPENDED
    assert bench.table.doubts == set()


def test_full_by_status_alone_is_not_full(bench: Bench) -> None:
    bench.status("Filled", filled=10)
    assert bench.row.status is OrdStatus.NEW
    assert bench.table.doubts == {A}
    bench.trade()
    assert bench.kinds() == [ExecType.NEW, ExecType.TRADE]
    assert bench.row.status is OrdStatus.FILLED


def test_ended_with_shares_that_are_not_known_is_asked_about(bench: Bench) -> None:
    bench.status("Cancelled", filled=4)
    assert bench.row.status is OrdStatus.CANCELED
    assert bench.table.doubts == {A}


def test_an_older_status_after_the_end_is_not_believed(bench: Bench) -> None:
    bench.status("Cancelled")
    bench.status("Submitted")
    assert bench.row.status is OrdStatus.CANCELED
    assert bench.table.doubts == {A}
    bench.trade()
    bench.table.doubts.clear()
    bench.status("Submitted")
    assert bench.row.status is OrdStatus.FILLED
    assert bench.table.doubts == set(), "executions have the last word"


def test_the_death_of_one_of_two_orders_is_not_the_end(bench: Bench) -> None:
    bench.opened(perm=1)
    bench.opened(perm=2)
    assert Severity.FATAL in {one.severity for one in bench.events if isinstance(one, Notice)}
    assert bench.table.is_frozen("AAPL")
    bench.status("Cancelled", perm=1)
    assert bench.row.status is OrdStatus.NEW
    assert not bench.table.is_frozen("AAPL")
    bench.status("Cancelled", perm=2)
    assert bench.row.status is OrdStatus.CANCELED


def test_a_number_of_the_last_session_means_nothing_in_the_next(bench: Bench) -> None:
    bench.table.forget_addresses()
    bench.status("Cancelled", perm=999)
    assert bench.kinds() == []
    assert bench.table.at(1) is None


def test_a_number_never_stands_against_another_reference(bench: Bench) -> None:
    bench.trade(ref="other", perm_id=999)
    bench.opened(ref="other", perm=999)
    assert bench.kinds() == []
    assert list(bench.table.foreign.alive) == [999]


def test_another_clients_number_is_not_ours(bench: Bench) -> None:
    bench.status("Cancelled", perm=999, client_id=12)
    assert bench.kinds() == []


def raised(bench: Bench) -> None:
    """Ten shares at work, asked to be fifteen, and filled by their old size meanwhile."""
    bench.opened()
    bench.row.wanted = replace(bench.row.order, order_qty=15)
    bench.table.move(bench.row, ExecType.PENDING_REPLACE)
    bench.trade()
    assert bench.row.status is OrdStatus.PENDING_REPLACE
    assert bench.reports()[-1].ord_status is OrdStatus.PENDING_REPLACE


def test_an_order_that_is_raised_is_not_full_by_its_old_size(bench: Bench) -> None:
    raised(bench)
    bench.opened(qty=15)
    assert (bench.row.status, bench.row.leaves_qty) == (OrdStatus.PARTIALLY_FILLED, 5)
    bench.trade("x.2.01", 5)
    assert bench.row.status is OrdStatus.FILLED


@pytest.mark.parametrize("how", ["refused", "status", "list"])
def test_a_raise_that_came_too_late_leaves_a_full_order(bench: Bench, how: str) -> None:
    raised(bench)
    if how == "refused":
        numbered(bench.table, bench.row, Codes().rule(104), "Cannot modify a filled order.")
    elif how == "status":
        bench.status("Filled", 10)
    else:
        settle.begin(bench.table)
        bench.table.finished(CompletedSaid(PERM, A, "DU1", "AAPL", 10, "Filled", ""))
        settle.settle(bench.table, bench.clock.now() + 1.0)
    report = bench.reports()[-1]
    assert (report.exec_type, report.ord_status) == (
        ExecType.CANCEL_REJECTED,
        OrdStatus.FILLED,
    )
    assert bench.row.is_final and bench.row.wanted is None


def test_a_change_made_in_the_terminal_is_seen(bench: Bench) -> None:
    bench.opened()
    bench.opened(qty=7, price=149.0)
    report = bench.reports()[-1]
    assert report.exec_type is ExecType.REPLACED
    assert (report.order_qty, report.price) == (7, 149.0)
    assert "not by us" in report.text


# --- trades and fees


def test_revisions_replace_repeats_and_older_ones_do_not(bench: Bench) -> None:
    bench.trade("x.1.02", price=149.0)
    bench.trade("x.1.01", price=150.0)
    bench.trade("x.1.02", price=149.0)
    bench.trade("x.1.03", price=149.0)
    assert bench.kinds() == [ExecType.TRADE]
    bench.trade("x.1.04", price=148.0)
    corrected = bench.reports()[-1]
    assert corrected.exec_type is ExecType.TRADE_CORRECT
    assert (corrected.exec_ref_id, corrected.prior_px, corrected.avg_px) == ("x.1.03", 149.0, 148.0)


@pytest.mark.parametrize(
    ("revision", "known", "newer"),
    [("02", "01", True), ("10", "9", True), ("01", "01", False), ("1", "01", False)],
)
def test_revisions_are_counted_not_spelled(revision: str, known: str, newer: bool) -> None:
    assert is_newer(revision, known) is newer


def test_what_comes_up_while_a_list_is_heard_is_asked_about_again(bench: Bench) -> None:
    bench.table.doubts.add(A)
    settle.begin(bench.table)
    bench.send("db.1.001", 2)
    bench.table.doubts.add("db.1.001")
    bench.settle()
    assert bench.table.doubts == {"db.1.001"}


def test_a_busted_trade_may_come_back(bench: Bench) -> None:
    bench.trade("x.1.01", 4)
    bench.trade("x.1.02", 0)
    bench.trade("x.1.03", 4)
    assert bench.kinds() == [ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE]
    assert bench.row.cum_qty == 4


def test_a_bust_of_what_was_never_heard_is_nothing(bench: Bench) -> None:
    bench.trade("x.1.02", 0)
    assert bench.kinds() == []


def test_a_trade_on_the_other_side_keeps_its_side(bench: Bench) -> None:
    bench.trade(side="SLD")
    assert bench.reports()[-1].side is Side.SELL


def test_parts_of_shares_are_doubted(bench: Bench) -> None:
    bench.trade(shares=2.5)
    assert bench.table.doubts == {A}


def test_what_was_asked_for_is_told_as_reconciled(bench: Bench) -> None:
    bench.trade(req_id=77)
    assert bench.reports()[-1].source is Source.RECONCILED


def test_a_trade_that_is_not_ours_puts_the_books_in_doubt(bench: Bench) -> None:
    bench.trade(ref="", perm_id=999)
    assert bench.row.cum_qty == 10, "the session's own number names it"
    bench.table.forget_addresses()
    bench.trade("y.1.01", ref="", perm_id=998)
    assert "" in bench.table.doubts


@pytest.mark.parametrize("amount", [-1.0, UNSET, math.nan, math.inf])
def test_a_fee_that_means_unknown_is_no_money(bench: Bench, amount: float) -> None:
    bench.trade()
    charged(bench.table, FeeSaid("x.1.01", amount, "USD"))
    assert not [one for one in bench.events if isinstance(one, TradeFee)]


def test_fees_are_told_once_and_then_by_their_change(bench: Bench) -> None:
    charged(bench.table, FeeSaid("x.1.01", 1.0, "USD"))
    bench.trade()
    charged(bench.table, FeeSaid("x.1.01", 1.0, "USD"))
    charged(bench.table, FeeSaid("x.1.02", 0.75, "USD"))
    charged(bench.table, FeeSaid("x.1.02", 0.75, "EUR"))
    fees = [one.fee_micro for one in bench.events if isinstance(one, TradeFee)]
    assert fees == [1_000_000, -250_000]


# --- what a full answer settles


def test_what_is_over_by_the_lists_is_over(bench: Bench) -> None:
    bench.status("Submitted")
    settle.begin(bench.table)
    bench.table.finished(CompletedSaid(PERM, A, "DU1", "AAPL", 0, "Cancelled", "by the exchange"))
    bench.settle()
    assert bench.reports()[-1].exec_type is ExecType.CANCELED
    assert bench.reports()[-1].text == "by the exchange"


def test_over_with_shares_that_no_execution_names_is_unknown(bench: Bench) -> None:
    settle.begin(bench.table)
    bench.table.finished(CompletedSaid(PERM, A, "DU1", "AAPL", 10, "Filled", ""))
    bench.settle()
    assert bench.row.status is OrdStatus.UNKNOWN


def test_over_as_inactive_is_rejected(bench: Bench) -> None:
    settle.begin(bench.table)
    bench.table.finished(CompletedSaid(PERM, A, "DU1", "AAPL", 0, "Inactive", "no route"))
    bench.settle()
    assert bench.row.status is OrdStatus.REJECTED


def test_a_number_that_collided_and_an_order_nowhere_is_a_rejection(bench: Bench) -> None:
    bench.error(103, "Duplicate order id")
    assert bench.row.status is OrdStatus.PENDING_NEW
    settle.begin(bench.table)
    bench.settle()
    assert bench.row.status is OrdStatus.REJECTED


def test_what_is_listed_alive_after_its_end_is_restated(bench: Bench) -> None:
    bench.status("Cancelled")
    settle.begin(bench.table)
    bench.opened()
    bench.settle()
    assert bench.kinds() == [ExecType.CANCELED, ExecType.RESTATED]
    assert bench.row.status is OrdStatus.NEW


def test_an_end_that_comes_behind_the_list_stands(bench: Bench) -> None:
    bench.status("Cancelled")
    settle.begin(bench.table)
    bench.opened()
    bench.status("Cancelled")
    bench.settle()
    assert bench.row.status is OrdStatus.CANCELED


def test_an_order_sent_a_moment_ago_is_not_missed(bench: Bench) -> None:
    bench.row.asked_at = 5.0
    settle.begin(bench.table)
    settle.settle(bench.table, 4.9)
    assert bench.row.status is OrdStatus.PENDING_NEW


def test_a_rejection_before_any_word_ends_even_an_order_being_canceled(bench: Bench) -> None:
    bench.table.move(bench.row, ExecType.PENDING_CANCEL)
    bench.error(201, "no")
    assert bench.row.status is OrdStatus.REJECTED


def test_what_refuses_orders_leaves_one_at_work(bench: Bench) -> None:
    bench.status("Submitted")
    bench.error(201, "no")
    assert bench.row.status is OrdStatus.NEW
    assert bench.table.doubts == {A}

"""Fills become executions, fees and positions; faults correct and bust them afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..core.billing import Bill, filled, owed
from ..core.costs import CostSettings
from ..core.units import micros
from .accounts import Account
from .fault_names import FaultName
from .matching import ADDED, Fill
from .orders import Execution, Order, Status
from .reports import Reports
from .timeline import Timeline


@dataclass(slots=True)
class Books:
    """Every execution of the day, in order, and the accounts they moved."""

    timeline: Timeline
    reports: Reports
    accounts: Mapping[str, Account]
    seed: int
    costs: CostSettings
    executions: list[Execution] = field(default_factory=list)
    _count: int = 0

    def fill(self, order: Order, fill: Fill) -> None:
        """Book a fill and tell of it."""
        account = self.accounts[order.account]
        bill = self._bill(account, order, fill)
        fee = self._fee(order, bill)
        signed = order.ticket.side * fill.shares
        realized = account.fill(order.contract, signed, fill.price, fee)
        order.filled += fill.shares
        order.value_micros += fill.shares * micros(fill.price)
        order.fee_micros += fee
        order.bill += bill
        order.last_price = fill.price
        if order.remaining == 0:
            order.status, order.finished = Status.FILLED, self.timeline.now
        self._count += 1
        execution = Execution(
            exec_id=f"{self.seed % 65536:08x}.{self._count:08x}.01.01",
            order=order,
            moment=self.timeline.now,
            shares=fill.shares,
            price=fill.price,
            fee_micros=fee,
            realized_micros=realized,
            cumulative=order.filled,
            average=order.average,
            liquidity=fill.liquidity,
            bill=bill,
        )
        self.executions.append(execution)
        self.reports.execution(execution, account)
        self._revise(execution)

    def _bill(self, account: Account, order: Order, fill: Fill) -> Bill:
        added = 1.0 if fill.liquidity == ADDED else 0.0
        before = account.month.before(self.timeline.now, fill.shares)
        return filled(fill.shares, fill.price, before, added, self.costs)

    def _fee(self, order: Order, bill: Bill) -> int:
        """What a fill adds to the commission of its whole order, micro-dollars.

        Rebates may take of it. Otherwise nothing is given back where a correction made less of it.
        """
        sells = order.ticket.side < 0
        added = micros(owed(order.bill + bill, self.costs, sells=sells)) - order.fee_micros
        return added if self.costs.plan == "tiered" else max(added, 0)

    def _revise(self, execution: Execution) -> None:
        order = execution.order
        corrected = self.reports.struck(FaultName.EXEC_CORRECTED, order)
        if corrected is not None:
            price = round(execution.price + corrected.move, 4)
            self.timeline.after(corrected.seconds, lambda: self._correct(execution, price))
        busted = self.reports.struck(FaultName.EXEC_BUSTED, order)
        if busted is not None:
            self.timeline.after(busted.seconds, lambda: self._bust(execution))

    def _correct(self, execution: Execution, price: float) -> None:
        """Replace an execution's price: the same id with the next revision at its end."""
        execution = self._newest(execution)
        if not execution.shares:
            return
        order, moved = execution.order, execution.shares * micros(price - execution.price)
        order.value_micros += moved
        order.bill += Bill(value_micro=moved)
        account = self.accounts[order.account]
        account.reprice(order.contract, order.ticket.side * moved)
        bill = execution.bill + Bill(value_micro=moved)
        self._replace(execution, replace(execution, price=price, average=order.average, bill=bill))

    def _bust(self, execution: Execution) -> None:
        """Take an execution back: the same id with the next revision, and no shares."""
        execution = self._newest(execution)
        if not execution.shares:
            return
        order, account = execution.order, self.accounts[execution.order.account]
        signed = order.ticket.side * execution.shares
        account.fill(order.contract, -signed, execution.price, -execution.fee_micros)
        order.filled -= execution.shares
        order.value_micros -= execution.shares * micros(execution.price)
        order.fee_micros -= execution.fee_micros
        order.bill += -execution.bill
        nothing = replace(execution, shares=0, fee_micros=0, cumulative=order.filled, bill=Bill())
        self._replace(execution, nothing)

    def _newest(self, execution: Execution) -> Execution:
        """The revision of an execution that counts now."""
        stem = execution.exec_id.rpartition(".")[0]
        return next(e for e in self.executions if e.exec_id.rpartition(".")[0] == stem)

    def _replace(self, old: Execution, new: Execution) -> None:
        stem, _, revision = old.exec_id.rpartition(".")
        new = replace(new, exec_id=f"{stem}.{int(revision) + 1:02d}")
        self.executions[self.executions.index(old)] = new
        self.reports.exec_details(new)
        for client in sorted(self.reports.listeners):
            account = self.accounts[new.order.account]
            self.reports.listeners[client].position_changed(account, new.order.contract)

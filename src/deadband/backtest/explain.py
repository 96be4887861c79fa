"""Why one name was or was not traded in one cycle, in a sentence and as numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ..core.arrays import best_first
from ..core.errors import JournalError, MissingError
from ..core.limits import BY_NUMBER as LIMITS
from ..core.limits import Limit
from ..core.orders import Order
from ..core.problem import Proposal
from ..core.reasons import BY_NUMBER, Code
from ..core.session import EXCHANGE_ZONE, session_on
from ..core.types import CycleRecord
from ..core.units import PERCENT
from ..engines.margin import margin_of, shadow_price_ranges
from ..journal.store import Entry, JournalReader
from .explain_signal import signal_facts
from .explain_work import WORKED, operator_facts, work_facts
from .ledger import GATE
from .run import CYCLE, OPERATOR, REPORTS

TRADES = ("BUY_", "CUT_", "DROP_", "ROTATE_", "HEDGE_", "CAP_", "TARGET_", "KILL_")
"""Families of codes under which a name is traded."""
STOPPED = (Code.HOLD_LIMIT, Code.TARGET_MOVED)
"""Codes beside which the limit that held the name back is named."""
TOLD = (CYCLE, REPORTS, WORKED, OPERATOR)
"""Records that an explanation is made of."""
AMENDED = {Code.ORDER_RAISED: "raised", Code.ORDER_REDUCED: "reduced"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one name did what it did.

    `facts`: (what, value) in the order to read them; `gates`: (code, what it saw, its bound);
    `limits`: (limit, used, bound, shadow price) of the engine's book; the price is what 1 % of NAV
    more of the limit is worth and, where it differs, what 1 % less costs, in bps of NAV.
    """

    symbol: str
    at: str
    cycle_id: str
    code: Code
    sentence: str
    facts: tuple[tuple[str, str], ...]
    gates: tuple[tuple[str, str, str], ...]
    limits: tuple[tuple[str, str, str, str], ...]


def explain(path: Path, symbol: str, at: str | None = None) -> Explanation:
    """Explain the last cycle at or before `at`: exchange clock (10:30), a cycle id, or ISO time.

    A time without seconds is all of its minute. Without `at`, the last cycle in which the name
    traded, else the last one of an open session. What became of its orders is told as far as the
    journal knows by now.
    """
    with JournalReader(path) as journal:
        told = [each for each in journal.entries() if each.kind in TOLD]
        cycles = [entry for entry in told if entry.kind == CYCLE]
        if not cycles:
            raise JournalError(f"journal {path} holds no cycle.")
        entry = _at(cycles, at) if at is not None else _last_traded(journal, cycles, symbol)
        found = _explained(journal, entry, symbol)
        # Orders live for a session, which lies within one day of UTC.
        same_day = [each for each in told if each.at[:10] == entry.at[:10]]
        facts, then = work_facts(journal, same_day, _orders(journal.value(entry.tree), symbol))
        until = min((each.seq for each in cycles if each.seq > entry.seq), default=told[-1].seq + 1)
        # Without a time it is the last that was decided of the name: whatever came since counts.
        until = told[-1].seq + 1 if at is None else until
        words = [e for e in told if e.kind == OPERATOR and entry.seq < e.seq < until]
        by_hand, word = operator_facts(journal, words, symbol)
        return replace(
            found, sentence=found.sentence + then + word, facts=found.facts + facts + by_hand
        )


def _last_traded(journal: JournalReader, cycles: list[Entry], symbol: str) -> Entry:
    for entry in reversed(cycles):
        plan = journal.value(entry.tree["plan"])
        changed = any(n.symbol == symbol and n.code in AMENDED for n in plan.notes)
        if changed or any(order.symbol == symbol for order in plan.orders):
            return entry
    return cycles[max(0, len(cycles) - 2)]


def _orders(record: CycleRecord, symbol: str) -> list[Order]:
    """What the cycle sent of a name, and what it changed."""
    changed = {change.cl_ord_id for change in record.plan.replaces}
    working = [one.order for one in record.state.working if one.order.cl_ord_id in changed]
    return [order for order in (*working, *record.plan.orders) if order.symbol == symbol]


def sample(path: Path, count: int) -> tuple[Explanation, ...]:
    """A few decisions of a run, each of another code: the commonest trades and the rarest holds."""
    with JournalReader(path) as journal:
        places: dict[Code, list[tuple[Entry, int]]] = {}
        for entry in journal.entries():
            if entry.kind == CYCLE:
                column = journal.value(entry.tree["decision"]["code"])
                for number in set(column.tolist()):
                    name = int((column == number).argmax())
                    places.setdefault(BY_NUMBER[number], []).append((entry, name))
        trades = [code for code in places if code.startswith(TRADES)]
        holds = [code for code in places if not code.startswith((*TRADES, "SESSION_", "WINDOW_"))]
        trades.sort(key=lambda code: (-len(places[code]), code))
        holds.sort(key=lambda code: (len(places[code]), code))
        codes = trades[: count // 2]
        codes += holds[: count - len(codes)]
        chosen = sorted((places[code][len(places[code]) // 2] for code in codes), key=_in_time)
        return tuple(
            _explained(journal, entry, journal.value(entry.tree["state"]["universe"]).symbols[name])
            for entry, name in chosen
        )


def _in_time(place: tuple[Entry, int]) -> int:
    return place[0].seq


def _at(cycles: list[Entry], at: str) -> Entry:
    by_id = [entry for entry in cycles if entry.cycle_id == at]
    if by_id:
        return by_id[0]
    moment = _moment(cycles[-1].at, at)
    before = [entry for entry in cycles if datetime.fromisoformat(entry.at) <= moment]
    if not before:
        first = _local(cycles[0].at)
        raise MissingError(
            f"the journal's first cycle is of {first:%Y-%m-%d %H:%M} ET, after "
            f"{moment.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M}. Name a later time."
        )
    return before[-1]


def _moment(last: str, at: str) -> datetime:
    """Exchange clock on the journal's last day, or an ISO time (exchange time if without zone)."""
    try:
        if len(at) <= 5:
            session = session_on(datetime.fromisoformat(last).astimezone(EXCHANGE_ZONE).date())
            assert session is not None, "a journaled cycle is on a session day"
            return _end_of_minute(session.at_clock(at))
        moment = datetime.fromisoformat(at)
    except ValueError as fault:
        raise MissingError(
            f"--at {at} is not a time. Give exchange clock time such as 10:30, "
            "2026-03-02T10:30, or a cycle id."
        ) from fault
    aware = moment if moment.tzinfo else moment.replace(tzinfo=EXCHANGE_ZONE)
    return aware if aware.second or aware.microsecond else _end_of_minute(aware)


def _local(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(EXCHANGE_ZONE)


def _end_of_minute(moment: datetime) -> datetime:
    """A live cycle is decided seconds after its bar's end, and told of by the minute."""
    return moment + timedelta(seconds=59, microseconds=999_999)


def _explained(journal: JournalReader, entry: Entry, symbol: str) -> Explanation:
    record: CycleRecord = journal.value(entry.tree)
    universe = record.state.universe
    if symbol not in universe.index:
        meant = symbol.upper()
        raise MissingError(
            f"{symbol} is not in the journal's universe of {len(universe)} names, such as "
            f"{', '.join(universe.symbols[:3])}."
            + (f" Did you mean {meant}?" if meant in universe.index else "")
        )
    name = universe.index[symbol]
    code = BY_NUMBER[int(record.decision.code[name])]
    local = _local(entry.at)
    return Explanation(
        symbol=symbol,
        at=local.strftime("%Y-%m-%d %H:%M ET"),
        cycle_id=entry.cycle_id,
        code=code,
        sentence=_sentence(record, name, symbol, code),
        facts=_facts(record, name),
        gates=tuple(
            (gate.code.value, f"{float(gate.value[name]):.6g}", f"{gate.bound:.6g}")
            for gate in record.permits.gates
            if gate.names[name]
        ),
        limits=_limits(record.proposal),
    )


def _limits(proposal: Proposal) -> tuple[tuple[str, str, str, str], ...]:
    prices = shadow_price_ranges(proposal)
    unit = "bps" if np.isfinite(proposal.problem.unit_bps) else "U"
    return tuple(
        (limit, f"{value:.4f}", f"{bound:.4f}", _priced(prices.get(limit), unit))
        for limit, (value, bound) in proposal.certificate.used.items()
        if value or not limit.startswith(Limit.SECTOR)
    )


def _priced(price: tuple[float, float] | None, unit: str) -> str:
    """A shadow price per 1 % of NAV; both ends where they differ."""
    if price is None:
        return ""
    gain, loss = (f"{PERCENT * one:.4f}" for one in price)
    return f"{gain} {unit}" if gain == loss else f"{gain} to {loss} {unit}"


def _sentence(record: CycleRecord, name: int, symbol: str, code: Code) -> str:
    proposal, current = record.proposal, float(record.seen.portfolio.weights[name])
    target = float(record.decision.target[name])
    other = int(proposal.counterpart[name])
    partner = f" with {record.state.universe.symbols[other]}" if other >= 0 else ""
    limit = LIMITS.get(int(proposal.limit[name]))
    stopped = f" (limit {limit})" if limit and code in STOPPED else ""
    if target == current:
        did = f"stayed at {current:.2%}" if current else "was not bought"
    else:
        verb = "bought" if target > current else "sold"
        did = f"was {verb} from {current:.2%} to {target:.2%} of NAV"
    then = _amended(record, symbol) + _denied(record, symbol)
    return f"{symbol} {did}{partner}: {code}{stopped}. {code.meaning}{then}"


def _amended(record: CycleRecord, symbol: str) -> str:
    """What became of the name's orders at work, where they were changed and not joined by more."""
    left = {change.cl_ord_id for change in record.plan.replaces}
    said = [
        f" Its working order was {AMENDED[note.code]} "
        f"{note.facts['from_qty']:.0f} → {note.facts['to_qty']:.0f} ({note.code})."
        for note in record.plan.notes
        if note.symbol == symbol and note.code in AMENDED and note.counterpart in left
    ]
    return "".join(said)


def _denied(record: CycleRecord, symbol: str) -> str:
    """What the pre-trade gate did with the name's orders: a decision is not a trade yet."""
    codes = [n.code for n in record.plan.notes if n.symbol == symbol]
    by_gate = [str(code) for code in codes if code.startswith(GATE)]
    return f" The gate denied its order: {', '.join(by_gate)}." if by_gate else ""


def _margin(proposal: Proposal, name: int) -> list[tuple[str, Any]]:
    """Edge, risk, cost and limits of one more unit of weight, where an exact engine answered."""
    margin, proof = margin_of(proposal, name), proposal.certificate.proof
    if margin is None or proof is None:
        return []
    facts: list[tuple[str, Any]] = [
        ("edge at the margin", f"{margin.edge:+.4f}"),
        ("risk at the margin", f"{margin.risk:+.4f}"),
        ("prices of limits on it", f"{margin.limits:+.4f}"),
    ]
    if margin.stopped_by:
        facts.append(("stopped by", f"{margin.stopped_by}, which weighs {margin.weighs:.4f}"))
    solver = f"{proof.methods[-1]}, relative gap {max(0.0, proof.gap):.1e}"
    return [*facts, ("proven by", solver)]


def _facts(record: CycleRecord, name: int) -> tuple[tuple[str, str], ...]:
    problem, proposal, book = record.proposal.problem, record.proposal, record.seen.portfolio
    market, risk = record.seen.market, record.risk
    better = np.flatnonzero(problem.scored & (problem.z >= problem.z[name]))
    ranked = best_first(problem.z, problem.symbols, better).tolist()
    orders = [o for o in record.plan.orders if o.symbol == record.state.universe.symbols[name]]
    notes = [n for n in record.plan.notes if n.symbol == record.state.universe.symbols[name]]
    facts: list[tuple[str, Any]] = [
        ("weight now", f"{float(book.weights[name]):.4%}"),
        ("target of the engine", f"{float(proposal.weights[name]):.4%}"),
        ("target after bands", f"{float(record.decision.target[name]):.4%}"),
        ("score z", f"{float(problem.z[name]):.4f}" if problem.scored[name] else "none"),
        ("rank", ranked.index(name) + 1 if problem.scored[name] else "none"),
        *signal_facts(record, name),
        ("cost, in U per weight", f"{float(problem.cost[name]):.4f}"),
        ("score gap of the test", f"{float(proposal.gap[name]):.4f}"),
        ("edge after cost of the test", f"{float(proposal.gain[name]):.6f}"),
        ("P&L since entry, bps", f"{float(book.pnl_since_entry_bps[name]):.1f}"),
        ("held, minutes", f"{float(book.holding_min[name]):.0f}"),
        ("bid / ask", f"{float(market.bid[name]):.4f} / {float(market.ask[name]):.4f}"),
        ("quote age, s", f"{float(market.quote_age_s[name]):.0f}"),
    ]
    if risk.atr is not None:
        facts.append(("ATR, % of price", f"{float(risk.atr[name]) * 100:.3f}"))
    facts += _margin(proposal, name)
    facts += [("order", f"{o.side} {o.order_qty} limit {o.price:.4f}") for o in orders]
    facts += [("note", str(note)) for note in notes]
    facts += [("engine", f"{proposal.engine}: {proposal.why}")] if proposal.why else []
    facts += [("portfolio", str(reason)) for reason in record.decision.spoken]
    return tuple((what, str(value)) for what, value in facts)

"""The report of a run: one self-contained HTML page and a Parquet table of its cycles."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import DataError
from ..core.reasons import BY_NUMBER
from ..core.session import EXCHANGE_ZONE
from .chart import Line, line_chart
from .ledger import Ledger, Row

_COSTS = "fees, slippage, nights"
_NIGHTS = {
    "BORROW": "Overnight: fees for borrowed shares",
    "DEBIT_INTEREST": "Overnight: interest paid",
    "CREDIT_INTEREST": "Overnight: interest on cash (below zero is earned)",
}
MEANING = {code.value: code.meaning for code in BY_NUMBER.values()}


@dataclass(frozen=True, slots=True)
class Written:
    """Where the report lies."""

    page: Path
    table: Path


def write_report(ledger: Ledger, folder: Path, title: str, notice: str) -> Written:
    """Write report.html and cycles.parquet into `folder`; `notice` is shown under the title."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise DataError(
            f"report folder {folder} cannot be made: {fault}. Name another folder."
        ) from fault
    page, table = folder / "report.html", folder / "cycles.parquet"
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in ledger.rows]), table)
    page.write_text(render(ledger, title, notice), encoding="utf-8")
    return Written(page, table)


def render(ledger: Ledger, title: str, notice: str) -> str:
    """The page as HTML; nothing in it points outside the file."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("deadband.backtest", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    summary = ledger.summary()
    return environment.get_template("report.html").render(
        title=title,
        notice=notice,
        summary=summary,
        figures=figures(summary),
        checks=checks(summary),
        limits=_limits(ledger, summary),
        trades=_counted(ledger.trades_by_reason),
        held=_counted(ledger.held_by_reason),
        spoken=_counted(ledger.spoken),
        notes=_counted(ledger.notes),
        denied=_counted(ledger.denied),
        models=_models(ledger),
        rejected=ledger.rejected.most_common(),
        findings=ledger.findings,
        charts=_charts(ledger),
        laps=sorted(ledger.laps_ms.items(), key=lambda lap: -lap[1]),
        versions=ledger.versions,
    )


def figures(summary: dict[str, Any]) -> list[tuple[str, str]]:
    days = max(summary["sessions"], 1)
    # Only where nights cost something: elsewhere there is nothing to say of them.
    carry = [(_NIGHTS[kind], f"{usd:,.2f} USD") for kind, usd in summary["carry_by_kind"].items()]
    flows = summary["flows"]
    outside = [("of which from outside", f"{flows:+,.2f} USD")] if flows else []
    return [
        ("Cycles", f"{summary['cycles']:,} in {days} session{'s' if days > 1 else ''}"),
        ("Orders / fills", f"{summary['orders']:,} / {summary['fills']:,}"),
        ("Orders raised or reduced at work", f"{summary['changes']:,}"),
        ("Denied by the gate", f"{sum(summary['denied'].values()):,} orders"),
        ("Round trips a day", f"{summary['round_trips'] / days:.1f}"),
        ("NAV", f"{summary['nav_start']:,.2f} → {summary['nav_end']:,.2f} USD"),
        *outside,
        ("P&L after costs", f"{summary['pnl']:+,.2f} USD"),
        ("Costs", f"{summary['costs']:,.2f} USD"),
        ("of which fees", f"{summary['fees']:,.2f} USD"),
        ("of which slippage", f"{summary['slippage']:,.2f} USD against the mid at decision"),
        *carry,
        (
            "Turnover",
            f"{summary['turnover_one_way']:.2f} × NAV one-way "
            f"({summary['turnover_l1']:.2f} two-way)",
        ),
    ]


def checks(summary: dict[str, Any]) -> list[tuple[str, bool]]:
    """What a run has to keep, and whether it did; a live one has no statements of the broker's."""
    statements = (
        f"the broker's own books agree on {summary['statements_agree']} of "
        f"{summary['statements']} session closes",
        summary["statements_agree"] == summary["statements"],
    )
    return [
        (
            f"cash + positions = NAV to the cent in "
            f"{summary['cycles'] - summary['nav_off_by_a_cent']} of {summary['cycles']} cycles",
            summary["nav_off_by_a_cent"] == 0,
        ),
        *([statements] if summary["statements"] else []),
        (
            f"{summary['limit_breaches']} decisions passed a limit "
            f"({summary['limit_excursions']} cycles found the book past one, moved by prices "
            "or by legs that filled unevenly)",
            summary["limit_breaches"] == 0,
        ),
        ("the run came to its end", bool(summary["complete"])),
    ]


def _limits(ledger: Ledger, summary: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(limit, most used, allowed, share) over the run."""
    config = ledger.settings.optimize
    rows = [
        ("gross", summary["max_gross"], config.max_gross_exposure),
        ("net", summary["max_abs_net"], config.max_net_exposure),
        ("largest name", summary["max_abs_weight"], config.per_name_cap),
        ("largest sector", max(row.sector for row in ledger.rows), config.sector_cap),
    ]
    if summary["max_abs_beta"]:
        rows.append(("beta", summary["max_abs_beta"], config.beta_tolerance))
    return [
        (name, f"{used:.2%}", f"{bound:.2%}", f"{used / bound:.0%}" if bound else "–")
        for name, used, bound in rows
    ]


def _models(ledger: Ledger) -> list[tuple[str, str, str, int, str]]:
    """(name, version, what it states, silent cycles, what it lost votes to) of each model."""
    rows = []
    for name, call in ledger.models.items():
        lost = [
            f"{code}: {cycles:,} cycles, {call.votes_lost[code]:,} votes"
            + (f" ({call.words[code]})" if code in call.words else "")
            for code, cycles in call.cycles_lost.most_common()
        ]
        stated = f"{call.unit} over {call.horizon_min:g} min"
        rows.append((name, call.version, stated, call.silent, "; ".join(lost)))
    return rows


def _counted(counts: Counter[str]) -> list[tuple[str, int, str]]:
    return [(code, count, MEANING.get(code, "")) for code, count in counts.most_common()]


def _charts(ledger: Ledger) -> list[tuple[str, str]]:
    rows, config = ledger.rows, ledger.settings.optimize
    labels = _labels(rows)
    exposures = [
        Line("gross", [r.gross for r in rows]),
        Line("net", [r.net for r in rows], config.max_net_exposure),
    ]
    if any(row.beta for row in rows):
        exposures.append(Line("beta", [r.beta for r in rows], config.beta_tolerance, mirrored=True))
    daily = _cumulated_by_day(rows)
    costs = _running(row.fees + row.slippage + row.carry for row in rows)
    return [
        ("NAV, USD", line_chart(labels, [Line("NAV after costs", [r.nav for r in rows])], "usd")),
        ("Exposure, % of NAV", line_chart(labels, exposures, "percent")),
        (
            "Turnover since the open, % of NAV (two-way)",
            line_chart(labels, [Line("turnover", daily)], "percent"),
        ),
        ("Costs paid so far, USD", line_chart(labels, [Line(_COSTS, costs)], "usd")),
    ]


def _labels(rows: list[Row]) -> list[str]:
    """Exchange hours where the run is one day, else days."""
    moments = [datetime.fromisoformat(row.at).astimezone(EXCHANGE_ZONE) for row in rows]
    one_day = moments[0].date() == moments[-1].date()
    labels = [moment.strftime("%H:00" if one_day else "%b %d") for moment in moments]
    if one_day and moments[0].minute:
        # Where the run begins within an hour, that hour's mark says when.
        first = labels[0]
        labels = [f"{moments[0]:%H:%M}" if label == first else label for label in labels]
    return labels


def _running(values: Any) -> list[float]:
    total, out = 0.0, []
    for value in values:
        total += value
        out.append(total)
    return out


def _cumulated_by_day(rows: list[Row]) -> list[float]:
    total, day, out = 0.0, "", []
    for row in rows:
        if row.at[:10] != day:
            total, day = 0.0, row.at[:10]
        total += row.turnover
        out.append(total)
    return out

"""Fills as they turned out to be: fees that came apart put back, corrections and busts taken in."""

from __future__ import annotations

from dataclasses import replace

from ..core.orders import ExecutionReport, TradeFee


def with_fee(fills: list[ExecutionReport], fee: TradeFee) -> list[ExecutionReport]:
    """Fills, the one that a fee came for apart with the fee added."""
    return [
        replace(fill, fee_micro=fill.fee_micro + fee.fee_micro)
        if fill.exec_id == fee.exec_id
        else fill
        for fill in fills
    ]


def corrected(fills: list[ExecutionReport], report: ExecutionReport) -> list[ExecutionReport]:
    """Fills, the one that a correction names as it now counts; a bust leaves nothing of it."""
    return [
        replace(
            fill,
            exec_id=report.exec_id,
            last_qty=report.last_qty,
            last_px=report.last_px,
            fee_micro=fill.fee_micro + report.fee_micro,
        )
        if fill.exec_id == report.exec_ref_id
        else fill
        for fill in fills
        if report.last_qty or fill.exec_id != report.exec_ref_id
    ]

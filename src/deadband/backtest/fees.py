"""Fees that came apart from their fills, put back to them."""

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

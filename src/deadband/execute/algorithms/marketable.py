"""MARKETABLE: a limit at the far touch within the collar; priced once more, then it stops."""

from __future__ import annotations

from dataclasses import replace

from ...core.orders import Tif
from ...core.parents import Progress, Tick
from ...core.reasons import Code
from .wish import Wish, crossed, nothing

PRICES = 2
"""How often it may miss: once, and once more at a new price."""


def wish(progress: Progress, tick: Tick) -> Wish:
    """An immediate-or-cancel order for all that is left; what two of them missed is dropped."""
    if progress.misses >= PRICES and progress.child is None:
        return nothing(Code.ORDER_GAVE_UP, final=True)
    asked = crossed(progress, tick, progress.leaves_qty, Code.ALGO_CROSSES)
    if not asked.crossing:
        return nothing(Code.ALGO_NO_QUOTE)
    return replace(asked, tif=Tif.IOC)

"""The universe file: symbol, sector, and flags that become the policy's lists."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..core.ailments import Ailment
from ..core.config import PolicySettings
from ..core.errors import DataError
from ..core.ports import Finding
from ..core.seen import Universe
from .table import labels, read_table

LISTS = ("restricted", "no_short", "close_only", "earnings")
TRUE = ("1", "true", "yes", "y", "t")
FALSE = ("", "0", "false", "no", "n", "f")


@dataclass(frozen=True, slots=True)
class Listing:
    """Sector by symbol, the policy's lists, and names that cannot be borrowed.

    `symbols` are those the file lists, in its order; none where there is no file.
    """

    sectors: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_shortable: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()

    def added_to(self, policy: PolicySettings) -> PolicySettings:
        """The policy with this file's names added to its lists."""
        merged = {
            name: tuple(sorted({*getattr(policy, name), *self.lists.get(name, ())}))
            for name in LISTS
        }
        return replace(
            policy,
            restricted=merged["restricted"],
            no_short=merged["no_short"],
            close_only=merged["close_only"],
            earnings=merged["earnings"],
        )

    def against(self, universe: Universe) -> tuple[Finding, ...]:
        """What this file and the names of the bars do not share; nothing where there is no file."""
        if not self.symbols:
            return ()
        pairs = zip(universe.symbols, universe.traded.tolist(), strict=True)
        unlisted = [symbol for symbol, traded in pairs if traded and symbol not in self.symbols]
        barless = [symbol for symbol in self.symbols if symbol not in universe.index]
        return tuple(
            Finding(ailment, len(symbols), ", ".join(symbols[:5]))
            for ailment, symbols in (
                (Ailment.DATA_NOT_LISTED, unlisted),
                (Ailment.DATA_LISTED_WITHOUT_BARS, barless),
            )
            if symbols
        )


def read_listing(path: Path) -> Listing:
    """Read symbol, sector and flag columns of 0/1 or yes/no; an empty flag is no.

    Without a sector column, gics_sector or nasdaq_sector is used, whichever labels more names.
    """
    table = read_table(
        path, ("symbol",), ("sector", "gics_sector", "nasdaq_sector", *LISTS, "shortable")
    )
    texts, place = labels(table, "symbol", path)
    symbols = [str(symbol) for symbol in texts[place]]
    twice = sorted({s for s in symbols if symbols.count(s) > 1})
    if twice:
        raise DataError(f"{path} lists {', '.join(twice[:5])} more than once. Name each once.")
    lists = {
        name: _flagged(table, name, symbols, path) for name in LISTS if name in table.column_names
    }
    not_shortable: tuple[str, ...] = ()
    if "shortable" in table.column_names:
        yes = set(_flagged(table, "shortable", symbols, path))
        not_shortable = tuple(symbol for symbol in symbols if symbol not in yes)
    return Listing(_sectors(table, symbols), lists, not_shortable, tuple(symbols))


def _sectors(table: pa.Table, symbols: list[str]) -> dict[str, str]:
    """Labels of one column only: two classifications side by side would split a sector in two."""
    columns = [c for c in ("sector", "gics_sector", "nasdaq_sector") if c in table.column_names]
    if not columns:
        return {}
    values = {column: table[column].to_pylist() for column in columns}
    filled = {column: sum(1 for v in values[column] if v) for column in columns}
    best = "sector" if "sector" in columns else max(columns, key=lambda c: filled[c])
    return {s: str(v) for s, v in zip(symbols, values[best], strict=True) if v}


def _flagged(table: pa.Table, column: str, symbols: list[str], path: Path) -> tuple[str, ...]:
    cells = pc.cast(table[column], pa.string()).to_pylist()
    # A column of 0, 1 and empty cells is often stored as 0.0, 1.0 and NaN.
    texts = [(cell or "").strip().lower().removesuffix(".0").replace("nan", "") for cell in cells]
    for symbol, text in zip(symbols, texts, strict=True):
        if text not in TRUE + FALSE:
            raise DataError(
                f"{path} says {column}={text} for {symbol}, expected 0 or 1, yes or no. "
                "A flag that is not understood is not passed over."
            )
    return tuple(symbol for symbol, text in zip(symbols, texts, strict=True) if text in TRUE)

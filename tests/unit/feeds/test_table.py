"""Tables from disk: what is read, and the one sentence said of what cannot be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deadband.core.errors import DataError, MissingError
from deadband.feeds.table import floats, labels, read_table, utc_nanoseconds

HALF_PAST_TWO = 1_772_461_800_000_000_000
"""2026-03-02 14:30 UTC, 09:30 in New York."""


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def parquet(folder: Path, **columns: object) -> Path:
    path = folder / "table.parquet"
    pd.DataFrame(columns).to_parquet(path, index=False)
    return path


def test_optional_columns_are_read_where_they_are_there(tmp_path: Path) -> None:
    path = csv(tmp_path, "symbol,ask,note", "A,1,x")
    assert read_table(path, ("symbol",), ("bid", "ask")).column_names == ["symbol", "ask"]


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-03-02T14:30:00Z",
        "2026-03-02 14:30:00+00:00",
        "2026-03-02T09:30:00-05:00",
        "2026-03-02T14:30:00.000Z",
    ],
)
def test_csv_times_with_a_zone_are_the_instant_they_name(tmp_path: Path, stamp: str) -> None:
    path = csv(tmp_path, "ts,symbol", f"{stamp},A")
    assert utc_nanoseconds(read_table(path, ("ts",)), "ts", path).tolist() == [HALF_PAST_TWO]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_parquet_times_of_any_unit_and_zone_are_the_same_instant(
    tmp_path: Path, unit: str, zone: str
) -> None:
    stamp = pd.Timestamp(HALF_PAST_TWO, tz="UTC").tz_convert(zone).as_unit(unit)
    path = parquet(tmp_path, ts=[stamp])
    assert utc_nanoseconds(read_table(path, ("ts",)), "ts", path).tolist() == [HALF_PAST_TWO]


@pytest.mark.parametrize(
    ("stamps", "said"),
    [
        (["2026-03-02 14:30:00"], "no time zone.*Store it in UTC"),
        (["2026-03-02T14:30:00Z", "soon"], "is string, expected times in UTC.*2026-03-02T14:30"),
        (["1772461800"], "is int64, expected times in UTC"),
        (["2026-03-02T14:30:00Z", ""], "1 empty rows. Drop them"),
        (["9999-03-02T14:30:00Z"], "holds times no clock shows"),
    ],
)
def test_times_that_are_no_instants_are_refused(
    tmp_path: Path, stamps: list[str], said: str
) -> None:
    path = csv(tmp_path, "ts,symbol", *(f"{stamp},A" for stamp in stamps))
    with pytest.raises(DataError, match=said):
        utc_nanoseconds(read_table(path, ("ts",)), "ts", path)


@pytest.mark.parametrize(
    ("has", "asked", "near"),
    [
        ("timestamp", "ts", "timestamp"),
        ("TS", "ts", "TS"),
        ("ticker", "symbol", "ticker"),
        ("Symbol", "symbol", "Symbol"),
        ("vol", "volume", "vol"),
        ("timestamp", "asof", "timestamp"),
    ],
)
def test_a_column_of_another_name_is_asked_for(
    tmp_path: Path, has: str, asked: str, near: str
) -> None:
    path = csv(tmp_path, has, "1")
    with pytest.raises(MissingError, match=f"no column {asked}.*Did you mean {near} for {asked}"):
        read_table(path, (asked,))


def test_a_hint_is_given_for_each_missing_column_and_only_where_one_is_near(
    tmp_path: Path,
) -> None:
    path = csv(tmp_path, "time,ticker,zzz", "1,A,2")
    with pytest.raises(MissingError) as fault:
        read_table(path, ("ts", "symbol", "open"))
    assert str(fault.value).endswith(
        "has no column ts, symbol, open; it has time, ticker, zzz. "
        "Did you mean time for ts? Did you mean ticker for symbol?"
    )


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    whole = parquet(tmp_path, symbol=["A"] * 1000)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-50])
    empty = tmp_path / "empty.csv"
    empty.touch()
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("symbol,open\nA,1,2\n")
    for path in (cut, empty, ragged):
        with pytest.raises(DataError, match=rf"{path.name} cannot be read: .*Is it whole"):
            read_table(path, ("symbol",))
    with pytest.raises(MissingError, match=r"there is no file .*absent.csv. Check the path"):
        read_table(tmp_path / "absent.csv", ("symbol",))
    excel = tmp_path / "bars.xlsx"
    excel.touch()
    with pytest.raises(DataError, match=r"is .xlsx, expected .parquet or .csv"):
        read_table(excel, ("symbol",))
    with pytest.raises(DataError, match="is without a suffix"):
        read_table(tmp_path, ("symbol",))


def test_a_file_of_nothing_but_column_names_holds_no_rows(tmp_path: Path) -> None:
    for path in (csv(tmp_path, "ts,symbol"), parquet(tmp_path, ts=[], symbol=[])):
        with pytest.raises(DataError, match="holds no rows"):
            read_table(path, ("ts", "symbol"))


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, "symbol,open,open", "A,1,2")
    with pytest.raises(DataError, match="more than one column open. Keep one"):
        read_table(path, ("symbol", "open"))
    assert read_table(path, ("symbol",)).num_rows == 1


def test_symbols_that_look_like_something_else_stay_symbols(tmp_path: Path) -> None:
    for symbols in (["TRUE", "TRUE"], ["NA", "NAN"], ["1", "2"], ["T", "F"]):
        path = csv(tmp_path, "symbol", *symbols)
        texts, place = labels(read_table(path, ("symbol",)), "symbol", path)
        assert texts[place].tolist() == symbols


def test_labels_are_sorted_and_numbered(tmp_path: Path) -> None:
    path = parquet(tmp_path, symbol=pd.Series(["B", "A", "C", "A"], dtype="category"))
    texts, place = labels(read_table(path, ("symbol",)), "symbol", path)
    assert texts.tolist() == ["A", "B", "C"]
    assert place.tolist() == [1, 0, 2, 0]


def test_rows_without_a_symbol_are_refused(tmp_path: Path) -> None:
    for path in (csv(tmp_path, "symbol,x", "A,1", ",2"), parquet(tmp_path, symbol=["A", None])):
        with pytest.raises(DataError, match="column symbol has 1 empty rows. Drop them"):
            labels(read_table(path, ("symbol",)), "symbol", path)


def test_symbols_that_are_no_text_at_all_are_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, symbol=[[1], [2]])
    with pytest.raises(DataError, match="column symbol is not text"):
        labels(read_table(path, ("symbol",)), "symbol", path)


def test_numbers_may_be_whole_or_missing_but_not_words(tmp_path: Path) -> None:
    path = csv(tmp_path, "whole,gap,word", "1,2.5,x", "2,,y")
    table = read_table(path, ("whole", "gap", "word"))
    assert floats(table, "whole", path).tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(floats(table, "gap", path), [2.5, np.nan])
    with pytest.raises(DataError, match="column word is not numeric"):
        floats(table, "word", path)

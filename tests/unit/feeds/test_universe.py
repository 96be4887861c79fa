"""The universe file: sectors, flags, and names that the bars do not share."""

from pathlib import Path

import pytest
from tests.kit.files import brief

from deadband.core.config import PolicySettings
from deadband.core.errors import DataError, MissingError
from deadband.core.seen import Universe
from deadband.feeds.universe import Listing, read_listing


def listing(folder: Path, *lines: str) -> Listing:
    path = folder / "universe.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_listing(path)


def test_symbols_and_sectors_are_read(tmp_path: Path) -> None:
    said = listing(tmp_path, "symbol,sector", "BBB,Energy", "AAA,", "CCC,Media")
    assert said.symbols == ("BBB", "AAA", "CCC")
    assert said.sectors == {"BBB": "Energy", "CCC": "Media"}
    assert said.lists == {} and said.not_shortable == ()


def test_flags_become_the_lists_of_the_policy(tmp_path: Path) -> None:
    said = listing(
        tmp_path,
        "symbol,restricted,no_short,close_only,earnings",
        "AAA,1,no,,F",
        "BBB,0,YES,true,f",
        "CCC,,y,FALSE,T",
    )
    policy = said.added_to(PolicySettings(restricted=("ZZZ", "AAA"), no_short=("AAA",)))
    assert policy.restricted == ("AAA", "ZZZ")
    assert policy.no_short == ("AAA", "BBB", "CCC")
    assert policy.close_only == ("BBB",)
    assert policy.earnings == ("CCC",)


def test_a_column_of_numbers_with_gaps_is_a_flag_too(tmp_path: Path) -> None:
    said = listing(tmp_path, "symbol,restricted", "AAA,1.0", "BBB,", "CCC,0.0")
    assert said.lists["restricted"] == ("AAA",)


def test_only_names_flagged_shortable_may_be_borrowed(tmp_path: Path) -> None:
    said = listing(tmp_path, "symbol,shortable", "AAA,yes", "BBB,no", "CCC,")
    assert said.not_shortable == ("BBB", "CCC")
    assert listing(tmp_path, "symbol", "AAA").not_shortable == ()


def test_a_flag_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="restricted=x for BBB, expected 0 or 1, yes or no"):
        listing(tmp_path, "symbol,restricted", "AAA,1", "BBB,x")


def test_a_name_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lists AAA, CCC more than once. Name each once"):
        listing(tmp_path, "symbol", "AAA", "CCC", "AAA", "BBB", "CCC")


def test_a_row_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column symbol has 1 empty rows"):
        listing(tmp_path, "symbol,sector", "AAA,Energy", ",Media")
    with pytest.raises(MissingError, match="no column symbol.*Did you mean ticker for symbol"):
        listing(tmp_path, "ticker,sector", "AAA,Energy")


def test_names_that_bars_and_file_do_not_share_are_found(tmp_path: Path) -> None:
    said = listing(tmp_path, "symbol", "AAA", "YYY", "ZZZ")
    universe = Universe.of(("AAA", "BBB", "MKT"), {}, frozenset({"MKT"}))
    assert [brief(finding) for finding in said.against(universe)] == [
        "DATA_NOT_LISTED: 1 (BBB)",
        "DATA_LISTED_WITHOUT_BARS: 2 (YYY, ZZZ)",
    ]


def test_without_a_file_nothing_is_missed() -> None:
    assert Listing().against(Universe.of(("AAA",))) == ()

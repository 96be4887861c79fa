"""Bad scores: each one clear error or a named exclusion, and no trade rests on them."""

import sqlite3
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deadband.backtest.run import CYCLE
from deadband.backtest.start import prepare_files
from deadband.core.errors import ConfigError, DataError, MissingError
from deadband.core.reasons import BY_NUMBER, NOT_DISCRETIONARY, Code
from deadband.core.types import CycleRecord
from tests.kit.files import (
    DAYS,
    NAMES,
    Ran,
    at,
    bars,
    between,
    ran,
    run,
    scores,
    with_data,
    written,
)

THURSDAY, FRIDAY = DAYS[3:5]
PRICES, Z = bars(), scores()
EXITS = {str(code) for code in NOT_DISCRETIONARY}


def cycles_of(made: Ran) -> list[bytes]:
    """The journaled cycles, but for the version of the scores file, which is its hash."""
    version = made.ledger.models["scores"].version.encode()
    with sqlite3.connect(made.journal) as db:
        rows = db.execute("SELECT body FROM record WHERE kind = ? ORDER BY seq", (CYCLE,))
        return [body.replace(version, b"the file's hash.") for (body,) in rows]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return over(tmp_path_factory.mktemp("clean"), Z)


def over(folder: Path, z: pd.DataFrame, **given: object) -> Ran:
    made = run(written(folder, PRICES, z, **given), folder / "journal.db", THURSDAY, FRIDAY)
    made.assert_books_close()
    return made


def code(made: Ran, record: CycleRecord, symbol: str) -> Code:
    return BY_NUMBER[int(record.decision.code[made.column(symbol)])]


def during(made: Ran, day: date, first: str, last: str) -> list[CycleRecord]:
    """Cycles from `first` to `last`, both included, New York clock."""
    return [r for r in made.records if at(day, first) <= r.seen.now <= at(day, last)]


def stated(symbol: str, value: float, day: date, first: str, last: str) -> pd.DataFrame:
    """The clean scores with those of one name from `first` to before `last` replaced."""
    table = Z.copy()
    table.loc[(table.symbol == symbol) & between(table, day, first, last), "z"] = value
    return table


# --- scores that mean nothing ------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_named_and_not_traded_on(
    tmp_path: Path, value: float
) -> None:
    made = over(tmp_path, stated("CCC", value, THURSDAY, "10:00", "12:00"))
    assert made.prepared.findings == made.ledger.findings
    assert made.found == ("DATA_SCORE_NOT_FINITE: 4 (CCC 2026-03-05 15:00 UTC)",)
    spoilt = during(made, THURSDAY, "10:00", "11:30")
    assert {code(made, record, "CCC") for record in spoilt} == {Code.DATA_NOT_FINITE}
    for record in spoilt:
        assert not record.proposal.problem.scored[made.column("CCC")]
        assert {order.reason for order in record.plan.orders if order.symbol == "CCC"} <= EXITS
    assert any(record.plan.orders for record in spoilt), "the others trade"
    assert any(order > "CCC 03-05 17:00" for order in made.ordered("CCC")), "and so does it again"


def test_a_held_name_whose_score_breaks_is_kept(tmp_path: Path) -> None:
    """No score is not a bad score: it is neither cut for it nor rotated out of."""
    z = stated("CCC", 6.0, THURSDAY, "09:30", "12:00")
    z.loc[(z.symbol == "CCC") & between(z, THURSDAY, "12:00", "14:00"), "z"] = np.nan
    made = over(tmp_path, z, k_ATR=50.0, Tmax_min=1e6)
    name = made.column("CCC")
    spoilt = during(made, THURSDAY, "12:00", "13:30")
    held = {int(record.seen.portfolio.shares[name]) for record in spoilt}
    assert len(held) == 1 and held.pop() > 0
    assert {code(made, record, "CCC") for record in spoilt} == {Code.DATA_NOT_FINITE}


def test_a_model_that_says_nothing_but_nan_trades_nothing(tmp_path: Path) -> None:
    made = over(tmp_path, Z.assign(z=np.nan))
    assert made.finding("DATA_SCORE_NOT_FINITE") == (
        f"DATA_SCORE_NOT_FINITE: {len(Z)} (AAA 2026-03-02 15:00 UTC)"
    )
    assert made.ordered() == []
    assert made.ledger.rows[-1].nav == made.ledger.rows[0].nav


@pytest.mark.parametrize("value", [1e300, 1e9, 50.0])
def test_a_wild_score_is_pulled_back_and_owns_no_more_than_its_cap(
    tmp_path: Path, value: float
) -> None:
    made = over(tmp_path, stated("CCC", value, THURSDAY, "10:00", "16:01"))
    name = made.column("CCC")
    wild = during(made, THURSDAY, "10:00", "15:30")
    assert {float(record.proposal.problem.z[name]) for record in wild} == {8.0}
    assert made.ledger.summary()["max_abs_weight"] <= 0.1
    assert max(made.shares("CCC")) > 0


def test_a_wild_score_in_basis_points_is_pulled_back_too(tmp_path: Path) -> None:
    settings = written(tmp_path, PRICES, stated("CCC", 1e308, THURSDAY, "10:00", "16:01"))
    bps = with_data(settings, score_unit="bps", score_horizon="30min", score_scale=1.0)
    made = ran(prepare_files(bps, THURSDAY, THURSDAY), tmp_path / "journal.db")
    name = made.column("CCC")
    wild = during(made, THURSDAY, "10:00", "15:30")
    assert {float(record.proposal.problem.z[name]) for record in wild} == {8.0}


# --- names that are missing or unknown --------------------------------------------------------


def test_a_name_without_scores_is_named_and_never_traded(tmp_path: Path) -> None:
    made = over(tmp_path, Z[Z.symbol != "CCC"])
    assert made.found == ("DATA_BARS_WITHOUT_SCORE: 1 (CCC)",)
    assert made.ordered("CCC") == []
    open_cycles = during(made, THURSDAY, "10:00", "15:30")
    assert {code(made, record, "CCC") for record in open_cycles} == {Code.DATA_MISSING_SCORE}
    assert {order.split()[0] for order in made.ordered()} == set(NAMES) - {"CCC"}


def test_scores_for_unknown_names_are_named_and_change_nothing(tmp_path: Path, clean: Ran) -> None:
    strangers = Z[Z.symbol == "AAA"].assign(symbol="XXX", z=9.0)
    made = over(tmp_path, pd.concat([Z, strangers], ignore_index=True))
    assert made.found == ("DATA_SCORE_WITHOUT_BARS: 1 (XXX)",)
    assert cycles_of(made) == cycles_of(clean)


def test_the_clean_run_has_nothing_to_say_and_trades(clean: Ran) -> None:
    assert clean.found == ()
    assert {order.split()[0] for order in clean.ordered()} == set(NAMES)


def test_the_market_symbol_needs_no_score_and_is_not_traded_on_one(tmp_path: Path) -> None:
    made = over(
        tmp_path,
        stated("HHH", 7.0, THURSDAY, "09:30", "16:01"),
        market="HHH",
        beta_tolerance=1.0,
    )
    assert made.found == ()
    assert made.ordered("HHH") == []
    assert len(made.ordered()) > 20


# --- scores at the wrong time -------------------------------------------------------------------


def test_a_score_is_not_known_before_it_is_stated(tmp_path: Path) -> None:
    """Stated a minute after a cycle, it is used at the next one and not before."""
    early = stated("CCC", -6.0, THURSDAY, "09:30", "16:01")
    moment = early[(early.symbol == "CCC") & (early["asof"] == at(THURSDAY, "12:00"))].index
    early.loc[moment, ["asof", "z"]] = [at(THURSDAY, "12:01"), 6.0]
    late = (early.symbol == "CCC") & between(early, THURSDAY, "12:30", "16:01")
    early.loc[late, "z"] = 6.0
    made = over(tmp_path, early)
    name = made.column("CCC")
    seen = {f"{r.seen.now:%H:%M}": float(r.proposal.problem.z[name]) for r in made.records[:9]}
    assert -6.0 < seen["17:00"] < -3.0, "12:00 in New York: that of 11:30, half an hour old"
    assert seen["17:30"] == 6.0
    ages = {f"{r.seen.now:%H:%M}": float(r.seen.scores.age_s[0, name]) for r in made.records[:9]}
    assert ages["17:00"] == 1800.0


def test_scores_from_the_future_are_not_used_before(tmp_path: Path, clean: Ran) -> None:
    """Whatever is stated for Monday and next year leaves Thursday and Friday as they were."""
    future = Z[Z["asof"] >= at(DAYS[5], "09:30")].index
    table = Z.copy()
    table.loc[future, "z"] = -table.z[future] * 5
    next_year = Z[Z["asof"] < at(DAYS[2], "09:30")]
    next_year = next_year.assign(asof=next_year["asof"] + pd.Timedelta(days=365), z=7.0)
    made = over(tmp_path, pd.concat([table, next_year], ignore_index=True))
    assert cycles_of(made) == cycles_of(clean)


def test_a_file_of_future_scores_alone_trades_nothing(tmp_path: Path) -> None:
    made = over(tmp_path, Z.assign(asof=Z["asof"] + pd.Timedelta(days=365)))
    assert made.ordered() == []
    codes = {code(made, record, symbol) for record in made.records[:12] for symbol in NAMES}
    assert codes == {Code.DATA_MISSING_SCORE}


def test_a_model_that_falls_silent_goes_stale_and_opens_nothing(tmp_path: Path) -> None:
    made = over(tmp_path, Z[~between(Z, THURSDAY, "12:01", "16:01")])
    stale = during(made, THURSDAY, "13:00", "15:30")
    assert all((record.seen.scores.age_s > 45 * 60).all() for record in stale)
    for record in stale:
        assert {order.reason for order in record.plan.orders} <= EXITS
    flat = [
        code(made, record, symbol)
        for record in stale
        for symbol in NAMES
        if record.seen.portfolio.shares[made.column(symbol)] == 0
    ]
    assert Code.DATA_STALE_SCORE in flat
    assert set(flat) <= {Code.DATA_STALE_SCORE, Code.LIST_REENTRY}
    assert any(" 03-06 " in order for order in made.ordered()), "on Friday it speaks again"


# --- files that are refused before anything runs ------------------------------------------------


def doubled(value: float) -> pd.DataFrame:
    again = Z[(Z.symbol == "CCC") & (Z["asof"] == at(THURSDAY, "12:00"))]
    return pd.concat([Z, again.assign(z=again.z + value)], ignore_index=True)


@pytest.mark.parametrize(
    ("z", "fault", "said"),
    [
        (doubled(0.0), DataError, r"states 1 scores twice .*CCC 2026-03-05 17:00 UTC\). Keep one"),
        (doubled(1.0), DataError, r"states 1 scores twice .*CCC 2026-03-05 17:00 UTC\). Keep one"),
        (
            Z.assign(asof=Z["asof"].dt.tz_localize(None)),
            DataError,
            "column asof has no time zone. Store it in UTC",
        ),
        (
            Z.rename(columns={"asof": "ts", "z": "zscore"}),
            MissingError,
            "no column asof, z; it has ts, symbol, zscore. Did you mean ts for asof",
        ),
        (Z.assign(z="good"), DataError, "column z is not numeric"),
        (Z.assign(symbol=Z.symbol.str.lower()), DataError, r"none of which has bars \(aaa, bbb"),
        (Z.head(0), DataError, "holds no rows"),
    ],
)
def test_a_scores_file_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, z: pd.DataFrame, fault: type[DataError], said: str
) -> None:
    settings = written(tmp_path, PRICES, z)
    with pytest.raises(fault, match=said):
        prepare_files(settings, THURSDAY, FRIDAY)


def test_a_truncated_scores_file_is_refused(tmp_path: Path) -> None:
    settings = written(tmp_path, PRICES, Z)
    whole = (tmp_path / "scores.parquet").read_bytes()
    (tmp_path / "scores.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"scores.parquet cannot be read: .*Is it whole"):
        prepare_files(settings, THURSDAY, FRIDAY)


def test_a_meaning_that_is_not_said_is_asked_for_all_at_once(tmp_path: Path) -> None:
    settings = written(tmp_path, PRICES, Z)
    with pytest.raises(ConfigError) as fault:
        prepare_files(with_data(settings, score_column="", score_unit=""), THURSDAY, FRIDAY)
    column, unit, horizon = fault.value.findings
    assert "which column holds the score? Give --score-column" in column
    assert "the score's unit is not said. Give --score-unit z" in unit
    assert "bps over which time? Give --score-horizon, such as 30min" in horizon


def test_bars_without_scores_are_refused(tmp_path: Path) -> None:
    settings = with_data(written(tmp_path, PRICES, Z), scores="")
    with pytest.raises(ConfigError, match="bars are given but no scores. Give --scores FILE"):
        prepare_files(settings, THURSDAY, FRIDAY)
    with pytest.raises(MissingError, match="there is no file .*nowhere.parquet. Check the path"):
        prepare_files(
            with_data(settings, scores=str(tmp_path / "nowhere.parquet")), THURSDAY, FRIDAY
        )

"""Bad bars: each one clear error or a named exclusion, nothing lost, nothing traded on it."""

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deadband.backtest.run import CYCLE
from deadband.backtest.start import prepare_files
from deadband.core.errors import DataError, MissingError
from deadband.core.reasons import BY_NUMBER, Code
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

THURSDAY, FRIDAY, MONDAY = DAYS[3:]
PRICES, Z = bars(), scores()
MAX_AGE_S = 450.0


def cycles_of(journal: Path) -> list[bytes]:
    with sqlite3.connect(journal) as db:
        rows = db.execute("SELECT body FROM record WHERE kind = ? ORDER BY seq", (CYCLE,))
        return [body for (body,) in rows]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("clean")
    return run(written(folder, PRICES, Z), folder / "journal.db", THURSDAY, FRIDAY)


def over(
    folder: Path,
    prices: pd.DataFrame,
    z: pd.DataFrame = Z,
    days: tuple[date, date] = (THURSDAY, FRIDAY),
    **given: object,
) -> Ran:
    """Run two sessions over spoiled bars, with the checks that hold for any run."""
    made = run(written(folder, prices, z, **given), folder / "journal.db", *days)
    made.assert_books_close()
    assert_nothing_traded_on_stale_prices(made)
    return made


def assert_nothing_traded_on_stale_prices(made: Ran) -> None:
    for record in made.records:
        for order in record.plan.orders:
            age = record.seen.market.quote_age_s[made.column(order.symbol)]
            assert age <= MAX_AGE_S, f"{order.symbol} at {record.seen.now}: {age} s old"


def code(made: Ran, record: CycleRecord, symbol: str) -> Code:
    return BY_NUMBER[int(record.decision.code[made.column(symbol)])]


def assert_frozen(made: Ran, records: list[CycleRecord], symbol: str) -> None:
    """A gate says why, and neither the target nor what is held moves."""
    name = made.column(symbol)
    for record in records:
        gates = {gate.code for gate in record.permits.gates if gate.names[name]}
        assert Code.DATA_STALE_QUOTE in gates
        assert record.permits.frozen[name]
        assert record.decision.target[name] == record.seen.portfolio.weights[name]
    assert len({int(record.seen.portfolio.shares[name]) for record in records}) == 1


def during(made: Ran, day: date, first: str, last: str) -> list[CycleRecord]:
    """Cycles from `first` to `last`, both included, New York clock."""
    return [r for r in made.records if at(day, first) <= r.seen.now <= at(day, last)]


def liked(z: pd.DataFrame, symbol: str, day: date, *, from_: str = "09:30") -> pd.DataFrame:
    """Scores under which the name is the best of all from then on, that day."""
    table = z.copy()
    table.loc[(table.symbol == symbol) & between(table, day, from_, "16:01"), "z"] = 6.0
    return table


# --- rows that change nothing, because they are left out ------------------------------------


def beside(change: Callable[[pd.DataFrame], None]) -> pd.DataFrame:
    """The clean bars, and after them a day's rows of one name once more, changed."""
    extra = PRICES[(PRICES.symbol == "CCC") & between(PRICES, THURSDAY, "11:00", "12:00")].copy()
    change(extra)
    return pd.concat([PRICES, extra], ignore_index=True)


def before_the_open(rows: pd.DataFrame) -> None:
    rows["ts"] -= pd.Timedelta(hours=3)


def after_the_close(rows: pd.DataFrame) -> None:
    rows["ts"] += pd.Timedelta(hours=5)


def on_saturday(rows: pd.DataFrame) -> None:
    rows["ts"] += pd.Timedelta(days=2)


def between_bars(rows: pd.DataFrame) -> None:
    rows["ts"] += pd.Timedelta(minutes=7)


def at_zero(rows: pd.DataFrame) -> None:
    rows["low"] = 0.0


def below_zero(rows: pd.DataFrame) -> None:
    rows[["open", "high", "low", "close"]] *= -1


def not_finite(rows: pd.DataFrame) -> None:
    rows["close"] = np.inf


def equal(rows: pd.DataFrame) -> None:
    """Changes nothing."""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (before_the_open, "DATA_OUTSIDE_SESSION: 2 (CCC 2026-03-05 13:00 UTC)"),
        (after_the_close, "DATA_OUTSIDE_SESSION: 2 (CCC 2026-03-05 21:00 UTC)"),
        (on_saturday, "DATA_NO_SESSION: 2 (CCC 2026-03-07 16:00 UTC)"),
        (between_bars, "DATA_BETWEEN_BARS: 2 (CCC 2026-03-05 16:07 UTC)"),
        (at_zero, "DATA_PRICE_NOT_POSITIVE: 2 (CCC 2026-03-05 16:00 UTC)"),
        (below_zero, "DATA_PRICE_NOT_POSITIVE: 2 (CCC 2026-03-05 16:00 UTC)"),
        (not_finite, "DATA_PRICE_NOT_FINITE: 2 (CCC 2026-03-05 16:00 UTC)"),
        (equal, "DATA_DOUBLED: 2 (CCC 2026-03-05 16:00 UTC)"),
    ],
)
def test_rows_that_are_left_out_leave_the_run_as_it_was(
    tmp_path: Path, clean: Ran, change: Callable[[pd.DataFrame], None], what: str
) -> None:
    spoiled = over(tmp_path, beside(change))
    assert spoiled.found == (what,)
    assert spoiled.ledger.findings == spoiled.prepared.findings, "the journal says so too"
    assert cycles_of(spoiled.journal) == cycles_of(clean.journal)


def test_the_clean_run_has_nothing_to_say_and_trades(clean: Ran) -> None:
    clean.assert_books_close()
    assert_nothing_traded_on_stale_prices(clean)
    assert clean.found == ()
    assert {order.split()[0] for order in clean.ordered()} == set(NAMES)


# --- rows that are missing afterwards --------------------------------------------------------


def in_place(column: str, value: float) -> pd.DataFrame:
    table = PRICES.copy()
    bad = (table.symbol == "CCC") & between(table, THURSDAY, "11:00", "12:00")
    table.loc[bad, column] = value
    return table


def contradicted() -> pd.DataFrame:
    return beside(lambda rows: rows.__setitem__("close", (rows.low + rows.high) / 2 + 1e-3))


@pytest.mark.parametrize(
    ("prices", "what"),
    [
        (in_place("close", np.nan), "DATA_PRICE_NOT_FINITE: 2 (CCC 2026-03-05 16:00 UTC)"),
        (in_place("open", 0.0), "DATA_PRICE_NOT_POSITIVE: 2 (CCC 2026-03-05 16:00 UTC)"),
        (in_place("high", 0.01), "DATA_HIGH_LOW: 2 (CCC 2026-03-05 16:00 UTC)"),
        (
            in_place("volume", np.inf),
            "DATA_VOLUME_INVALID: 2 (CCC 2026-03-05 16:00 UTC)",
        ),
        (
            contradicted(),
            "DATA_CONTRADICTING: 4 (CCC 2026-03-05 16:00 UTC)",
        ),
    ],
)
def test_a_name_whose_rows_are_left_out_is_not_traded_meanwhile(
    tmp_path: Path, prices: pd.DataFrame, what: str
) -> None:
    made = over(tmp_path, prices, liked(Z, "CCC", THURSDAY))
    assert made.found == (what,)
    gap = during(made, THURSDAY, "11:30", "12:00")
    assert_frozen(made, gap, "CCC")
    assert made.ordered("CCC"), "it trades when there are bars"
    assert any(record.plan.orders for record in gap), "and the others trade on"


def test_a_name_without_any_sound_row_is_never_traded(tmp_path: Path) -> None:
    prices = PRICES.copy()
    prices.loc[prices.symbol == "CCC", "close"] = -1.0
    made = over(tmp_path, prices, liked(Z, "CCC", THURSDAY))
    assert made.finding("DATA_PRICE_NOT_POSITIVE") == (
        "DATA_PRICE_NOT_POSITIVE: 78 (CCC 2026-03-02 14:30 UTC)"
    )
    assert made.ordered("CCC") == []
    assert len(made.ordered()) > 20


# --- halts, stops and outages ----------------------------------------------------------------


def test_a_halted_name_is_frozen_and_the_others_trade(tmp_path: Path) -> None:
    """Held when its bars stop, wanted out while they are gone, sold when they are back."""
    z = liked(Z, "CCC", THURSDAY)
    z.loc[(z.symbol == "CCC") & between(z, THURSDAY, "11:30", "16:01"), "z"] = -6.0
    halted = (PRICES.symbol == "CCC") & between(PRICES, THURSDAY, "11:00", "13:30")
    made = over(tmp_path, PRICES[~halted], z)
    name = made.column("CCC")
    halt = during(made, THURSDAY, "11:30", "13:30")
    assert_frozen(made, halt, "CCC")
    assert halt[0].seen.portfolio.shares[name] > 0
    wanted_out = [record for record in halt if record.proposal.problem.z[name] < 0]
    assert {code(made, record, "CCC") for record in wanted_out} == {Code.DATA_STALE_QUOTE}
    assert not any("DATA_OUTAGE" in made.spoken(record) for record in halt)
    assert any(record.plan.orders for record in halt)
    sold = [order for order in made.ordered("CCC") if order > "CCC 03-05 16:00"][0]
    assert sold == "CCC 03-05 19:00", "14:00 in New York, at the first new price"


def stopped(prices: pd.DataFrame, jump: float = 1.0) -> pd.DataFrame:
    """CCC trades for the last time on Thursday's last bar, its close moved by `jump`."""
    last = (prices.symbol == "CCC") & (prices.ts == at(THURSDAY, "15:30"))
    table = prices.copy()
    table.loc[last, ["close", "high"]] *= jump
    return table[~((table.symbol == "CCC") & (table.ts > at(THURSDAY, "15:30")))]


@pytest.mark.parametrize("history_days", [1, 15])
def test_a_name_that_stops_trading_while_held_is_kept_and_marked(
    tmp_path: Path, history_days: int
) -> None:
    """Also when the history no longer reaches back to its last price."""
    z = liked(Z, "CCC", THURSDAY)
    z.loc[(z.symbol == "CCC") & (z["asof"] > at(FRIDAY, "09:30")), "z"] = -6.0
    days = (THURSDAY, MONDAY)
    made = over(tmp_path, stopped(PRICES), z, days, history_days=history_days, min_days=float(1))
    name = made.column("CCC")
    kept = made.shares("CCC")[-27:]
    assert kept[0] > 0 and set(kept) == {kept[0]}
    last = PRICES.close[(PRICES.symbol == "CCC") & (PRICES.ts == at(THURSDAY, "15:30"))].item()
    after = during(made, FRIDAY, "10:00", "15:30") + during(made, MONDAY, "10:00", "15:30")
    assert len(after) == 24
    assert {float(record.seen.portfolio.price[name]) for record in after} == {last}
    assert {code(made, record, "CCC") for record in after} == {Code.DATA_STALE_QUOTE}
    assert [order for order in made.ordered("CCC") if order > "CCC 03-05 21"] == []
    assert len({order.split()[0] for order in made.ordered() if " 03-09" in order}) > 3


def test_a_frozen_name_past_its_cap_widens_it_and_says_so(tmp_path: Path) -> None:
    """Doubled in its last bar: it weighs more than a name may, and cannot be sold."""
    made = over(tmp_path, stopped(PRICES, jump=2.0), liked(Z, "CCC", THURSDAY))
    name = made.column("CCC")
    after = during(made, FRIDAY, "10:00", "15:30")
    assert all(record.seen.portfolio.weights[name] > 0.1 for record in after)
    codes = {code(made, record, "CCC") for record in after}
    assert Code.CAP_FROZEN in codes <= {Code.CAP_FROZEN, Code.DATA_STALE_QUOTE}
    assert_frozen(made, after, "CCC")
    assert set(made.shares("CCC")[-13:]) == {made.shares("CCC")[-1]}
    assert any(record.plan.orders for record in after)


@pytest.mark.parametrize(
    ("first", "last"), [("11:00", "12:30"), ("09:30", "11:00"), ("14:30", "16:00")]
)
def test_an_outage_is_said_and_nothing_is_traded_or_lost(
    tmp_path: Path, first: str, last: str
) -> None:
    out = between(PRICES, FRIDAY, first, last)
    made = over(tmp_path, PRICES[~out])
    outage = [r for r in made.records if at(FRIDAY, first) < r.seen.now <= at(FRIDAY, last)]
    assert len(outage) == 3
    for record in outage:
        assert "DATA_OUTAGE" in made.spoken(record)
        assert record.plan.orders == ()
    assert len({record.seen.portfolio.nav for record in outage}) == 1
    assert len({record.seen.portfolio.shares.tobytes() for record in outage}) == 1
    others = [record for record in made.records if record not in outage]
    assert not any("DATA_OUTAGE" in made.spoken(record) for record in others)
    assert sum(len(record.plan.orders) for record in others) > 20


def test_a_session_without_any_bar_is_named_and_the_book_is_carried_over(tmp_path: Path) -> None:
    prices = PRICES[~between(PRICES, FRIDAY, "09:30", "16:00")]
    made = over(tmp_path, prices, days=(THURSDAY, MONDAY))
    assert made.found == ("DATA_SILENT_SESSION: 1 (2026-03-06)",)
    assert_only_friday_is_skipped(made)


@pytest.mark.parametrize(("hours", "side"), [(1, "late"), (-1, "early")])
def test_a_day_that_starts_an_hour_off_is_left_out(tmp_path: Path, hours: int, side: str) -> None:
    prices = PRICES.copy()
    prices.loc[between(prices, FRIDAY, "09:30", "16:00"), "ts"] += pd.Timedelta(hours=hours)
    made = over(tmp_path, prices, days=(THURSDAY, MONDAY))
    assert made.finding("DATA_HOURS_OFF") == f"DATA_HOURS_OFF: 1 (2026-03-06, 1 h {side})"
    assert_only_friday_is_skipped(made)


def assert_only_friday_is_skipped(made: Ran) -> None:
    assert [session.day for session in made.prepared.sessions] == [THURSDAY, MONDAY]
    thursday, monday = made.records[:13], made.records[13:]
    assert {record.seen.now.date() for record in monday} == {MONDAY}
    np.testing.assert_array_equal(
        thursday[-1].seen.portfolio.shares, monday[0].seen.portfolio.shares
    )
    assert any(record.plan.orders for record in monday)


def test_the_whole_file_an_hour_off_is_refused(tmp_path: Path) -> None:
    prices = PRICES.copy()
    prices["ts"] += pd.Timedelta(hours=1)
    with pytest.raises(DataError, match=r"no bar inside any session \(DATA_WRONG_ZONE .*1 h late"):
        prepare_files(written(tmp_path, prices, Z), THURSDAY, FRIDAY)


# --- files that are refused before anything runs ---------------------------------------------


def naive(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(ts=table.ts.dt.tz_localize(None))


@pytest.mark.parametrize(
    ("prices", "fault", "said"),
    [
        (naive(PRICES), DataError, "column ts has no time zone. Store it in UTC"),
        (
            PRICES.rename(columns={"ts": "timestamp", "symbol": "ticker"}),
            MissingError,
            "no column ts, symbol; .*mean timestamp for ts.*mean ticker for symbol",
        ),
        (PRICES.drop(columns="volume"), MissingError, "no column volume; it has ts, symbol"),
        (PRICES.assign(close="cheap"), DataError, "column close is not numeric"),
        (PRICES.head(0), DataError, "holds no rows"),
        (PRICES[PRICES.ts < at(DAYS[2], "09:30")], DataError, "hold 2 sessions.*min_days=3 are"),
        (PRICES[PRICES.ts < at(DAYS[3], "09:30")], DataError, "hold 3 sessions.*Add earlier bars"),
        (
            PRICES[PRICES.ts < at(DAYS[4], "09:30")],
            DataError,
            "bars allow 2026-03-05 to 2026-03-05",
        ),
    ],
)
def test_a_bars_file_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, prices: pd.DataFrame, fault: type[DataError], said: str
) -> None:
    settings = written(tmp_path, prices, Z)
    with pytest.raises(fault, match=said):
        prepare_files(settings, FRIDAY, MONDAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.parquet", "scores.parquet"]


@pytest.mark.parametrize("keep", [0, 4, 1000, -8])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int) -> None:
    settings = written(tmp_path, PRICES, Z)
    whole = (tmp_path / "bars.parquet").read_bytes()
    (tmp_path / "bars.parquet").write_bytes(whole[:keep])
    with pytest.raises(DataError, match=r"bars.parquet cannot be read: .*Is it whole"):
        prepare_files(settings, THURSDAY, FRIDAY)


def test_an_unknown_market_symbol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="market symbol SPY has no usable bars in .*Add them"):
        prepare_files(written(tmp_path, PRICES, Z, market="SPY"), THURSDAY, FRIDAY)
    with pytest.raises(MissingError, match="market symbol AAB has no .*Did you mean AAA?"):
        prepare_files(written(tmp_path, PRICES, Z, market="AAB"), THURSDAY, FRIDAY)


def test_a_universe_that_names_a_symbol_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "universe.csv"
    path.write_text("symbol,sector\nAAA,Energy\nBBB,Media\nAAA,Media\n")
    with pytest.raises(DataError, match="lists AAA more than once. Name each once"):
        prepare_files(written(tmp_path, PRICES, Z, universe=str(path)), THURSDAY, FRIDAY)


def test_names_that_bars_universe_and_lists_do_not_share_are_found(tmp_path: Path) -> None:
    path = tmp_path / "universe.csv"
    listed = "".join(f"{symbol},Energy,0\n" for symbol in NAMES[:-1])
    path.write_text(f"symbol,sector,restricted\n{listed}XXX,Media,1\n")
    made = over(tmp_path, PRICES, universe=str(path), no_short=("AAA", "BBBB"), sector_cap=0.25)
    assert made.found == (
        "DATA_NOT_LISTED: 1 (HHH)",
        "DATA_LISTED_WITHOUT_BARS: 1 (XXX)",
        "DATA_BARRED_WITHOUT_BARS: 1 (restricted: XXX)",
        "DATA_BARRED_WITHOUT_BARS: 1 (no_short: BBBB)",
    )
    assert made.prepared.findings == made.ledger.findings


# --- errors in the data refuse a run, unless they are accepted by name ------------------------


def split_overnight(prices: pd.DataFrame) -> pd.DataFrame:
    """CCC in raw prices, two new shares for an old one from Friday on."""
    table = prices.copy()
    after = (table.symbol == "CCC") & (table.ts > at(FRIDAY, "00:00"))
    table.loc[after, ["open", "high", "low", "close"]] /= 2
    table.loc[after, "volume"] *= 2
    return table


def test_an_error_in_the_bars_refuses_the_run_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(DataError) as fault:
        prepare_files(written(tmp_path, split_overnight(PRICES), Z), THURSDAY, FRIDAY)
    first, last = str(fault.value).splitlines()
    assert first.startswith("DATA_UNADJUSTED_SPLIT nights of a split in raw prices, kept: 1 (CCC ")
    assert first.endswith(
        "Adjust the prices and volumes before it, or run the days on one side of it."
    )
    assert last == 'To run on it all the same, set data.accept = ["DATA_UNADJUSTED_SPLIT"].'


def test_an_error_that_is_accepted_by_its_name_is_said_and_run(tmp_path: Path) -> None:
    made = over(tmp_path, split_overnight(PRICES), accept=("DATA_UNADJUSTED_SPLIT",))
    assert made.found == ("DATA_UNADJUSTED_SPLIT: 1 (CCC 2026-03-06, 2 for 1)",)
    assert made.prepared.findings == made.ledger.findings


def test_bars_after_now_are_not_traded_on(tmp_path: Path) -> None:
    settings, now = written(tmp_path, PRICES, Z), at(MONDAY, "00:00").to_pydatetime()
    prepared = prepare_files(settings, THURSDAY, MONDAY, now)
    assert [session.day for session in prepared.sessions] == [THURSDAY, FRIDAY]
    assert prepared.findings[0].startswith("DATA_FUTURE rows dated after now, left out: 104 (AAA ")


# --- CSV --------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_csv_with_its_time_zone_gives_the_same_run(tmp_path: Path, clean: Ran, zone: str) -> None:
    """New York offsets too, which are two in these days: the clocks go forward on Sunday."""
    path = tmp_path / "bars.csv"
    PRICES.assign(ts=PRICES.ts.dt.tz_convert(zone)).to_csv(path, index=False)
    settings = with_data(written(tmp_path, PRICES, Z), bars=str(path))
    made = ran(prepare_files(settings, THURSDAY, FRIDAY), tmp_path / "journal.db")
    assert cycles_of(made.journal) == cycles_of(clean.journal)


def test_a_csv_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    naive(PRICES).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"bars.csv column ts has no time zone. Store it in UTC"):
        prepare_files(with_data(written(tmp_path, PRICES, Z), bars=str(path)), THURSDAY, FRIDAY)

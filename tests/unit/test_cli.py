"""The command line: what it prints, what it exits with, and that it never shows a traceback."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pyarrow.parquet as pq
import pytest

from deadband.backtest.chart import HEIGHT, WIDTH, Line, line_chart
from deadband.cli import main
from deadband.cli.shell import ORDER
from deadband.core.reasons import Code
from tests.kit.feed import clean

VOID = {"meta", "br", "hr", "img", "input", "link", "col", "wbr", "base", "area", "source"}
ASKED_FOR = {
    "cycles",
    "orders",
    "trades_by_reason",
    "held_by_reason",
    "turnover_l1",
    "costs",
    "nav_start",
    "nav_end",
    "max_gross",
    "max_abs_net",
    "max_abs_weight",
    "limit_breaches",
}


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return told


def call(*arguments: object) -> Said:
    """Run a command in this process, as `deadband ...` would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["deadband", *map(str, arguments)])
        for name in [name for name in os.environ if name.startswith("DEADBAND_")]:
            patch.delenv(name)
        patch.setenv("COLUMNS", "100")
        out, err = io.StringIO(), io.StringIO()
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as left:
            main()
    assert isinstance(left.value.code, int)
    return Said(left.value.code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Said]]:
    """`deadband run --json` without any other argument, in a folder of its own."""
    folder = tmp_path_factory.mktemp("cli")
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder, call("run", "--json")
    finally:
        os.chdir(before)


@pytest.fixture
def journal(day: tuple[Path, Said]) -> Path:
    return day[0] / day[1].json["journal"]


# run


def test_run_without_arguments_is_a_simulated_day(day: tuple[Path, Said]) -> None:
    folder, said = day
    assert said.code == 0
    told = said.json
    assert told.keys() >= ASKED_FOR
    assert told["cycles"] == 78
    assert told["orders"] == sum(told["trades_by_reason"].values()) > 0
    assert told["limit_breaches"] == 0
    assert told["complete"] is True
    assert set(told["trades_by_reason"]) | set(told["held_by_reason"]) <= set(map(str, Code))
    for place in ("journal", "report", "table"):
        assert (folder / told[place]).is_file()


def test_json_is_the_only_thing_on_stdout(day: tuple[Path, Said]) -> None:
    said = day[1]
    assert said.out.count("\n") == 1
    assert "The market is simulated" in said.err
    assert "deadband explain" in said.err


def test_the_numbers_are_plausible(day: tuple[Path, Said]) -> None:
    told = day[1].json
    assert told["nav_start"] == 1_000_000.0
    assert told["max_gross"] <= 0.3005
    assert told["max_abs_weight"] <= 0.1
    assert told["costs"] == pytest.approx(told["fees"] + told["slippage"])
    assert told["pnl"] == pytest.approx(told["nav_end"] - told["nav_start"])
    assert 0 < told["costs"] < 0.01 * told["nav_start"]


def test_run_for_people_shows_figures_checks_and_the_next_step(tmp_path: Path) -> None:
    said = call("run", "--journal", tmp_path / "j.db", "--report", tmp_path / "r", "--seed", 2)
    assert said.code == 0
    text = re.sub(r"\s+", " ", said.out)
    for part in ("P&L after costs", "✓ cash + positions = NAV to the cent in 78 of 78 cycles"):
        assert part in text
    assert f"deadband explain {tmp_path / 'j.db'} SIM" in text
    assert (tmp_path / "r" / "report.html").is_file()


def test_a_configuration_is_obeyed(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[optimize]\nmax_net_exposure = 0.15\n[policy]\nwindows_only = true\n")
    said = call(
        *("run", "--json", "--config", config),
        *("--journal", tmp_path / "j.db", "--report", tmp_path / "r"),
    )
    assert said.code == 0
    assert said.json["max_abs_net"] <= 0.1505
    assert said.json["spoken"]["WINDOW_CLOSED"] > 40


def test_models_may_be_named_on_the_command_line(tmp_path: Path) -> None:
    said = call(
        *("run", "--json", "--model", "reference:reversal", "--model", "reference:volume_shock"),
        *("--journal", tmp_path / "j.db", "--report", tmp_path / "r"),
    )
    assert said.code == 0
    assert set(said.json["models"]) == {"reversal", "volume_shock"}
    assert said.json["models"]["reversal"]["version"] == "1"


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("reference:reversl", "there is no reference model reversl. Did you mean reversal?"),
        ("gone.py:Model", "gone.py cannot be read: No such file"),
        ("nowhere", "there is no entry point nowhere of deadband.models"),
    ],
)
def test_a_model_that_is_not_there_is_one_message(tmp_path: Path, model: str, part: str) -> None:
    said = call("run", "--model", model, "--report", tmp_path)
    assert said.code == 2
    assert part in " ".join(said.err.split())


# replay, explain, report, check


def test_replay_says_how_many_cycles_and_differences(journal: Path) -> None:
    said = call("replay", journal, "--json")
    assert (said.code, said.json) == (0, {"cycles": 78, "differences": 0})
    assert "78 cycles replayed, 0 differences" in said.err


def test_replay_of_one_cycle(journal: Path) -> None:
    assert call("replay", journal, "--cycle", "20260309.000010", "--json").json["cycles"] == 1


@pytest.mark.parametrize("only", [("--cycle", "none"), ("--day", "2020-01-02")])
def test_a_replay_of_nothing_is_not_a_success(journal: Path, only: tuple[str, str]) -> None:
    said = call("replay", journal, *only)
    assert said.code == 1
    assert "nothing was replayed" in said.out


def test_a_replay_that_differs_exits_with_one(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deadband.optimize.solve.certify", _suspicious)
    said = call("replay", journal, "--cycle", "20260309.000010", "--json")
    assert said.code == 1
    assert said.json == {"cycles": 1, "differences": 1}
    assert "cycle 20260309.000010: proposal." in said.err


def _suspicious(*arguments: Any) -> Any:
    from dataclasses import replace

    from deadband.optimize.certify import certify

    certificate = certify(*arguments)
    return replace(certificate, objective=certificate.objective + 1.0)


def test_explain_says_what_happened_and_why(journal: Path) -> None:
    traded = json.loads(call("explain", journal, "SIM001", "--json").out)
    assert traded["symbol"] == "SIM001"
    assert traded["code"] in set(map(str, Code))
    assert traded["sentence"].startswith("SIM001 was ")
    facts = dict(traded["facts"])
    _, qty, _, price = facts["order"].split()
    assert facts["filled"].startswith(f"{qty} of {qty} at ")
    assert facts["ended"] == "filled"
    assert f" Its order: {qty} of {qty} shares filled at " in traded["sentence"]
    assert {limit for limit, *_ in traded["limits"]} >= {"GROSS", "NET", "TURNOVER"}
    (vote,) = (said for what, said in facts.items() if what.startswith("vote of "))
    assert "× 1.00 (WEIGHT_ALONE" in vote


def test_explain_for_people(journal: Path) -> None:
    said = call("explain", journal, "SIM001", "--at", "10:30")
    assert said.code == 0
    assert "2026-03-09 10:30 ET" in said.out
    for word in ("score z", "rank", "limits of the engine's book", "GROSS"):
        assert word in said.out


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("10:30", "2026-03-09 10:30 ET"),
        ("10:32", "2026-03-09 10:30 ET"),
        ("2026-03-09T12:00", "2026-03-09 12:00 ET"),
        ("2026-03-09T16:00:00+00:00", "2026-03-09 12:00 ET"),
        ("20260309.000000", "2026-03-09 09:35 ET"),
        ("23:59", "2026-03-09 16:00 ET"),
    ],
)
def test_explain_finds_the_last_cycle_at_or_before(journal: Path, at: str, found: str) -> None:
    assert json.loads(call("explain", journal, "SIM002", "--at", at, "--json").out)["at"] == found


def test_report_writes_the_report_again(journal: Path, tmp_path: Path) -> None:
    said = call("report", journal, tmp_path / "again", "--json")
    assert said.code == 0
    assert (tmp_path / "again" / "report.html").is_file()
    assert said.json["cycles"] == 78


def test_check_of_the_defaults_finds_no_error() -> None:
    said = call("check", "--json")
    assert (said.code, said.json["errors"]) == (0, 0)


def test_check_tells_all_faults_of_a_config_at_once(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[optimize]\nK = 20\nK_buy = 30\nz_cut = 2.0\n")
    said = call("check", "--config", config, "--json")
    assert said.code == 1
    texts = " ".join(f["text"] for f in said.json["findings"] if f["severity"] == "error")
    assert said.json["errors"] >= 2
    assert "K_buy" in texts
    assert "z_cut" in texts


def checked(folder: Path, frame: pd.DataFrame, *options: object) -> Said:
    frame.to_parquet(folder / "bars.parquet", index=False)
    return call("check", "--bars", folder / "bars.parquet", *options, "--json")


def test_check_of_clean_bars_finds_nothing_in_them(tmp_path: Path) -> None:
    said = checked(tmp_path, clean(names=5, days=6))
    assert (said.code, said.json["errors"], said.json["notes"]) == (0, 0, 0)
    assert all("name" not in finding for finding in said.json["findings"])


def test_check_of_bars_says_all_at_once_the_worst_first(tmp_path: Path) -> None:
    frame = clean(names=5, days=6)
    frame.loc[7, "close"] = -1.0
    twin = frame[frame.symbol == "SIM002"].assign(symbol="xyz")
    universe = tmp_path / "universe.csv"
    universe.write_text("symbol\nSIM001\nSIM002\nSIM003\nSIM004\nSIM005\nxyz\nGONE\n")
    said = checked(tmp_path, pd.concat([frame, twin, frame.head(2)]), "--universe", universe)
    assert said.code == 1
    named = [finding for finding in said.json["findings"] if "name" in finding]
    assert [(each["severity"], each["name"], each["count"]) for each in named] == [
        ("error", "DATA_SYMBOL_REPEATED", 1),
        ("warning", "DATA_PRICE_NOT_POSITIVE", 1),
        ("warning", "DATA_SYMBOL_GLITCH", 1),
        ("warning", "DATA_LISTED_WITHOUT_BARS", 1),
        ("note", "DATA_DOUBLED", 2),
    ]
    assert named[0]["example"] == "SIM002 = xyz" and named[0]["cure"] in named[0]["text"]
    assert named[0]["effect"] == "kept"
    assert "DATA_SYMBOL_REPEATED symbols that repeat" in said.err.replace("\n", " ")
    assert said.json["errors"] == 1 and said.json["notes"] == 1


def test_check_reads_the_bars_that_the_config_names_and_what_it_accepts(tmp_path: Path) -> None:
    frame = clean(names=5, days=6)
    frame["ts"] += pd.Timedelta(minutes=5)
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    config = tmp_path / "my.toml"
    config.write_text(f'[data]\nbars = "{tmp_path / "bars.parquet"}"\n')
    said = call("check", "--config", config, "--json")
    assert (said.code, said.json["errors"]) == (1, 1)
    with config.open("a") as file:
        file.write('accept = ["DATA_END_LABELS"]\n')
    said = call("check", "--config", config, "--json")
    assert (said.code, said.json["errors"]) == (0, 0)
    assert "DATA_END_LABELS" in {finding.get("name") for finding in said.json["findings"]}


def test_check_of_bars_that_leave_nothing_is_an_error(tmp_path: Path) -> None:
    said = checked(tmp_path, clean(names=5, days=6).assign(close=-1.0))
    assert (said.code, said.json["findings"][0]["name"]) == (1, "DATA_NO_BARS")


def test_check_refuses_what_no_finding_is_called(tmp_path: Path) -> None:
    config = tmp_path / "my.toml"
    config.write_text('[data]\naccept = ["DATA_END_LABEL", "WHATEVER"]\n')
    said = call("check", "--config", config, "--json")
    assert said.code == 1
    texts = " ".join(finding["text"] for finding in said.json["findings"])
    assert "data.accept has 'DATA_END_LABEL', which no finding is called. Did you mean" in texts
    assert "'WHATEVER', which no finding is called. docs/data-doctor.md lists them." in texts


# what cannot be used


BAD = {
    "a config that is not there": "run --config nowhere.toml",
    "a folder as config": "check --config folder",
    "a config of garbage": "check --config bars.csv",
    "an unknown key": "run --config typo.toml",
    "a wrong type": "run --config wrong.toml",
    "contradictory limits": "run --config contradiction.toml",
    "an unknown engine": "run --engine fastest",
    "bars that are not there": "run --bars nowhere.parquet --scores scores.csv",
    "bars without scores": "run --bars bars.csv",
    "bars without columns": "run --bars bars.csv --scores scores.csv",
    "a day that is none": "run --bars bars.csv --scores scores.csv --date 2026-02-30",
    "a day in another spelling": "run --bars bars.csv --scores scores.csv --date 02/03/2026",
    "a last day that is none": "run --bars b --scores s --date 2026-03-02 --to tomorrow",
    "a journal that exists": "run --journal {journal}",
    "a journal under a file": "run --journal bars.csv/journal.db",
    "a report over a file": "report {journal} bars.csv",
    "a report of no journal": "report nowhere.db out",
    "a replay of no journal": "replay nowhere.db",
    "a replay of a table": "replay bars.csv",
    "a port without a broker": "run --port 4002 --client 3",
    "scores without bars": "run --scores scores.csv",
    "names without bars": "run --universe names.csv",
    "a gateway of no account": "gateway --account= --port 0",
    "an explanation of no journal": "explain nowhere.db SIM001",
    "an unknown symbol": "explain {journal} NOSUCH",
    "a time that is none": "explain {journal} SIM001 --at noon",
    "a clock that is none": "explain {journal} SIM001 --at 25:00",
    "a time before the first cycle": "explain {journal} SIM001 --at 04:00",
}


@pytest.mark.parametrize("command", BAD.values(), ids=BAD.keys())
def test_unusable_input_exits_with_two_and_one_message(
    command: str, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("bars.csv").write_text("a,b\n1,2\n")
    Path("scores.csv").write_text("a,b\n1,2\n")
    Path("typo.toml").write_text("[optimize]\nlamda_risk = 1\n")
    Path("wrong.toml").write_text('[optimize]\nK = "twenty"\n')
    Path("contradiction.toml").write_text("[optimize]\nfully_invested = true\n")
    said = call(*command.format(journal=journal).split())
    assert said.code == 2
    assert "Traceback" not in said.err
    name, _, message = said.err.strip().partition(": ")
    assert re.fullmatch(r"\w*(Error|Missing|Locked|Record)", name.split()[-1])
    assert len(message) > 20
    assert message.endswith((".", ")", "?"))


def test_a_misspelled_key_is_answered_with_the_right_one(tmp_path: Path) -> None:
    config = tmp_path / "typo.toml"
    config.write_text("[optimize]\nlamda_risk = 1\nK_bye = 3\n[polcy]\nwindows = []\n")
    said = call("check", "--config", config)
    assert said.code == 2
    for meant in ("lambda_risk", "K_buy", "policy"):
        assert meant in said.err


@pytest.mark.parametrize(
    "command",
    ["run --seed x", "run --seed -1", "run --nothing", "dance", "replay", "gateway --port 99999"],
)
def test_a_wrong_command_line_exits_with_two(command: str) -> None:
    said = call(*command.split())
    assert said.code == 2
    assert "Traceback" not in said.err
    assert said.err


def test_the_list_of_commands_is_in_order_and_cuts_no_sentence() -> None:
    said = call("--help")
    assert said.code == 0
    listed = re.findall(
        r"^  ([a-z-]+) {2,}(\S.*)$", said.out.partition("Commands:")[2], re.MULTILINE
    )
    assert [name for name, _ in listed] == list(ORDER)
    assert [text for _, text in listed if text.endswith("...")] == []


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "deadband", "replay", "nowhere.db"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("JournalError: there is no journal nowhere.db.")
    assert "Traceback" not in ran.stderr


# the report


def test_labels_of_a_chart_neither_touch_nor_pass_its_edge() -> None:
    hours = ["09:55"] + ["10:00"] * 12 + ["11:00"] * 12 + ["12:00"]
    svg = line_chart(hours, [Line("NAV", [float(k) for k in range(len(hours))])], "usd")
    texts = re.findall(rf'<text x="([\d.]+)" y="{HEIGHT - 8}" text-anchor="(\w+)">([^<]+)', svg)
    assert [(anchor, text) for _, anchor, text in texts] == [
        ("start", "09:55"),
        ("start", "11:00"),
        ("end", "12:00"),
    ]
    assert float(texts[-1][0]) <= WIDTH


class _Page(HTMLParser):
    """Checks that tags close in order, and keeps what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "data"}]
        if tag == "script":
            self.fetched.append("script")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert self.open[0] == "html", f"<{tag}/> outside the page"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


@pytest.fixture
def page(day: tuple[Path, Said]) -> str:
    return (day[0] / day[1].json["report"]).read_text(encoding="utf-8")


def test_the_report_is_one_well_formed_file_that_fetches_nothing(page: str) -> None:
    parser = _Page()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert parser.fetched == []
    assert not re.search(r"https?://|@import|url\(", page)
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) == 4
    for chart in charts:
        ElementTree.fromstring(chart)
        assert "nan" not in chart


def test_the_report_shows_every_code_with_its_meaning(page: str, day: tuple[Path, Said]) -> None:
    told = day[1].json
    rows = dict(re.findall(r'<td class="c">(\w+)</td>.*?<td>(.*?)</td></tr>', page))
    used = {*told["trades_by_reason"], *told["held_by_reason"], *told["spoken"], *told["notes"]}
    assert set(rows) == used
    meanings = {code.value: code.meaning for code in Code}
    assert all(len(meaning) > 10 for meaning in meanings.values())
    parser = _Page()
    parser.feed(page)
    for code in used:
        assert meanings[code] in parser.text


def test_the_report_shows_the_figures_of_the_summary(page: str, day: tuple[Path, Said]) -> None:
    told = day[1].json
    assert f"{told['nav_start']:,.2f} → {told['nav_end']:,.2f} USD" in page
    assert "invented names" in page
    assert page.count('class="ok"') == 4
    assert 'class="bad"' not in page


def test_the_table_has_a_row_a_cycle(day: tuple[Path, Said]) -> None:
    told = day[1].json
    table = pq.read_table(day[0] / told["table"])
    assert table.num_rows == told["cycles"]
    assert sum(table["orders"].to_pylist()) == told["orders"]
    assert sum(table["fees"].to_pylist()) == pytest.approx(told["fees"])


@pytest.mark.parametrize(
    "words", [("--account", "DU1"), ("--days", "2"), ("--rehearse", "60"), ("--confirm-live", "U1")]
)
def test_what_is_for_a_real_broker_is_refused_without_one(words: tuple[str, str]) -> None:
    said = call("run", *words)
    assert said.code == 2
    assert f"{words[0]}: for --broker ibkr alone" in said.err


def test_a_live_run_says_all_that_it_lacks_at_once() -> None:
    said = call("run", "--broker", "ibkr", "--account", "DU1")
    assert said.code == 2
    assert "there are no scores" in said.err and "which names are traded" in said.err
    assert "which account is traded? Give --account" in call("run", "--broker", "ibkr").err

"""What the examination of a gateway finds when one thing at a time is wrong; it sends no order."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.cli import main
from deadband.core.broker import BrokerSnapshot, Failed, Hours, Instrument, Memory, Ok, PriceBand
from deadband.core.events import AccountReport
from deadband.core.session import session_on
from deadband.core.units import epoch_ns
from deadband.live.doctor.examine import Case, chosen_of, examine
from deadband.live.doctor.money import money
from deadband.live.doctor.pace import calendar, clock, lines, pacing, restart
from deadband.live.doctor.probe import Probe, Verdict
from deadband.twsim.gateway import Gateway

from ..kit import settings, virtual
from ..kit.ibkr import ACCOUNT
from ..kit.tws import MONDAY, RawClient, at, fault, gateway, place_order
from .test_live_reconcile import served

Found = dict[str, Probe]


def examined(
    host: Gateway, *, skew_s: float = 0.0, names: tuple[str, ...] = ("AAPL", "SPY"), **given: Any
) -> Found:
    """Every probe by its name, the worst of those of one name."""
    case = {key: given.pop(key) for key in ("asks_what_if", "lines", "sample") if key in given}
    made = given.pop("made", settings())
    found: Found = {}

    async def work() -> None:
        wall = lambda: host.timeline.now + timedelta(seconds=skew_s)  # noqa: E731
        quick = {"settle_s": 0.1, "client_id": 13} | given
        gate = IbkrSettings(quick.pop("account", ACCOUNT), **quick)
        broker = IbkrBroker(gate, LoopClock(lambda: epoch_ns(wall())), refuse, Memory())
        async for probe in examine(Case(made, names, **case), broker, wall):
            before = found.get(probe.name)
            if before is None or before.verdict is Verdict.OK:
                found[probe.name] = probe

    virtual.run(host, work)
    assert host.desk.orders == [] or not [o for o in host.desk.orders if o.client == 13]
    return found


def refuse(intents: object) -> None:
    raise AssertionError(f"{intents} were to be sent")


def bad(found: Found) -> dict[str, Verdict]:
    """What is not well, but for what no question tells."""
    untold = {"resubmit", "interface", "restart"}
    return {
        name: one.verdict
        for name, one in found.items()
        if one.verdict is not Verdict.OK and name not in untold
    }


def test_a_sane_gateway_is_well_and_says_what_cannot_be_asked() -> None:
    found = examined(gateway())
    assert bad(found) == {}
    assert {found[name].verdict for name in ("resubmit", "interface", "restart")} == {Verdict.WARN}
    assert all(one.cure for one in found.values() if one.verdict is not Verdict.OK)
    everything = "connection server account clock restart values type capital orders positions"
    assert {*everything.split(), "price steps", "calendar", "data lines", "pacing"} <= found.keys()
    assert found["market data"].found.startswith("LIVE 2 of 2")


def test_a_login_of_another_account_is_named() -> None:
    found = examined(gateway(), account="DU7654321")
    assert bad(found) == {"account": Verdict.FAIL}
    assert "the gateway manages DU1234567" in found["account"].found
    assert found["account"].cure.startswith("Log in as that account")
    two = gateway(accounts=(ACCOUNT, "DU2"))
    assert bad(examined(two)) == {"account": Verdict.FAIL}


def test_a_client_number_in_use_is_named_with_its_number() -> None:
    host = gateway()
    RawClient(host, 13)
    found = examined(host)
    assert bad(found) == {"connection": Verdict.FAIL}
    assert "(326)" in found["connection"].found
    assert "client_id" in found["connection"].cure


def test_a_gateway_too_old_for_the_protocol_is_a_failed_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deadband.twsim.session.NEWEST_VERSION", 150)
    found = examined(gateway())
    assert bad(found) == {"connection": Verdict.FAIL}
    assert "157" in found["connection"].cure


def test_a_line_that_is_down_is_a_failed_connection() -> None:
    host = gateway(fault("restart", at="10:00:01", seconds=60.0))
    host.timeline.run_for(5.0)
    found = examined(host)
    assert bad(found) == {"connection": Verdict.FAIL}
    assert "Start TWS" in found["connection"].cure


@pytest.mark.parametrize(
    ("name", "given", "what"),
    [
        ("account_not_ready", {"at": "10:00:01", "seconds": 600.0}, {"values": Verdict.FAIL}),
        ("no_live_data", {"times": 0}, {"market data": Verdict.FAIL}),
        ("no_live_data", {"times": 0, "symbol": "SPY"}, {"market data": Verdict.WARN}),
    ],
)
def test_one_accident_is_one_finding(name: str, given: Any, what: dict[str, Verdict]) -> None:
    host = gateway(fault(name, **given))
    host.timeline.run_for(5.0)
    assert bad(examined(host)) == what


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_read_only_interface_shows_itself_when_it_is_asked_what_an_order_needs(
    is_read_only: bool,
) -> None:
    host = gateway(*[fault("read_only", times=0)] * is_read_only)
    found = examined(host, asks_what_if=True)
    assert found["interface"].verdict is (Verdict.FAIL if is_read_only else Verdict.OK)
    assert host.desk.orders == []


@pytest.mark.parametrize(
    ("skew_s", "verdict"),
    [(0.9, Verdict.OK), (3.0, Verdict.FAIL), (-3.0, Verdict.FAIL)],
)
def test_a_clock_that_is_off_fails(skew_s: float, verdict: Verdict) -> None:
    assert examined(gateway(), skew_s=skew_s)["clock"].verdict is verdict


def test_foreign_orders_and_positions_are_counted_and_unknown_names_told() -> None:
    host = gateway()
    other = RawClient(host, 9)
    other.send(*place_order(1, symbol="MSFT", orderRef="x", lmtPrice=1, totalQuantity=50))
    contract = host.listing.find({"symbol": "AAPL"})
    assert contract is not None
    host.accounts[ACCOUNT].fill(contract, 7, 100.0, 0)
    host.timeline.run_for(1.0)
    found = examined(host, names=("AAPL", "GHOST"), made=settings(capital_usd=5e5))
    assert bad(found) == {
        "orders": Verdict.WARN,
        "positions": Verdict.WARN,
        "names": Verdict.FAIL,
    }
    assert "BUY 50 MSFT (client 9 x)" in found["orders"].found
    assert "AAPL 7" in found["positions"].found
    assert "GHOST" in found["names"].found


def test_outside_of_a_session_data_that_is_not_live_is_a_warning() -> None:
    found = examined(gateway(fault("no_live_data", times=0), clock="17:30"))
    assert found["market data"].verdict is Verdict.WARN
    assert "session is closed" in found["market data"].cure


# --- each judgment by itself

GATE = IbkrSettings(ACCOUNT)
NOW = at("10:00")


def told(**given: Any) -> BrokerSnapshot:
    amounts = dict.fromkeys(("net_liq", "cash", "settled_cash"), 2e6)
    amounts |= {"buying_power": 8e6, "available": 2e6, "excess_liquidity": 2e6}
    known = {"account": ACCOUNT, "currency": "USD", "init_margin": 0.0, "maint_margin": 0.0}
    others = {"day_trades_left": -1, "is_ready": True}
    account = AccountReport(**(known | amounts | others | given))
    return BrokerSnapshot(Ok((), 0), Ok((), 0), Ok((), 0), Ok(account, 0))


@pytest.mark.parametrize(
    ("given", "made", "name", "verdict"),
    [
        ({}, {}, "type", Verdict.OK),
        ({"buying_power": 2e6}, {}, "type", Verdict.FAIL),
        ({"buying_power": 2e6}, {"account_type": "cash"}, "type", Verdict.OK),
        ({}, {"account_type": "cash"}, "type", Verdict.WARN),
        ({"buying_power": 2e6}, {"account_type": "cash", "K_short": 3}, "type", Verdict.FAIL),
        ({"available": 0.0}, {}, "type", Verdict.WARN),
        ({"currency": "EUR"}, {}, "values", Verdict.FAIL),
        ({"is_ready": False}, {}, "values", Verdict.FAIL),
        ({"day_trades_left": 0}, {}, "day trades", Verdict.FAIL),
        ({"day_trades_left": 2}, {}, "day trades", Verdict.WARN),
        ({"cash": 0.0}, {}, "capital", Verdict.FAIL),
        ({"cash": 5e5}, {}, "capital", Verdict.WARN),
        ({"excess_liquidity": -1.0}, {}, "capital", Verdict.FAIL),
        ({"buying_power": 5e5, "available": 2e5}, {}, "capital", Verdict.WARN),
    ],
)
def test_an_account_is_judged_by_its_values(
    given: dict[str, Any], made: dict[str, Any], name: str, verdict: Verdict
) -> None:
    found = {probe.name: probe for probe in money(told(**given), settings(**made))}
    assert found[name].verdict is verdict
    assert bool(found[name].cure) is (verdict is not Verdict.OK)


def test_what_was_not_told_is_never_taken_for_none() -> None:
    failed = Failed("no")
    found = {p.name: p.verdict for p in money(BrokerSnapshot(*[failed] * 4), settings())}
    assert found == dict.fromkeys(("values", "orders", "positions"), Verdict.FAIL)


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [
        (clock(None, GATE), Verdict.WARN),
        (restart(GATE, NOW), Verdict.WARN),
        (restart(replace(GATE, restart_at="23:45"), NOW), Verdict.OK),
        (restart(replace(GATE, restart_at="16:03"), NOW), Verdict.FAIL),
        (restart(replace(GATE, restart_at="12:00"), at("17:00")), Verdict.FAIL),
        (lines(90, 100), Verdict.OK),
        (lines(100, 100), Verdict.WARN),
        (lines(101, 100), Verdict.FAIL),
        (pacing(300, 5.0, GATE), Verdict.OK),
        (pacing(300, 0.5, GATE), Verdict.WARN),
        (pacing(3000, 1.0, GATE), Verdict.FAIL),
    ],
)
def test_time_and_line_are_judged(probe: Probe, verdict: Verdict) -> None:
    assert probe.verdict is verdict
    assert bool(probe.cure) is (verdict is not Verdict.OK)


def test_hours_that_differ_today_fail_and_another_day_warns() -> None:
    session, later = session_on(MONDAY), session_on(MONDAY + timedelta(days=1))
    assert session is not None and later is not None

    def of(*hours: Hours) -> Verdict:
        made = Instrument("A", 1, "N", "USD", (PriceBand(0.0, 0.01),), hours)
        return max((p.verdict for p in calendar([made], NOW)), key=["ok", "warn", "fail"].index)

    whole, after = Hours(session.open, session.close), Hours(later.open, later.close)
    half = Hours(session.open, session.close - timedelta(hours=3))
    assert of(whole, after) is Verdict.OK
    assert of(half, after) is Verdict.FAIL
    assert of(after) is Verdict.FAIL
    assert of(whole, replace(after, close=after.close - timedelta(hours=3))) is Verdict.WARN


def test_a_sample_is_spread_over_the_names() -> None:
    names = tuple(f"S{i}" for i in range(100))
    assert chosen_of(names, 4) == ("S0", "S25", "S50", "S75")
    assert chosen_of(names, 200) == names


# --- the command


def said(monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: str) -> tuple[object, str]:
    monkeypatch.setattr("sys.argv", ["deadband", "doctor", *words])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as exit_:
        main()
    return exit_.value.code, capsys.readouterr().out


def test_the_command_is_read_at_80_columns_and_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    host = gateway()
    names = ["--account", ACCOUNT, "--symbol", "AAPL"]
    with served(host) as port:
        code, out = said(monkeypatch, capsys, *names, "--port", str(port))
        _, json_out = said(monkeypatch, capsys, *names, "--port", str(port), "--json")
    # The gateway lives on a day in March: clock and calendar fail, and the exit code says so.
    assert code == 1
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "Untick it in Configure" in " ".join(out.split())
    told_ = json.loads(json_out.splitlines()[-1])
    assert {one["name"] for one in told_["checks"] if one["verdict"] == "fail"} == {
        "clock",
        "calendar",
    }
    assert told_["fail"] == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--account", "DU1234567", "--port", "4001"], "port 4001 is the other kind's"),
        (["--account", "U1234567", "--port", "4002"], "port 4002 is the other kind's"),
        (["--account", "X1"], "neither DU..., paper, nor U..., live"),
        (["--account", "DU1234567", "--port", "1"], "does not answer"),
    ],
)
def test_what_cannot_be_meant_fails_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, words: list[str], found: str
) -> None:
    code, out = said(monkeypatch, capsys, *words)
    assert code == 1
    assert found in " ".join(out.split())


def test_a_runs_config_says_what_the_command_line_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    config = tmp_path / "live.toml"
    config.write_text('[broker]\nmarket_data_lines = 7\nbar_min = 15\nrestart_at = "23:45"\n')
    with served(gateway()) as port:
        words = ["--account", ACCOUNT, "--symbol", "AAPL", "--port", str(port)]
        _, out = said(monkeypatch, capsys, *words, "--config", str(config), "--json")
    checks = {one["name"]: one["found"] for one in json.loads(out.splitlines()[-1])["checks"]}
    assert checks["restart"].startswith("23:45 New York")
    assert "7 taken" in checks["data lines"]
    assert "15-minute interval" in checks["pacing"]


def test_an_hour_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(
        "sys.argv", ["deadband", "doctor", "--account", ACCOUNT, "--restart-at", "x"]
    )
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert "--restart-at x is no hour" in capsys.readouterr().err


def test_the_examination_ends_its_session() -> None:
    host = gateway()
    examined(host)
    assert host.clients == []

"""Every message of the protocol, seen by a client that knows the tables and nothing of ours."""

from __future__ import annotations

from datetime import date

import pytest

from deadband.twsim.fault_names import FaultName

from ..kit.tws import (
    OPEN_ORDER_HEAD,
    STOCK,
    RawClient,
    ask_of,
    at,
    bid_of,
    fault,
    framed,
    gateway,
    named,
    place_order,
)


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [("v157..178", 178), ("v100..177", 177), ("v176..176", 176), ("v176..223 +PACEAPI", 178)],
)
def test_the_greeting_settles_the_version(offered: str, spoken: int) -> None:
    client = RawClient(gateway(), versions=offered)
    assert client.version == spoken
    assert client.rows(15) == [{"version": "1", "accounts": "DU1234567"}]
    assert client.rows(9) == [{"version": "1", "orderId": "1"}]
    assert [row["code"] for row in client.rows(4)] == ["2104", "2106", "2158"]


@pytest.mark.parametrize("offered", ["v100..157", "v179..223", "v100..175"])
def test_a_client_of_other_versions_is_turned_away(offered: str) -> None:
    client = RawClient(gateway(), versions=offered)
    assert client.is_closed
    assert client.stream == b""


def test_the_server_says_its_version_and_time_with_a_zone() -> None:
    client = RawClient(gateway(), start=False)
    assert client.stream == framed("178", "20260302 15:00:00 UTC")


def test_nothing_is_served_before_the_start() -> None:
    client = RawClient(gateway(), start=False)
    client.send(61, 1)
    assert client.errors() == [(-1, 504)]


def test_a_number_in_use_is_refused_and_free_again_afterwards() -> None:
    host = gateway()
    first = RawClient(host, 5)
    second = RawClient(host, 5)
    assert second.errors() == [(-1, 326)]
    assert second.is_closed
    assert not first.is_closed
    first.session.lost()
    assert RawClient(host, 5).rows(15)


def test_small_questions() -> None:
    client = RawClient(gateway(accounts=("DU1", "DU2")))
    client.inbox.clear()
    client.send(8, 1, 1)
    client.send(17, 1)
    client.send(49, 1)
    client.send(14, 1, 5)
    assert client.rows(9) == [{"version": "1", "orderId": "1"}]
    assert client.rows(15) == [{"version": "1", "accounts": "DU1,DU2"}]
    assert client.rows(49) == [{"version": "1", "time": "1772463600"}]
    assert client.inbox == []


def test_contract_details() -> None:
    client = RawClient(gateway())
    client.send(9, 8, 77, *STOCK, 0, "", "", "")
    [details] = client.take(10)
    assert details[1:15] == [
        *("77", "AAPL", "STK", "", "0", "", "SMART", "USD", "AAPL", "NMS", "NMS", "265598"),
        *("0.01", ""),
    ]
    assert details[18:21] == ["0", "APPLE INC", "NASDAQ"]
    assert details[25] == "US/Eastern"
    assert details[26].startswith("20260302:0400-20260302:2000;")
    assert details[27].startswith("20260302:0930-20260302:1600;")
    assert details[27].endswith("20260307:CLOSED")
    assert details[30] == "0", "no security ids"
    # The last nine: aggGroup to suggestedSizeIncrement.
    assert details[31:] == [
        *("1", "", "", "26,26,26,26,26", "", "COMMON", "0.0001", "0.0001", "100")
    ]
    assert client.rows(52) == [{"version": "1", "reqId": "77"}]


def test_half_days_and_holidays_are_in_the_hours() -> None:
    client = RawClient(gateway(start=at("10:00", date(2026, 11, 25))))
    client.send(9, 8, 1, *STOCK, 0, "", "", "")
    [details] = client.take(10)
    assert details[27].startswith("20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-")
    assert ";20261127:0930-20261127:1300;" in details[27]


@pytest.mark.parametrize(
    "wrong", [{1: "NOSUCH"}, {2: "OPT"}, {9: "EUR"}, {0: "999999"}, {7: "LSE"}]
)
def test_what_is_not_listed_is_not_found(wrong: dict[int, str]) -> None:
    client = RawClient(gateway())
    contract = [wrong.get(place, field) for place, field in enumerate(STOCK)]
    client.send(9, 8, 3, *contract, 0, "", "", "")
    client.send(1, 11, 4, *contract, 0, "", 0, 0, "")
    client.send(97, 5, *contract, "Last", 0, 0)
    client.send(20, 6, *contract, 0, "", "5 mins", "1 D", 1, "TRADES", 1, 0, "")
    assert client.errors() == [(3, 200), (4, 200), (5, 200), (6, 200)]


def test_market_rules() -> None:
    client = RawClient(gateway())
    client.send(91, 26)
    client.send(91, 5)
    assert client.take(93) == [["93", "26", "2", "0", "0.0001", "1", "0.01"]]
    assert client.errors() == [(-1, 321)]


def test_a_market_data_line() -> None:
    host = gateway()
    client = RawClient(host)
    client.inbox.clear()
    client.send(1, 11, 9, *STOCK, 0, "236", 0, 0, "")
    assert client.rows(58) == [{"version": "1", "reqId": "9", "marketDataType": "1"}]
    assert client.rows(81)[0] | {} == {
        "reqId": "9",
        "minTick": "0.01",
        "bboExchange": "9c0001",
        "snapshotPermissions": "3",
    }
    prices = {row["tickType"]: row for row in client.rows(1)}
    assert float(prices["1"]["price"]) == bid_of(host)
    assert float(prices["2"]["price"]) == ask_of(host)
    assert set(prices) == {"1", "2", "4", "9"}
    assert {row["tickType"] for row in client.rows(2)} == {"8", "89"}
    assert {(row["tickType"], row["value"]) for row in client.rows(45)} == {
        ("49", "0"),
        ("46", "3"),
    }
    assert [row["tickType"] for row in client.rows(46)] == ["45"]
    client.wait(30)
    moved = len(client.take(1))
    assert moved > 10
    client.send(2, 2, 9)
    client.wait(30)
    assert client.take(1) == []


def test_a_snapshot_ends_by_itself() -> None:
    client = RawClient(gateway())
    client.send(1, 11, 9, *STOCK, 0, "", 1, 0, "")
    assert client.rows(57) == [{"version": "1", "reqId": "9"}]
    client.take(1)
    client.wait(30)
    assert client.take(1) == []


def test_lines_are_limited_to_a_hundred() -> None:
    client = RawClient(gateway())
    for number in range(101):
        client.send(1, 11, number, *STOCK, 0, "", 0, 0, "")
    assert client.errors() == [(100, 101)]


def test_ticks_by_tick() -> None:
    host = gateway()
    client = RawClient(host)
    for number, kind in enumerate(("Last", "AllLast", "BidAsk", "MidPoint"), 1):
        client.send(97, number, *STOCK, kind, 0, 1)
    ticks = {fields[2]: fields for fields in client.take(99)}
    assert [ticks[kind][1] for kind in "1234"] == ["1", "2", "3", "4"]
    assert {kind: len(fields) for kind, fields in ticks.items()} == {"1": 9, "2": 9, "3": 9, "4": 5}
    assert ticks["3"][4:6] == [str(bid_of(host)), str(ask_of(host))]
    client.send(98, 1)
    client.wait(3)
    later = {fields[1] for fields in client.take(99)}
    assert later == {"2", "3", "4"}


def test_history_and_the_growing_bar() -> None:
    host = gateway(clock="10:32")
    client = RawClient(host)
    client.send(20, 6, *STOCK, 0, "", "5 mins", "1 D", 1, "TRADES", 1, 1, "")
    [answer] = client.take(17)
    count = int(answer[4])
    assert answer[1] == "6"
    assert len(answer) == 5 + 8 * count
    assert count == 13, "twelve whole bars since 09:30 and the one that grows"
    first = answer[5:13]
    assert first[0] == "20260302 09:30:00 US/Eastern"
    opened, high, low, close = (float(price) for price in first[1:5])
    assert low <= min(opened, close) <= max(opened, close) <= high
    client.wait(12)
    updates = client.take(90)
    assert updates
    assert len(updates[0]) == 10
    when, opened, close, high, low = updates[0][3], *map(float, updates[0][4:8])
    assert when == "20260302 10:30:00 US/Eastern"
    assert low <= min(opened, close) <= max(opened, close) <= high, "close comes before high"
    client.send(25, 1, 6)
    client.wait(12)
    assert client.take(90) == []


def test_history_of_days_and_refusals() -> None:
    client = RawClient(gateway())
    client.send(20, 6, *STOCK, 0, "", "1 day", "3 D", 1, "MIDPOINT", 2, 0, "")
    [answer] = client.take(17)
    assert answer[5::8] == ["20260226", "20260227", "20260302"]
    for size, duration, shown in (
        ("7 parsecs", "1 D", "TRADES"),
        ("5 mins", "long", "TRADES"),
        ("5 mins", "1 D", "HISTORICAL_VOLATILITY"),
        ("1 secs", "1 Y", "TRADES"),
    ):
        client.send(20, 6, *STOCK, 0, "", size, duration, 1, shown, 1, 0, "")
    assert client.errors() == [(6, 321)] * 4


def test_place_order_is_as_long_as_both_known_clients_send_it() -> None:
    assert len(place_order(1)) == 114
    assert len(place_order(1, 176)) == 115


@pytest.mark.parametrize(("version", "length"), [(178, 135), (177, 135), (176, 136)])
def test_an_open_order_has_every_field(version: int, length: int) -> None:
    host = gateway()
    client = RawClient(host, versions=f"v176..{version}")
    client.place(1, lmtPrice=bid_of(host) - 1, orderRef="mine-1", account="DU1234567")
    client.wait()
    first, second = client.take(5)
    assert len(first) == len(second) == length
    head = dict(zip(OPEN_ORDER_HEAD.split(), first[1:], strict=False))
    assert head["orderRef"] == "mine-1"
    assert (head["conId"], head["localSymbol"], head["right"]) == ("265598", "AAPL", "?")
    assert (head["clientId"], head["permId"]) == ("1", "1900000001")
    assert "PreSubmitted" in first
    assert "Submitted" in second


def test_executions_carry_a_price_revision_from_178_on() -> None:
    for version in (176, 177, 178):
        host = gateway()
        client = RawClient(host, versions=f"v176..{version}")
        client.place(1, orderType="MKT", orderRef="r")
        client.wait()
        row = client.rows(11)[0]
        assert ("pendingPriceRevision" in row) is (version >= 178)
        assert row["time"].endswith(" UTC")
        assert (row["orderRef"], row["side"], row["clientId"]) == ("r", "BOT", "1")


def test_account_answers() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    client.inbox.clear()
    client.send(61, 1)
    [held] = client.rows(61)
    assert (held["account"], held["symbol"], held["position"]) == ("DU1234567", "AAPL", "10")
    assert client.rows(62) == [{"version": "1"}]
    client.send(6, 2, 1, "DU1234567")
    values = {row["key"]: row["value"] for row in client.rows(6)}
    [portfolio] = client.rows(7)
    assert portfolio["position"] == "10"
    assert client.rows(8)[0]["time"] == "10:00"
    assert client.rows(54)[0]["account"] == "DU1234567"
    client.send(6, 2, 1, "")
    assert client.rows(54)[0]["account"] == "DU1234567", "the account is named even if not asked"
    client.send(62, 1, 21, "All", "NetLiquidation,BuyingPower")
    assert {row["tag"] for row in client.rows(63)} == {"NetLiquidation", "BuyingPower"}
    assert client.rows(64) == [{"version": "1", "reqId": "21"}]
    client.send(76, 1, 22, "DU1234567", "", 0)
    multi = {row["key"]: row["value"] for row in client.rows(73)}
    assert multi == values
    assert client.rows(74) == [{"version": "1", "reqId": "22"}]
    client.send(92, 23, "DU1234567", "")
    client.send(94, 24, "DU1234567", "", 265598)
    [profit] = client.rows(94)
    assert profit["daily"] == f"{float(values['UnrealizedPnL']):g}"
    [single] = client.rows(95)
    assert single["position"] == "10"


def test_account_values_come_again_every_three_minutes_until_cancelled() -> None:
    client = RawClient(gateway())
    client.send(6, 2, 1, "")
    client.send(62, 1, 21, "All", "NetLiquidation")
    client.send(76, 1, 22, "", "", 0)
    client.inbox.clear()
    client.wait(181)
    assert client.rows(6)
    assert client.rows(63)
    assert client.rows(73)
    client.send(6, 2, 0, "")
    client.send(63, 1, 21)
    client.send(77, 1, 22)
    client.inbox.clear()
    client.wait(400)
    assert client.inbox == []


def test_positions_are_pushed_until_cancelled() -> None:
    client = RawClient(gateway())
    client.send(61, 1)
    client.inbox.clear()
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    assert [row["position"] for row in client.rows(61)] == ["10"]
    client.send(64, 1)
    client.place(2, orderType="MKT", totalQuantity=10)
    client.wait()
    assert client.rows(61) == []


def test_completed_orders_tell_how_they_ended() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, orderType="MKT", orderRef="first")
    client.place(2, lmtPrice=bid_of(host) - 5, orderRef="second")
    client.wait()
    client.cancel(2)
    client.wait()
    client.send(99, 0)
    done = client.take(101)
    assert [fields[22] for fields in done] == ["first", "second"]
    assert "Filled Size: 100" in done[0]
    assert done[1][-6:-5] == ["Cancelled"]
    assert client.rows(102) == [{}]


@pytest.mark.parametrize("message", [10, 50, 96, 104, 105, 9999])
def test_what_is_not_simulated_is_said_and_harmless(message: int) -> None:
    client = RawClient(gateway())
    client.send(message, 1, 2, 3)
    assert client.errors() == [(-1, 505)]
    client.send(49, 1)
    assert client.take(49)


@pytest.mark.parametrize(
    "fields", [(61,), (61, 1, 1), (3, 1, 2), (4, 1, "x", ""), (7, 3), (1, 11, 9), ("", 1)]
)
def test_a_message_that_does_not_fit_is_answered_and_forgotten(fields: tuple[object, ...]) -> None:
    client = RawClient(gateway())
    client.send(*fields)
    assert client.errors()[0][1] in (320, 505)
    client.send(49, 1)
    assert client.take(49)


def test_too_many_fields_in_an_order_are_told() -> None:
    client = RawClient(gateway())
    client.send(*place_order(1), "more")
    assert client.errors() == [(-1, 320)]


def test_every_list_can_be_empty_by_script() -> None:
    empties = fault(FaultName.EMPTY_ANSWER.value, times=0)
    client = RawClient(gateway(empties))
    client.place(1, orderType="MKT")
    client.wait()
    client.inbox.clear()
    client.send(61, 1)
    client.send(16, 1)
    client.send(99, 0)
    client.send(7, 3, 4, 0, "", "", "", "", "", "")
    client.send(6, 2, 1, "DU1234567")
    assert [named(fields) for fields in client.inbox if fields[0] not in ("59",)] == [
        {"version": "1"},
        {"version": "1"},
        {},
        {"version": "1", "reqId": "4"},
        {"version": "1", "account": "DU1234567"},
    ]

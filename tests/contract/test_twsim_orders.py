"""Orders from their placing to their end, as a client of the wire sees them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ..kit.tws import RawClient, ask_of, at, bid_of, books, gateway, place_order

TUESDAY = date(2026, 3, 3)


def test_a_market_order_walks_the_book_and_pays_the_fixed_commission() -> None:
    host = gateway()
    client = RawClient(host)
    best = ask_of(host)
    client.place(1, orderType="MKT", totalQuantity=3000, orderRef="walk")
    client.wait()
    fills = client.rows(11)
    assert len(fills) > 1, "more than the displayed size"
    assert float(fills[0]["price"]) == best
    prices = [float(row["price"]) for row in fills]
    assert prices == sorted(prices)
    assert sum(int(row["shares"]) for row in fills) == 3000
    assert [int(row["cumQty"]) for row in fills] == [
        sum(int(r["shares"]) for r in fills[: k + 1]) for k in range(len(fills))
    ]
    fees = client.rows(59)
    assert [fee["execId"] for fee in fees] == [row["execId"] for row in fills]
    assert sum(float(fee["commission"]) for fee in fees) == pytest.approx(15.0)
    statuses = client.rows(3)
    assert [row["status"] for row in statuses][:2] == ["PreSubmitted", "Submitted"]
    assert statuses[-1]["status"] == "Filled"
    assert statuses[-1]["remaining"] == "0"
    value = sum(int(r["shares"]) * float(r["price"]) for r in fills)
    assert float(statuses[-1]["avgFillPrice"]) == pytest.approx(value / 3000, abs=1e-6)


def test_a_small_order_pays_the_minimum_and_never_more_than_a_percent() -> None:
    client = RawClient(gateway())
    client.place(1, orderType="MKT", totalQuantity=7)
    client.wait()
    [fee] = client.rows(59)
    assert float(fee["commission"]) == 1.0
    assert client.rows(11)[0]["shares"] == "7", "odd lots trade"


def test_a_limit_order_rests_and_fills_when_the_market_comes() -> None:
    host = gateway()
    client = RawClient(host)
    limit = bid_of(host)
    client.place(1, lmtPrice=limit, totalQuantity=200)
    client.wait(0.5)
    assert client.statuses()[-1] == "Submitted"
    client.wait(3600)
    fills = client.rows(11)
    assert sum(int(row["shares"]) for row in fills) == 200
    assert all(float(row["price"]) <= limit for row in fills)
    assert {row["lastLiquidity"] for row in fills} <= {"1", "2"}


def test_a_marketable_limit_fills_at_the_better_price() -> None:
    host = gateway()
    client = RawClient(host)
    ask = ask_of(host)
    client.place(1, lmtPrice=round(ask + 1, 2), totalQuantity=50)
    client.wait()
    assert float(client.rows(11)[0]["price"]) == ask


def test_ioc_takes_what_is_there_and_cancels_the_rest() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, lmtPrice=ask_of(host), totalQuantity=15_000, tif="IOC")
    client.wait()
    filled = sum(int(row["shares"]) for row in client.rows(11))
    assert 0 < filled < 15_000
    assert client.statuses()[-1] == "Cancelled"
    assert client.errors() == [(1, 202)]


def test_fok_takes_all_or_nothing() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, lmtPrice=ask_of(host), totalQuantity=15_000, tif="FOK")
    client.place(2, lmtPrice=ask_of(host), totalQuantity=100, tif="FOK")
    client.wait()
    assert books(client.rows(11)) == {"AAPL": 100}
    assert client.errors() == [(1, 202)]


def test_cancel_and_what_may_not_be_cancelled() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait()
    client.cancel(1)
    client.wait()
    assert client.statuses() == ["PreSubmitted", "Submitted", "PendingCancel", "Cancelled"]
    assert client.errors() == [(1, 202)]
    client.cancel(1)
    client.cancel(99)
    assert client.errors() == [(1, 10148), (99, 10147)]


def test_a_fill_wins_against_a_cancel_on_its_way() -> None:
    host = gateway(latency_s=3.0)
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 2, totalQuantity=100)
    client.wait(4)
    client.cancel(1)
    client.place(1, lmtPrice=ask_of(host) + 1, totalQuantity=100)
    client.wait(10)
    assert client.statuses()[-1] == "Filled"
    assert client.errors() == []


def test_changes_of_price_and_size() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5, totalQuantity=100)
    client.wait()
    client.take(5)
    client.place(1, lmtPrice=bid_of(host) - 4, totalQuantity=150)
    [changed] = client.take(5)
    assert changed[14] == "150"
    assert changed[16] == f"{bid_of(host) - 4}"
    client.place(1, lmtPrice=bid_of(host), action="SELL")
    client.place(1, orderType="MKT")
    client.place(1, lmtPrice=bid_of(host), symbol="SPY")
    assert client.errors() == [(1, 105), (1, 105), (1, 105)]
    client.place(1, lmtPrice=ask_of(host), totalQuantity=150)
    client.wait(5)
    assert client.statuses()[-1] == "Filled"
    client.place(1, lmtPrice=ask_of(host), totalQuantity=150)
    assert client.errors() == [(1, 104)]


def test_a_change_below_what_is_filled_is_refused() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, lmtPrice=ask_of(host), totalQuantity=5000)
    client.wait()
    filled = sum(int(row["shares"]) for row in client.rows(11))
    assert 1 < filled < 5000
    client.place(1, lmtPrice=ask_of(host), totalQuantity=1)
    assert client.errors() == [(1, 201)]
    client.place(1, lmtPrice=ask_of(host), totalQuantity=filled)
    client.wait()
    assert client.statuses()[-1] == "Filled"


def test_numbers_only_go_up_and_belong_to_their_client() -> None:
    host = gateway()
    one, two = RawClient(host, 1), RawClient(host, 2)
    one.place(10, lmtPrice=bid_of(host) - 5)
    one.place(9, lmtPrice=bid_of(host) - 5)
    two.place(3, lmtPrice=bid_of(host) - 5)
    host.timeline.run_for(1)
    assert one.errors() == [(9, 103)]
    two.cancel(10)
    assert two.errors() == [(10, 10147)], "another client's number is no number"
    one.inbox.clear()
    one.send(8, 1, 1)
    assert one.rows(9)[0]["orderId"] == "11"
    one.send(5, 1)
    assert len(one.take(5)) == 1
    one.send(16, 1)
    assert [fields[24] for fields in one.take(5)] == ["1", "2"]
    assert [row["clientId"] for row in one.rows(3)][-2:] == ["1", "2"]
    assert len(one.take(53)) == 2


def test_two_clients_hear_of_their_own_orders_and_the_master_of_all() -> None:
    host = gateway(master=3)
    one, two, master = RawClient(host, 1), RawClient(host, 2), RawClient(host, 3)
    one.place(1, orderType="MKT", totalQuantity=10, orderRef="one")
    two.place(1, orderType="MKT", totalQuantity=20, orderRef="two")
    host.timeline.run_for(1)
    assert {row["orderRef"] for row in one.rows(11)} == {"one"}
    assert {row["orderRef"] for row in two.rows(11)} == {"two"}
    assert {row["orderRef"] for row in master.rows(11)} == {"one", "two"}
    one.send(7, 3, 5, 0, "", "", "", "", "", "")
    assert {row["orderRef"] for row in one.rows(11)} == {"one", "two"}


def test_executions_by_filter() -> None:
    host = gateway()
    one, two = RawClient(host, 1), RawClient(host, 2)
    one.place(1, orderType="MKT", totalQuantity=10)
    one.place(2, orderType="MKT", totalQuantity=10, action="SELL")
    host.timeline.run_for(60)
    two.place(1, orderType="MKT", totalQuantity=10, symbol="SPY")
    host.timeline.run_for(1)
    one.inbox.clear()

    def found(*, client: int = 0, time: str = "", symbol: str = "", side: str = "") -> int:
        one.send(7, 3, 5, client, "", time, symbol, "", "", side)
        rows = one.rows(11)
        assert {row["reqId"] for row in rows} <= {"5"}
        assert len(one.rows(59)) == len(rows)
        assert one.rows(55) == [{"version": "1", "reqId": "5"}]
        return len(rows)

    assert found() == 3
    assert found(client=2) == 1
    assert found(symbol="AAPL") == 2
    assert found(side="SELL") == 1
    assert found(time="20260302-15:00:30") == 1
    assert found(time="20260302 10:00:30 US/Eastern") == 1
    one.send(7, 3, 5, 0, "", "noon", "", "", "", "")
    assert one.errors() == [(-1, 320)]


def test_the_gateway_knows_todays_executions_only() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    host.timeline.run_until(at("09:00", TUESDAY))
    client.inbox.clear()
    client.send(7, 3, 5, 0, "", "", "", "", "", "")
    client.send(99, 0)
    assert client.rows(11) == []
    assert client.take(101) == []
    client.send(61, 1)
    assert client.rows(61)[0]["position"] == "10", "positions stay"


def test_day_orders_expire_at_the_close_and_gtc_orders_stay() -> None:
    host = gateway(clock="15:30")
    client = RawClient(host)
    client.place(1, lmtPrice=round(bid_of(host) * 0.5, 2))
    client.place(2, lmtPrice=round(bid_of(host) * 0.5, 2), tif="GTC")
    client.place(
        3, lmtPrice=round(bid_of(host) * 0.5, 2), tif="GTD", goodTillDate="20260303-15:00:00"
    )
    host.timeline.run_until(at("16:01"))
    assert client.errors() == [(1, 202)]
    client.take(5)
    client.send(5, 1)
    assert [fields[1] for fields in client.take(5)] == ["2", "3"]
    host.timeline.run_until(at("10:01", TUESDAY))
    assert client.errors() == [(3, 202)]


def test_half_days_close_early() -> None:
    friday = date(2026, 11, 27)
    host = gateway(start=at("12:30", friday))
    client = RawClient(host)
    client.place(1, lmtPrice=round(bid_of(host) * 0.5, 2))
    host.timeline.run_until(at("12:59", friday))
    assert client.statuses()[-1] == "Submitted"
    host.timeline.run_until(at("13:01", friday))
    assert client.statuses()[-1] == "Cancelled"


def test_outside_hours_an_order_waits_with_a_warning() -> None:
    host = gateway(clock="08:00")
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    assert client.errors() == [(1, 399)]
    assert client.statuses() == ["PreSubmitted"]
    host.timeline.run_until(at("09:30") + timedelta(seconds=2))
    assert client.statuses()[-1] == "Filled"


def test_orders_for_the_close_trade_at_one_price_there_and_not_before() -> None:
    host = gateway(clock="15:40")
    client = RawClient(host)
    client.place(1, orderType="MOC", totalQuantity=5000)
    client.place(2, orderType="LOC", lmtPrice=round(ask_of(host) + 20, 2), totalQuantity=100)
    client.place(3, orderType="LOC", lmtPrice=round(bid_of(host) - 20, 2), totalQuantity=100)
    host.timeline.run_until(at("15:59"))
    assert client.rows(11) == []
    host.timeline.run_until(at("16:01"))
    fills = client.rows(11)
    assert [(row["orderId"], row["shares"]) for row in fills] == [("1", "5000"), ("2", "100")]
    assert len({row["price"] for row in fills}) == 1
    assert client.errors() == [(3, 202)]


@pytest.mark.parametrize(
    ("symbol", "clock", "refused"),
    [
        ("AAPL", "15:54", False),
        ("AAPL", "15:56", True),
        ("JPM", "15:49", False),
        ("JPM", "15:51", True),
    ],
)
def test_the_close_is_shut_to_late_orders(symbol: str, clock: str, refused: bool) -> None:
    client = RawClient(gateway(clock=clock))
    client.place(1, symbol=symbol, orderType="MOC")
    assert client.errors() == ([(1, 201)] if refused else [])


def test_orders_for_the_open_trade_there_or_die() -> None:
    host = gateway(clock="09:00")
    client = RawClient(host)
    client.place(1, orderType="MKT", tif="OPG", totalQuantity=500)
    client.place(2, lmtPrice=round(bid_of(host) * 0.5, 2), tif="OPG")
    host.timeline.run_until(at("09:31"))
    assert [(row["orderId"], row["shares"]) for row in client.rows(11)] == [("1", "500")]
    assert (2, 202) in client.errors()


def test_stops_wait_for_their_price() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, orderType="STP", auxPrice=round(ask_of(host) + 0.2, 2), totalQuantity=10)
    client.place(
        2,
        orderType="STP LMT",
        action="SELL",
        auxPrice=round(bid_of(host) - 0.2, 2),
        lmtPrice=round(bid_of(host) - 0.5, 2),
        totalQuantity=10,
    )
    client.wait()
    assert client.statuses() == ["PreSubmitted", "PreSubmitted"]
    client.wait(3 * 3600)
    fills = {row["orderId"]: float(row["price"]) for row in client.rows(11)}
    assert fills, "in three hours one of both is reached"
    assert client.statuses().count("Submitted") >= len(fills), "a stop that is reached is submitted"


@pytest.mark.parametrize("kind", ["MIDPRICE", "PEG MID", "REL"])
def test_pegs_fill_no_worse_than_the_mid(kind: str) -> None:
    host = gateway()
    client = RawClient(host)
    fields = {"orderType": kind, "lmtPrice": "", "totalQuantity": 100}
    offsets = ("", "") if kind == "PEG MID" else ()
    client.send(*place_order(1, **fields), *offsets)
    client.wait(600)
    fills = client.rows(11)
    assert sum(int(row["shares"]) for row in fills) == 100
    assert {row["lastLiquidity"] for row in fills} == {"1"}


def test_shorts_are_sold_and_what_cannot_be_located_is_held() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, action="SELL", orderType="MKT", totalQuantity=100)
    client.wait()
    assert books(client.rows(11)) == {"AAPL": -100}
    client.send(61, 1)
    assert client.rows(61)[0]["position"] == "-100"
    rich = gateway(cash_usd=1e12)
    client = RawClient(rich)
    client.place(1, action="SELL", lmtPrice=round(ask_of(rich) + 50, 2), totalQuantity=6_000_000)
    client.wait()
    assert client.errors() == [(1, 404)]
    assert client.rows(3)[-1]["whyHeld"] == "locate"


def test_what_if_shows_margin_and_places_nothing() -> None:
    host = gateway()
    client = RawClient(host)
    client.inbox.clear()
    client.place(1, orderType="MKT", whatIf=1)
    client.wait()
    [shown] = client.take(5)
    assert client.inbox == []
    at_status = shown.index("PreSubmitted")
    margins = [float(field) for field in shown[at_status + 1 : at_status + 13]]
    value = (ask_of(host) + bid_of(host)) / 2 * 100
    assert margins[:3] == [0.0, 0.0, 1_000_000.0]
    assert margins[3] == pytest.approx(value / 4, abs=0.01)
    assert margins[9:] == [1.0, 1.0, 1.0]
    client.send(16, 1)
    assert client.take(5) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "NOSUCH"}, 200),
        ({"action": "HOLD"}, 321),
        ({"totalQuantity": 0}, 434),
        ({"totalQuantity": 1.5}, 10243),
        ({"orderType": "TRAIL"}, 387),
        ({"tif": "NEVER"}, 321),
        ({"tif": "GTD"}, 391),
        ({"tif": "GTD", "goodTillDate": "soon"}, 391),
        ({"goodAfterTime": "later"}, 337),
        ({"lmtPrice": ""}, 321),
        ({"lmtPrice": 190.123}, 110),
        ({"lmtPrice": -5}, 321),
        ({"orderType": "STP"}, 321),
        ({"algo": ("Magic", {})}, 443),
        ({"algo": ("PctVol", {"pctVol": "0.9"})}, 443),
        ({"algo": ("Adaptive", {"adaptivePriority": "Now"})}, 443),
        ({"totalQuantity": 900_000}, 201),
        ({"account": "DU9"}, 435),
    ],
)
def test_what_is_refused_and_how(changes: dict[str, object], code: int) -> None:
    client = RawClient(gateway())
    client.place(1, **({"lmtPrice": 190.0} | changes))
    client.wait()
    assert client.errors() == [(1, code)]
    assert client.statuses() == []
    client.send(16, 1)
    assert client.take(5) == []


def test_with_two_accounts_one_has_to_be_named() -> None:
    client = RawClient(gateway(accounts=("DU1", "DU2")))
    client.place(1, orderType="MKT")
    client.place(2, orderType="MKT", account="DU2")
    client.wait()
    assert client.errors() == [(1, 435)]
    assert client.rows(11)[0]["account"] == "DU2"


def test_at_most_twenty_orders_work_on_a_side() -> None:
    host = gateway()
    client = RawClient(host)
    for number in range(1, 22):
        client.place(number, lmtPrice=round(bid_of(host) - 20, 2), totalQuantity=1)
    assert client.errors() == [(21, 201)]


def test_a_bracket_works_its_children_after_its_parent_and_one_ends_the_other() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, orderType="LMT", lmtPrice=round(bid_of(host) - 50, 2), transmit=0)
    client.place(
        2, action="SELL", lmtPrice=round(bid_of(host) - 50, 2), parentId=1, transmit=0, ocaGroup="g"
    )
    client.place(3, action="SELL", orderType="STP", auxPrice=1.0, parentId=1, ocaGroup="g")
    client.wait(5)
    assert client.rows(11) == [], "the parent is far away, so nothing trades"
    client.place(1, lmtPrice=round(ask_of(host) + 1, 2))
    client.wait(30)
    fills = client.rows(11)
    assert [row["orderId"] for row in fills if row["side"] == "BOT"][0] == "1"
    assert {row["orderId"] for row in fills if row["side"] == "SLD"} == {"2"}
    assert (3, 202) in client.errors()


def test_what_is_not_transmitted_waits() -> None:
    host = gateway()
    client = RawClient(host)
    client.place(1, orderType="MKT", transmit=0)
    client.wait(30)
    assert client.rows(11) == []
    client.place(1, orderType="MKT", transmit=1)
    client.wait()
    assert client.rows(11)


def test_cancel_all_spares_nobody() -> None:
    host = gateway()
    one, two = RawClient(host, 1), RawClient(host, 2)
    one.place(1, lmtPrice=bid_of(host) - 5)
    two.place(1, lmtPrice=bid_of(host) - 5)
    host.timeline.run_for(1)
    one.send(58, 1)
    host.timeline.run_for(1)
    assert one.errors() == two.errors() == [(1, 202)]


@pytest.mark.parametrize(
    ("algo", "params"),
    [
        ("Adaptive", {"adaptivePriority": "Patient"}),
        ("Twap", {"endTime": "20260302-15:30:00"}),
        ("Vwap", {"maxPctVol": "0.1", "endTime": "20260302-15:30:00"}),
        ("ArrivalPx", {"maxPctVol": "0.1", "riskAversion": "Get Done"}),
        ("PctVol", {"pctVol": "0.1"}),
        ("ClosePx", {"maxPctVol": "0.2"}),
        ("DarkIce", {}),
    ],
)
def test_algorithms_work_their_orders_over_time(algo: str, params: dict[str, str]) -> None:
    host = gateway(step_s=5.0, cash_usd=1e8)
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=20_000, algo=(algo, params), displaySize=200)
    client.wait(4)
    early = sum(int(row["shares"]) for row in client.rows(11))
    assert early < 20_000
    host.timeline.run_until(at("16:00"))
    later = sum(int(row["shares"]) for row in client.rows(11))
    assert early + later == 20_000


def test_algorithms_except_adaptive_cannot_be_changed() -> None:
    host = gateway()
    client = RawClient(host)
    limit = round(bid_of(host) - 5, 2)
    client.place(1, lmtPrice=limit, algo=("Twap", {}))
    client.place(2, lmtPrice=limit, algo=("Adaptive", {"adaptivePriority": "Normal"}))
    client.wait()
    client.place(1, lmtPrice=limit - 1, algo=("Twap", {}))
    client.place(2, lmtPrice=limit - 1, algo=("Adaptive", {"adaptivePriority": "Normal"}))
    assert client.errors() == [(1, 440)]


def test_a_change_is_not_carried_beyond_the_account() -> None:
    host = gateway()
    client = RawClient(host)
    limit = round(bid_of(host) - 5, 2)
    client.place(1, lmtPrice=limit, totalQuantity=100)
    client.wait()
    client.place(1, lmtPrice=limit, totalQuantity=900_000)
    assert client.errors() == [(1, 201)]
    client.place(1, lmtPrice=limit, totalQuantity=200)
    assert client.errors() == []


def test_orders_that_work_hold_margin_back() -> None:
    host = gateway()
    client = RawClient(host)
    limit = round(bid_of(host) - 5, 2)
    client.place(1, lmtPrice=limit, totalQuantity=15_000)
    client.place(2, lmtPrice=limit, totalQuantity=15_000)
    assert client.errors() == [(2, 201)], "each alone could be paid for"
    client.wait()
    client.cancel(1)
    client.wait()
    client.errors()
    client.place(3, lmtPrice=limit, totalQuantity=15_000)
    client.wait()
    assert client.errors() == []


def test_the_open_is_not_missed_after_an_idle_night() -> None:
    host = gateway(clock="15:30")
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host), totalQuantity=100)
    host.timeline.run_until(at("15:50"))
    assert client.statuses()[-1] == "Filled", "it took steps, and nothing is left to step for"
    host.timeline.run_until(at("08:00", TUESDAY))
    client.place(2, orderType="MKT", tif="OPG", totalQuantity=500)
    client.wait()
    assert client.statuses()[-1] == "PreSubmitted"
    host.timeline.run_until(at("09:31", TUESDAY))
    assert [row["orderId"] for row in client.rows(11)] == ["1", "2"]

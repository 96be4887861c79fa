"""Every accident of the fault script, each striking as scripted and doing what its name says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deadband.twsim.fault_names import FaultName
from deadband.twsim.gateway import Gateway

from ..kit.tws import STOCK, RawClient, ask_of, at, bid_of, fault, gateway, named

SCENARIOS: dict[FaultName, Callable[[], None]] = {}


def scenario(name: FaultName) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(run: Callable[[], None]) -> Callable[[], None]:
        SCENARIOS[name] = run
        return run

    return keep


def struck(host: Gateway) -> list[str]:
    return [entry.name.value for _, entry in host.faults.struck]


def test_every_fault_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(FaultName)


@pytest.mark.parametrize("name", list(FaultName), ids=str)
def test_a_fault_does_what_it_says(name: FaultName) -> None:
    SCENARIOS[name]()


# --- messages


@scenario(FaultName.DROP_MESSAGE)
def _drop_message() -> None:
    host = gateway(fault("drop_message", message="execDetails"))
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.place(2, orderType="MKT", totalQuantity=10)
    client.wait()
    assert [row["orderId"] for row in client.rows(11)] == ["2"]
    assert len(client.rows(59)) == 2
    assert struck(host) == ["drop_message"]


@scenario(FaultName.DUPLICATE_MESSAGE)
def _duplicate_message() -> None:
    client = RawClient(gateway(fault("duplicate_message", message="execDetails", nth=2)))
    for number in (1, 2, 3):
        client.place(number, orderType="MKT", totalQuantity=10)
    client.wait()
    assert [row["orderId"] for row in client.rows(11)] == ["1", "2", "2", "3"]


@scenario(FaultName.DELAY_MESSAGE)
def _delay_message() -> None:
    client = RawClient(gateway(fault("delay_message", message="execDetails", seconds=10)))
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait(5)
    assert client.rows(11) == []
    assert client.statuses()[-1] == "Filled"
    client.wait(6)
    assert len(client.rows(11)) == 1


@scenario(FaultName.SWAP_MESSAGES)
def _swap_messages() -> None:
    client = RawClient(gateway(fault("swap_messages", message="execDetails")))
    client.inbox.clear()
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    order = [fields[0] for fields in client.inbox]
    assert order[-3:] == ["3", "11", "59"], "the execution comes after the status of its fill"


@scenario(FaultName.FRAGMENT_FRAMES)
def _fragment_frames() -> None:
    host = gateway(fault("fragment_frames", at="10:01", seconds=60))
    client = RawClient(host)
    pieces: list[int] = []
    receive = client._receive
    client.session._transmit = lambda data: (pieces.append(len(data)), receive(data))[1]
    client.wait(61)
    client.send(49, 1)
    assert set(pieces) == {1}
    assert client.take(49)
    client.wait(61)
    pieces.clear()
    client.send(49, 1)
    assert len(pieces) == 1


@scenario(FaultName.DROP_SOCKET_MID_FRAME)
def _drop_socket_mid_frame() -> None:
    host = gateway(fault("drop_socket_mid_frame", message="openOrder"))
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait()
    assert client.is_closed
    assert client._cutter.left, "half of a frame is left over"
    again = RawClient(host)
    again.send(16, 1)
    assert len(again.take(5)) == 1, "the order lives on"


# --- the line and the gateway


@scenario(FaultName.DROP_SOCKET)
def _drop_socket() -> None:
    host = gateway(fault("drop_socket", at="10:00:10", client=1))
    client, other = RawClient(host, 1), RawClient(host, 2)
    client.place(1, lmtPrice=bid_of(host), totalQuantity=100)
    host.timeline.run_for(600)
    assert client.is_closed
    assert not other.is_closed
    again = RawClient(host, 1)
    again.send(7, 3, 5, 0, "", "", "", "", "", "")
    assert again.rows(11), "it filled while nobody listened"


@scenario(FaultName.HALF_OPEN)
def _half_open() -> None:
    host = gateway(fault("half_open", at="10:00:10", seconds=20))
    client = RawClient(host)
    client.wait(11)
    client.inbox.clear()
    client.send(49, 1)
    assert client.inbox == []
    assert not client.is_closed
    client.wait(20)
    assert client.take(49)


@scenario(FaultName.RESTART)
def _restart() -> None:
    host = gateway(fault("restart", at="23:45", seconds=90), clock="15:50")
    client = RawClient(host)
    client.place(40, orderType="MKT", totalQuantity=10)
    client.place(41, lmtPrice=round(bid_of(host) / 2, 2), tif="GTC", orderRef="lives")
    client.wait()
    host.timeline.run_until(at("23:45"))
    assert client.is_closed
    assert host.connect(lambda data: None, lambda: None) is None
    host.timeline.run_for(91)
    again = RawClient(host)
    assert again.rows(9)[0]["orderId"] == "1", "rolled back"
    again.send(16, 1)
    assert [fields[22 + 1] for fields in again.take(5)] == ["lives"]
    again.place(40, orderType="MKT", totalQuantity=20)
    again.wait()
    assert again.errors() == [(40, 399)], "a used number is taken again"


@scenario(FaultName.CONNECTIVITY_LOST)
def _connectivity_lost() -> None:
    for data_lost, code in ((False, 1102), (True, 1101)):
        lost = fault(
            "connectivity_lost", at="10:00:10", seconds=60, data_lost=data_lost, lossy=True
        )
        host = gateway(lost)
        client = RawClient(host)
        client.send(1, 11, 9, *STOCK, 0, "", 0, 0, "")
        client.place(1, orderType="MKT", totalQuantity=100, goodAfterTime="20260302-15:00:30")
        client.wait(12)
        assert client.errors() == [(-1, 1100)]
        client.place(2, orderType="MKT", totalQuantity=50)
        client.wait(40)
        assert client.rows(11) == [], "the fill happened and was not told"
        assert host.accounts["DU1234567"].positions
        client.wait(20)
        client.take(1)
        assert (-1, code) in client.errors()
        assert [row["orderId"] for row in client.rows(11)] == ["2"], "sent on when it was back"
        client.wait(60)
        assert bool(client.take(1)) is not data_lost
        client.send(7, 3, 5, 0, "", "", "", "", "", "")
        assert len(client.rows(11)) == 2


def test_what_waits_for_the_servers_was_read_before() -> None:
    host = gateway(fault("connectivity_lost", at="10:00:10", seconds=5))
    client = RawClient(host)
    client.wait(11)
    for number, wrong in enumerate(("Infinite", "x"), 1):
        client.place(number, totalQuantity=wrong, orderType="MKT")
        client.place(number, displaySize=wrong, orderType="MKT", algo=("DarkIce", {}))
    client.place(3, totalQuantity=10, orderType="MKT")
    assert [code for _, code in client.errors()] == [1100, 320, 320, 320, 320]
    client.wait(10)
    assert client.statuses()[-1] == "Filled"


@scenario(FaultName.MARKET_FARM_DOWN)
def _market_farm_down() -> None:
    for lossy in (False, True):
        host = gateway(fault("market_farm_down", at="10:00:10", seconds=20, lossy=lossy))
        client = RawClient(host)
        client.send(1, 11, 9, *STOCK, 0, "", 0, 0, "")
        client.wait(11)
        client.take(1)
        client.wait(15)
        assert client.take(1) == []
        client.wait(30)
        codes = [int(row["code"]) for row in client.rows(4)]
        assert codes[-2:] == [2103, 2104]
        assert bool(client.take(1)) is not lossy


@scenario(FaultName.HISTORY_FARM_DOWN)
def _history_farm_down() -> None:
    host = gateway(fault("history_farm_down", at="10:00:10", seconds=20))
    client = RawClient(host)
    client.wait(11)
    client.send(20, 6, *STOCK, 0, "", "5 mins", "1 D", 1, "TRADES", 1, 0, "")
    assert client.errors() == [(-1, 2105), (6, 162)]
    client.wait(20)
    client.send(20, 6, *STOCK, 0, "", "5 mins", "1 D", 1, "TRADES", 1, 0, "")
    assert client.take(17)


@scenario(FaultName.COMPETING_SESSION)
def _competing_session() -> None:
    client = RawClient(gateway(fault("competing_session", at="10:00:10", seconds=20)))
    client.send(1, 11, 9, *STOCK, 0, "", 0, 0, "")
    client.wait(11)
    client.take(1)
    assert client.errors() == [(9, 10197)]
    client.wait(15)
    assert client.take(1) == []
    client.wait(30)
    assert client.take(1)


@scenario(FaultName.HALT)
def _halt() -> None:
    host = gateway(fault("halt", at="10:00:10", seconds=60, symbol="AAPL"))
    client = RawClient(host)
    client.send(1, 11, 9, *STOCK, 0, "", 0, 0, "")
    client.wait(11)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.place(2, orderType="MKT", totalQuantity=10, symbol="SPY")
    client.wait(30)
    assert [row["symbol"] for row in client.rows(11)] == ["SPY"]
    halts = [row["value"] for row in client.rows(45) if row["tickType"] == "49"]
    assert halts == ["0", "2"]
    client.wait(60)
    assert [row["symbol"] for row in client.rows(11)] == ["AAPL"]


@scenario(FaultName.ACCOUNT_NOT_READY)
def _account_not_ready() -> None:
    client = RawClient(gateway(fault("account_not_ready", at="10:00:10", seconds=20)))
    client.wait(11)

    def values() -> dict[str, str]:
        client.send(6, 2, 1, "")
        return {row["key"]: row["value"] for row in client.rows(6)}

    unready = values()
    assert (unready["AccountReady"], unready["NetLiquidation"]) == ("false", "0.00")
    client.wait(20)
    ready = values()
    assert (ready["AccountReady"], ready["NetLiquidation"]) == ("true", "1000000.00")


@scenario(FaultName.MANUAL_ORDER)
def _manual_order() -> None:
    host = gateway(fault("manual_order", at="09:00", symbol="AAPL", shares=-300), clock="08:00")
    zero, other = RawClient(host, 0), RawClient(host, 5)
    host.timeline.run_until(at("09:01"))
    other.send(16, 1)
    [seen] = other.take(5)
    assert (seen[1], seen[24], seen[13], seen[14]) == ("0", "0", "SELL", "300")
    other.send(15, 1, 1)
    assert other.errors() == [(-1, 321)]
    zero.send(15, 1, 1)
    [bound] = zero.rows(100)
    assert (bound["orderId"], bound["clientId"]) == ("-1", "0")
    zero.cancel(-1)
    host.timeline.run_for(1)
    assert (-1, 202) in zero.errors()
    other.send(99, 1)
    assert len(other.take(101)) == 1, "bound, it counts as the API's"


@scenario(FaultName.NOTICE)
def _notice() -> None:
    host = gateway(
        fault("notice", at="10:00:10", code=2109, text="Order Event Warning"),
        fault("notice", at="09:59:59", code=2137, text="cross side"),
    )
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait(11)
    assert client.errors() == [(-1, 2137), (1, 2109)]
    assert client.statuses()[-1] == "Submitted"


@scenario(FaultName.STRICT_RATE)
def _strict_rate() -> None:
    client = RawClient(gateway(fault("strict_rate", at="10:00:01")))
    for _ in range(120):
        client.send(49, 1)
    assert len(client.take(49)) == 120
    client.wait(2)
    for round_ in range(3):
        for _ in range(51):
            client.send(49, 1)
        assert client.is_closed is (round_ == 2)
        client.wait(2)
    assert client.errors() == [(-1, 100)] * 3


# --- new orders


@scenario(FaultName.ORDER_LOST)
def _order_lost() -> None:
    host = gateway(fault("order_lost", nth=2))
    client = RawClient(host)
    client.inbox.clear()
    for number in (1, 2, 3):
        client.place(number, lmtPrice=bid_of(host) - 5)
    client.wait()
    assert {row["orderId"] for row in client.rows(3)} == {"1", "3"}
    assert client.errors() == []
    client.cancel(2)
    assert client.errors() == [(2, 10147)]


@scenario(FaultName.ORDER_HELD_BY_DIALOG)
def _order_held_by_dialog() -> None:
    host = gateway(fault("order_held_by_dialog", seconds=30))
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait(20)
    client.send(16, 1)
    assert client.take(5) == []
    client.wait(11)
    assert client.statuses()[-1] == "Filled"


@scenario(FaultName.ORDER_REJECTED)
def _order_rejected() -> None:
    client = RawClient(gateway(fault("order_rejected", text="Order rejected - reason:because")))
    client.place(1, orderType="MKT")
    client.wait()
    [row] = [row for row in client.rows(4) if row["code"] == "201"]
    assert (row["reqId"], row["message"]) == ("1", "Order rejected - reason:because")
    assert client.statuses() == []


@scenario(FaultName.SIZE_REJECTED)
def _size_rejected() -> None:
    client = RawClient(gateway(fault("size_rejected", symbol="SPY")))
    client.place(1, orderType="MKT", totalQuantity=10)
    client.place(2, orderType="MKT", symbol="SPY", totalQuantity=10)
    client.wait()
    [row] = [row for row in client.rows(4) if row["code"] == "201"]
    assert row["reqId"] == "2"
    assert "IBALGO" in row["message"]


@scenario(FaultName.DUPLICATE_ID)
def _duplicate_id() -> None:
    _live_in_spite_of("duplicate_id", 103)


@scenario(FaultName.TIF_PRESET)
def _tif_preset() -> None:
    _live_in_spite_of("tif_preset", 10349)


@scenario(FaultName.ORDER_WARNING)
def _order_warning() -> None:
    _live_in_spite_of("order_warning", 399)


def _live_in_spite_of(name: str, code: int) -> None:
    host = gateway(fault(name))
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait()
    assert client.errors() == [(1, code)]
    assert client.statuses()[-1] == "Submitted"


@scenario(FaultName.SHORT_HELD)
def _short_held() -> None:
    client = RawClient(gateway(fault("short_held", seconds=30)))
    client.place(1, action="SELL", orderType="MKT", totalQuantity=10)
    client.wait(5)
    assert client.errors() == [(1, 404)]
    assert client.rows(3)[-1]["whyHeld"] == "locate"
    client.wait(30)
    assert client.statuses()[-1] == "Filled"


@scenario(FaultName.READ_ONLY)
def _read_only() -> None:
    client = RawClient(gateway(fault("read_only", times=0)))
    for number in (1, 2):
        client.place(number, orderType="MKT")
    client.wait()
    assert client.errors() == [(1, 321), (2, 321)]
    assert client.statuses() == []


@scenario(FaultName.WHAT_IF_REJECTED)
def _what_if_rejected() -> None:
    client = RawClient(gateway(fault("what_if_rejected")))
    client.place(1, orderType="MKT", whatIf=1)
    assert client.errors() == [(1, 201)]
    assert client.take(5) == []


# --- changes and cancels


@scenario(FaultName.MODIFY_REJECTED)
def _modify_rejected() -> None:
    host = gateway(fault("modify_rejected"))
    client = RawClient(host)
    client.place(1, lmtPrice=190.0)
    client.wait()
    client.place(1, lmtPrice=191.0)
    client.wait()
    assert client.errors() == [(1, 201)]
    client.take(5)
    client.send(5, 1)
    assert client.take(5)[0][16] == "190.0", "it lives on at its old price"


@scenario(FaultName.MODIFY_SPLITS)
def _modify_splits() -> None:
    host = gateway(fault("modify_splits"))
    client = RawClient(host)
    limit = round(bid_of(host) - 2, 2)
    client.place(1, lmtPrice=limit, orderRef="twin")
    client.wait()
    client.place(1, lmtPrice=round(limit - 0.5, 2), orderRef="twin")
    client.wait()
    client.take(5)
    client.rows(3)
    client.send(5, 1)
    twins = client.take(5)
    assert [fields[1] for fields in twins] == ["1", "1"]
    assert len({fields[25] for fields in twins}) == 2, "two permIds, one number"
    client.cancel(1)
    client.wait()
    client.send(5, 1)
    assert len(client.take(5)) == 1, "the number finds one of them, the other works on"


@scenario(FaultName.CANCEL_NOT_FOUND)
def _cancel_not_found() -> None:
    host = gateway(fault("cancel_not_found"))
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait()
    client.cancel(1)
    client.wait()
    assert client.errors() == [(1, 10147)]
    assert client.statuses()[-1] == "Submitted"


@scenario(FaultName.CANCEL_TOO_LATE)
def _cancel_too_late() -> None:
    host = gateway(fault("cancel_too_late"))
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait()
    client.cancel(1)
    assert client.errors() == [(1, 10148)]
    client.wait()
    assert client.statuses()[-1] == "Filled"
    assert len(client.rows(11)) == 1


@scenario(FaultName.CANCEL_UNANSWERED)
def _cancel_unanswered() -> None:
    host = gateway(fault("cancel_unanswered", seconds=600))
    client = RawClient(host)
    client.place(1, lmtPrice=round(bid_of(host) / 2, 2))
    client.wait()
    client.cancel(1)
    client.wait(500)
    assert client.statuses()[-1] == "PendingCancel"
    client.wait(101)
    assert client.statuses()[-1] == "Cancelled"


@scenario(FaultName.FILL_AFTER_CANCEL)
def _fill_after_cancel() -> None:
    host = gateway(fault("fill_after_cancel", seconds=10))
    client = RawClient(host)
    client.place(1, lmtPrice=bid_of(host) - 5)
    client.wait()
    client.cancel(1)
    client.wait(5)
    assert client.statuses()[-1] == "Cancelled"
    client.wait(6)
    assert len(client.rows(11)) == 1
    assert client.statuses()[-1] == "Filled"


# --- fills


@scenario(FaultName.EXEC_CORRECTED)
def _exec_corrected() -> None:
    host = gateway(fault("exec_corrected", seconds=10, move=-0.5))
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    [first] = client.rows(11)
    client.wait(10)
    [second] = client.rows(11)
    assert first["execId"].endswith(".01")
    assert second["execId"] == f"{first['execId'][:-3]}.02"
    assert float(second["price"]) == pytest.approx(float(first["price"]) - 0.5)
    client.send(7, 3, 5, 0, "", "", "", "", "", "")
    assert [row["execId"] for row in client.rows(11)] == [second["execId"]]
    cash = host.accounts["DU1234567"].cash_micros
    assert cash == 10**12 - round(float(second["price"]) * 10 * 10**6) - 10**6


@scenario(FaultName.EXEC_BUSTED)
def _exec_busted() -> None:
    host = gateway(fault("exec_busted", seconds=10))
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait(12)
    first, second = client.rows(11)
    assert second["execId"] == f"{first['execId'][:-3]}.02"
    assert second["shares"] == "0"
    account = host.accounts["DU1234567"]
    assert account.cash_micros == account.start_micros
    assert list(account.held()) == []


@scenario(FaultName.COMMISSION_FIRST)
def _commission_first() -> None:
    assert _fill_order("commission_first") == ["59", "11", "3"]


@scenario(FaultName.COMMISSION_NEVER)
def _commission_never() -> None:
    assert _fill_order("commission_never") == ["11", "3"]


@scenario(FaultName.STATUS_FIRST)
def _status_first() -> None:
    assert _fill_order("status_first") == ["3", "11", "59"]


@scenario(FaultName.STATUS_TWICE)
def _status_twice() -> None:
    assert _fill_order("status_twice") == ["11", "3", "3", "3", "59"]


@scenario(FaultName.STATUS_REGRESS)
def _status_regress() -> None:
    host = gateway(fault("status_regress"))
    client = RawClient(host)
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    assert client.statuses()[-2:] == ["Filled", "PreSubmitted"]


@scenario(FaultName.STATUS_NEVER)
def _status_never() -> None:
    assert _fill_order("status_never") == ["11", "59"]


def _fill_order(name: str) -> list[str]:
    """The ids of the messages that tell of one fill."""
    client = RawClient(gateway(fault(name)))
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait(0.004)
    client.inbox.clear()
    client.wait()
    ids = [fields[0] for fields in client.inbox]
    acknowledged = ["5", "3", "5", "3"]
    assert ids[:4] == acknowledged
    return ids[4:]


# --- questions


@scenario(FaultName.EMPTY_ANSWER)
def _empty_answer() -> None:
    client = RawClient(gateway(fault("empty_answer", message="reqPositions")))
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    client.inbox.clear()
    client.send(61, 1)
    assert [named(fields) for fields in client.inbox] == [{"version": "1"}]
    client.send(61, 1)
    assert client.rows(61)


@scenario(FaultName.NO_ANSWER)
def _no_answer() -> None:
    client = RawClient(gateway(fault("no_answer", message="reqAllOpenOrders")))
    client.inbox.clear()
    client.send(16, 1)
    assert client.inbox == []
    client.send(16, 1)
    assert client.take(53)


@scenario(FaultName.POSITIONS_TWICE)
def _positions_twice() -> None:
    client = RawClient(gateway(fault("positions_twice")))
    client.place(1, orderType="MKT", totalQuantity=10)
    client.wait()
    client.send(61, 1)
    assert [row["position"] for row in client.rows(61)] == ["10", "10"]
    client.send(61, 1)
    assert len(client.rows(61)) == 1


@scenario(FaultName.HISTORY_PACING)
def _history_pacing() -> None:
    client = RawClient(gateway(fault("history_pacing")))
    for number in (6, 7):
        client.send(20, number, *STOCK, 0, "", "5 mins", "1 D", 1, "TRADES", 1, 0, "")
    assert client.errors() == [(6, 162)]
    assert client.take(17)[0][1] == "7"


@scenario(FaultName.NO_LIVE_DATA)
def _no_live_data() -> None:
    client = RawClient(gateway(fault("no_live_data", times=0)))
    client.send(1, 11, 9, *STOCK, 0, "", 0, 0, "")
    assert client.errors() == [(9, 354)]
    client.send(59, 1, 3)
    client.send(1, 11, 10, *STOCK, 0, "", 0, 0, "")
    assert client.errors() == [(10, 10167)]
    assert client.rows(58)[0]["marketDataType"] == "3"
    assert {row["tickType"] for row in client.rows(1)} == {"66", "67", "68", "9"}


# --- when they strike


def test_chance_belongs_to_the_seed() -> None:
    def lost(seed: int) -> list[str]:
        host = gateway(fault("order_lost", chance=0.3, times=0), seed=seed)
        client = RawClient(host)
        for number in range(1, 20):
            client.place(number, lmtPrice=round(ask_of(host) - 50, 2), totalQuantity=1)
        client.wait()
        return sorted({row["orderId"] for row in client.rows(3)})

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)
    assert 5 < len(lost(1)) < 19


def test_nothing_strikes_before_its_time_nor_another_client() -> None:
    host = gateway(fault("order_rejected", at="10:30", client=2, times=0))
    one, two = RawClient(host, 1), RawClient(host, 2)
    two.place(1, orderType="MKT", totalQuantity=1)
    host.timeline.run_until(at("10:31"))
    one.place(1, orderType="MKT", totalQuantity=1)
    two.place(2, orderType="MKT", totalQuantity=1)
    host.timeline.run_for(1)
    assert one.errors() == []
    assert two.errors() == [(2, 201)]
    assert struck(host) == ["order_rejected"]

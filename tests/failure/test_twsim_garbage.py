"""Whatever bytes a client sends, the gateway lives on and the other clients do not notice."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from ..kit.tws import STOCK, RawClient, bid_of, framed, gateway, place_order

MESSAGE_IDS = st.integers(-3, 130)
FIELDS = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
        st.integers(-(2**70), 2**70).map(str),
        st.sampled_from(
            ["", "nan", "inf", "-inf", "1e999", "Infinite", "1.7976931348623157e+308", "2147483647"]
        ),
    ),
    max_size=40,
)


def works(client: RawClient) -> bool:
    """Whether a client is still served."""
    client.send(49, 1)
    return bool(client.take(49))


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_garbage_from_the_first_byte(data: bytes) -> None:
    host = gateway()
    other = RawClient(host, 2)
    closed: list[bool] = []
    session = host.connect(lambda _: None, lambda: closed.append(True))
    assert session is not None
    session.receive(data)
    host.timeline.run_for(5)
    assert works(other)


@given(st.binary(max_size=300), st.integers(1, 50))
@settings(max_examples=150, deadline=None)
def test_garbage_after_a_proper_start(data: bytes, piece: int) -> None:
    host = gateway()
    one, other = RawClient(host, 1), RawClient(host, 2)
    for place in range(0, len(data), piece):
        one.session.receive(data[place : place + piece])
    host.timeline.run_for(5)
    assert works(other)


@given(MESSAGE_IDS, FIELDS)
@settings(max_examples=400, deadline=None)
def test_messages_with_any_fields(message: int, fields: list[str]) -> None:
    host = gateway()
    one, other = RawClient(host, 1), RawClient(host, 2)
    one.send(message, *fields)
    host.timeline.run_for(5)
    assert works(other)
    # A second start is the one message that ends a session, with 326.
    assert works(one) or message == 71, "a frame that is whole never ends the session"


NASTY = (
    *("", "nan", "inf", "-inf", "Infinite", "1e999", "1e300", "-1", "0", "1.5", "2147483647"),
    *("9" * 40, "1.7976931348623157e+308", "00010101-00:00:00", "99991231 23:59:59 UTC", "٣"),
)


@given(
    st.integers(1, 113),
    st.one_of(
        st.sampled_from(NASTY), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
    ),
)
@settings(max_examples=150, deadline=None)
def test_an_order_with_one_wrong_field(place: int, wrong: str) -> None:
    host = gateway()
    one, other = RawClient(host, 1), RawClient(host, 2)
    for number, changes in enumerate(
        ({}, {"orderType": "STP", "auxPrice": 300}, {"tif": "GTD"}, {"tif": "GTC"}), 1
    ):
        fields = place_order(number, lmtPrice=bid_of(host), **changes)
        fields[place] = wrong
        one.send(*fields)
    host.timeline.run_for(5)
    for number in range(1, 5):
        one.cancel(number)
    one.send(16, 1)
    one.send(99, 0)
    assert works(one)
    assert works(other)


@given(st.integers(1, 22), st.sampled_from((*NASTY, "1 D", "400 Y", "9999999 S", "0 D", "1 day")))
@settings(max_examples=200, deadline=None)
def test_history_with_one_wrong_field(place: int, wrong: str) -> None:
    client = RawClient(gateway())
    fields = ["20", "6", *STOCK, "0", "", "1 hour", "1 D", "1", "TRADES", "1", "1", ""]
    fields[place] = wrong
    client.send(*fields)
    assert works(client)


@given(
    st.sampled_from(["Twap", "Vwap", "PctVol", "ClosePx", "DarkIce", "ArrivalPx", "Adaptive"]),
    st.sampled_from(["startTime", "endTime", "maxPctVol", "pctVol", "adaptivePriority", "x"]),
    st.sampled_from(NASTY),
)
@settings(max_examples=100, deadline=None)
def test_algorithms_with_wrong_parameters(algo: str, name: str, wrong: str) -> None:
    client = RawClient(gateway())
    client.place(1, orderType="MKT", algo=(algo, {name: wrong}))
    client.place(2, orderType="MKT", algo=(algo, {}), displaySize=wrong)
    client.wait(3)
    assert works(client)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_lies_about_length(length: int) -> None:
    host = gateway()
    one, other = RawClient(host, 1), RawClient(host, 2)
    one.session.receive(struct.pack(">I", length) + b"49\x001\x00")
    if length > 1 << 20 or length == 0:
        assert one.is_closed
        assert one.errors() == [(-1, 507)]
    assert works(other)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_frames_may_arrive_in_any_pieces(cuts: list[int]) -> None:
    host = gateway()
    client = RawClient(host)
    stream = framed(49, 1) + framed(*place_order(1, orderType="MKT")) + framed(61, 1)
    client.inbox.clear()
    place = 0
    for cut in cuts:
        client.session.receive(stream[place : place + cut])
        place += cut
    client.session.receive(stream[place:])
    client.wait()
    assert client.take(49)
    assert client.take(62)
    assert client.statuses()[-1] == "Filled"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["place", "cancel", "modify", "all", "drop", "wait"]),
            st.integers(1, 12),
            st.integers(1, 3000),
        ),
        max_size=40,
    )
)
@settings(max_examples=60, deadline=None)
def test_orders_in_any_order_leave_the_books_whole(steps: list[tuple[str, int, int]]) -> None:
    host = gateway()
    client = RawClient(host)
    for what, number, size in steps:
        price = round(bid_of(host) + (size % 7 - 3) * 0.01, 2)
        side = "SELL" if size % 2 else "BUY"
        if what in ("place", "modify"):
            client.place(number, lmtPrice=price, totalQuantity=size, action=side)
        elif what == "cancel":
            client.cancel(number)
        elif what == "all":
            client.send(58, 1)
        elif what == "drop":
            client.session.lost()
            client = RawClient(host)
        host.timeline.run_for(size % 5)
    for order in host.desk.orders:
        assert 0 <= order.filled <= order.ticket.shares or order.is_done
        told = [e for e in host.exchange.books.executions if e.order is order]
        assert sum(e.shares for e in told) == order.filled

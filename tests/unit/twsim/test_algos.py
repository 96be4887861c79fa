"""The schedules of IBKR's algorithms keep the promises that are public."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

import pytest

from deadband.twsim.algos import (
    SCHEDULES,
    Moment,
    crosses_by,
    fault_of,
    horizon,
    shares_due,
)
from deadband.twsim.ticket import Ticket

from ...kit.tws import at

OPEN, CLOSE = at("09:30"), at("16:00")


def ticket(algo: str, shares: int = 10_000, **params: str) -> Ticket:
    fields = {"algoStrategy": algo, "totalQuantity": str(shares), "displaySize": "300"}
    return Ticket(MappingProxyType(fields), tuple(params.items()))


def due(asked: Ticket, clock: str, volume: int = 10**9) -> int:
    start, end = horizon(asked, at("10:00"), CLOSE)
    return shares_due(asked, Moment(at(clock), start, end, OPEN, CLOSE, volume))


GOOD = {
    "Adaptive": ticket("Adaptive", adaptivePriority="Normal"),
    "Twap": ticket("Twap"),
    "Vwap": ticket("Vwap", maxPctVol="0.2"),
    "ArrivalPx": ticket("ArrivalPx", maxPctVol="0.2", riskAversion="Neutral"),
    "PctVol": ticket("PctVol", pctVol="0.1"),
    "ClosePx": ticket("ClosePx", maxPctVol="0.2"),
    "DarkIce": ticket("DarkIce"),
}


@pytest.mark.parametrize("algo", SCHEDULES)
def test_a_schedule_never_goes_back_nor_over_and_is_through_before_the_close(algo: str) -> None:
    asked = GOOD[algo]
    assert fault_of(asked) == ""
    clocks = [f"{h}:{m:02d}" for h in range(10, 16) for m in range(60)]
    shares = [due(asked, clock) for clock in clocks]
    assert all(a <= b for a, b in pairwise(shares))
    assert shares[-1] == 10_000


def test_twap_is_straight_and_keeps_its_own_times() -> None:
    asked = ticket("Twap", startTime="20260302 11:00:00", endTime="20260302 13:00:00")
    assert due(asked, "10:30") == 0
    assert due(asked, "12:00") == pytest.approx(5000, abs=100)
    assert due(asked, "13:00") == 10_000


def test_participation_follows_the_volume() -> None:
    assert due(GOOD["PctVol"], "12:00", volume=20_000) == 2000
    assert due(GOOD["Vwap"], "15:58", volume=10_000) == 2000


def test_arrival_is_early_and_close_is_late() -> None:
    hasty = ticket("ArrivalPx", riskAversion="Get Done")
    calm = ticket("ArrivalPx", riskAversion="Passive")
    assert due(hasty, "11:00") > due(calm, "11:00") > due(GOOD["ClosePx"], "11:00") == 0
    assert 0 < due(GOOD["ClosePx"], "15:45") < 10_000


def test_dark_ice_shows_so_much_at_a_time() -> None:
    start = at("10:00")
    at_once = Moment(start, start, CLOSE, OPEN, CLOSE, 0)
    assert shares_due(GOOD["DarkIce"], at_once) == 300
    later = Moment(start + timedelta(seconds=15), start, CLOSE, OPEN, CLOSE, 0)
    assert shares_due(GOOD["DarkIce"], later) == 600


def test_adaptive_waits_by_priority() -> None:
    placed = at("10:00")
    for priority, wait in (("Urgent", 2), ("Normal", 10), ("Patient", 30)):
        asked = ticket("Adaptive", adaptivePriority=priority)
        assert not crosses_by(asked, placed, placed + timedelta(seconds=wait - 1))
        assert crosses_by(asked, placed, placed + timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ticket("Guess"), "Unknown algorithm"),
        (ticket("PctVol"), "pctVol is missing"),
        (ticket("PctVol", pctVol="x"), "expected 0.1 to 0.5"),
        (ticket("Vwap", maxPctVol="0.7"), "expected 0.01 to 0.5"),
        (ticket("Adaptive"), "adaptivePriority is missing"),
        (ticket("ArrivalPx", riskAversion="Bold"), "riskAversion is Bold"),
        (ticket("Twap", endTime="noon"), "endTime is noon"),
    ],
)
def test_parameters_that_cannot_be(asked: Ticket, said: str) -> None:
    assert said in fault_of(asked)


def test_an_end_before_the_start_leaves_no_time() -> None:
    asked = ticket("Twap", startTime="20260302 13:00:00", endTime="20260302 11:00:00")
    assert due(asked, "13:01") == 10_000

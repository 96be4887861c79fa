"""Accidents that happen at an instant: to lines, farms, accounts, names and the gateway itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from .fault_names import FaultName
from .faults import Fault
from .ticket import Ticket
from .world import World

Mishap = Callable[[World, Fault], None]


def _fragment(world: World, fault: Fault) -> None:
    def mend() -> None:
        world.is_fragmenting = False

    world.is_fragmenting = True
    world.timeline.after(fault.seconds, mend)


def _drop_sockets(world: World, fault: Fault) -> None:
    for client in list(world.clients):
        if fault.client in (-1, client.number):
            client.close()


def _half_open(world: World, fault: Fault) -> None:
    frozen = [c for c in world.clients if fault.client in (-1, c.number)]
    for client in frozen:
        client.freeze()

    def thaw() -> None:
        for client in frozen:
            client.thaw()

    world.timeline.after(fault.seconds, thaw)


def _restart(world: World, fault: Fault) -> None:
    def up_again() -> None:
        world.is_refusing = False

    world.is_refusing = True
    for client in list(world.clients):
        client.close()
    world.desk.roll_back()
    world.timeline.after(fault.seconds, up_again)


def _lose_servers(world: World, fault: Fault) -> None:
    between = "Connectivity between IBKR and Trader Workstation has been"
    world.tell_all(1100, f"{between} lost.")
    world.desk.is_connected = False
    world.reports.is_lossy = fault.lossy

    def restore() -> None:
        world.reports.is_lossy = False
        if fault.data_lost:
            world.exchange.watchers.clear()
            world.tell_all(1101, f"{between} restored - data lost.")
        else:
            world.tell_all(1102, f"{between} restored - data maintained.")
        world.desk.reconnected()

    world.timeline.after(fault.seconds, restore)


def _silence(world: World, fault: Fault) -> Callable[[], None]:
    """No ticks from now on; gives back what ends it."""
    world.are_ticks_silent, world.do_ticks_stay_silent = True, fault.lossy

    def end() -> None:
        world.are_ticks_silent = world.do_ticks_stay_silent = False

    return end


def _lose_market_farm(world: World, fault: Fault) -> None:
    world.tell_all(2103, "Market data farm connection is broken:usfarm")
    end = _silence(world, fault)

    def restore() -> None:
        end()
        world.tell_all(2104, "Market data farm connection is OK:usfarm")

    world.timeline.after(fault.seconds, restore)


def _lose_history_farm(world: World, fault: Fault) -> None:
    world.tell_all(2105, "HMDS data farm connection is broken:ushmds")
    world.is_history_down = True

    def restore() -> None:
        world.is_history_down = False
        world.tell_all(2106, "HMDS data farm connection is OK:ushmds")

    world.timeline.after(fault.seconds, restore)


def _compete(world: World, fault: Fault) -> None:
    for client in world.started():
        for line, req_id in list(world.exchange.watchers):
            if line == client.line:
                client.error(req_id, 10197, "No market data during competing live client")
    world.timeline.after(fault.seconds, _silence(world, fault))


def _halt(world: World, fault: Fault) -> None:
    contract = world.listing.find({"symbol": fault.symbol})
    if contract is not None:
        until = world.timeline.now + timedelta(seconds=fault.seconds)
        world.exchange.halted_until[contract.con_id] = until


def _unready(world: World, fault: Fault) -> None:
    def ready() -> None:
        for account in world.accounts.values():
            account.is_ready = True

    for account in world.accounts.values():
        account.is_ready = False
    world.timeline.after(fault.seconds, ready)


def _by_hand(world: World, fault: Fault) -> None:
    fields = {
        "symbol": fault.symbol,
        "action": "BUY" if fault.shares > 0 else "SELL",
        "totalQuantity": str(abs(fault.shares)),
        "orderType": "MKT",
        "tif": "DAY",
        "transmit": "1",
        "account": next(iter(world.accounts)),
    }
    world.desk.place_by_hand(Ticket(MappingProxyType(fields)))


def _notice(world: World, fault: Fault) -> None:
    working = [
        order
        for order in world.desk.working(None if fault.client < 0 else fault.client)
        if fault.symbol in ("", order.contract.symbol)
    ]
    if working:
        world.reports.error(working[-1], fault.code, fault.text)
    else:
        world.tell_all(fault.code, fault.text)


def _be_strict(world: World, fault: Fault) -> None:
    world.is_rate_strict = True


MISHAPS: Mapping[FaultName, Mishap] = MappingProxyType(
    {
        FaultName.FRAGMENT_FRAMES: _fragment,
        FaultName.DROP_SOCKET: _drop_sockets,
        FaultName.HALF_OPEN: _half_open,
        FaultName.RESTART: _restart,
        FaultName.CONNECTIVITY_LOST: _lose_servers,
        FaultName.MARKET_FARM_DOWN: _lose_market_farm,
        FaultName.HISTORY_FARM_DOWN: _lose_history_farm,
        FaultName.COMPETING_SESSION: _compete,
        FaultName.HALT: _halt,
        FaultName.ACCOUNT_NOT_READY: _unready,
        FaultName.MANUAL_ORDER: _by_hand,
        FaultName.NOTICE: _notice,
        FaultName.STRICT_RATE: _be_strict,
    }
)

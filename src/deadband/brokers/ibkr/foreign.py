"""Orders of the account that are not ours: their risk is seen, and they are left alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...core.events import OrderState
from ...core.orders import OrdStatus, Side
from .said import OrderSaid, StatusSaid

WORKING = frozenset({"PreSubmitted", "Submitted"})
ENDED = frozenset({"Cancelled", "ApiCancelled", "Filled"})


class Route(NamedTuple):
    """The client that placed an order, its number there, and its reference."""

    client_id: int
    order_id: int
    ref: str


@dataclass(slots=True, eq=False)
class Foreign:
    """Those alive by the broker's permanent id, as last heard."""

    alive: dict[int, OrderState] = field(default_factory=dict)
    routes: dict[int, Route] = field(default_factory=dict)
    """How each was placed, by the same id."""
    _listed: set[int] = field(default_factory=set)

    def begin_list(self) -> None:
        self._listed.clear()

    def end_list(self) -> None:
        """The list is complete: what it did not name is over."""
        self.alive = {one: order for one, order in self.alive.items() if one in self._listed}

    def opened(self, said: OrderSaid) -> None:
        if said.status in ENDED:
            self.alive.pop(said.perm_id, None)
            return
        self._listed.add(said.perm_id)
        self.routes[said.perm_id] = Route(said.client_id, said.order_id, said.ref)
        self.alive[said.perm_id] = OrderState(
            cl_ord_id="",
            symbol=said.symbol,
            side=Side.BUY if said.action == "BUY" else Side.SELL,
            order_qty=int(said.qty),
            price=said.price,
            status=OrdStatus.NEW,
            cum_qty=0,
            leaves_qty=int(said.qty),
            avg_px=0.0,
            order_ids=(said.perm_id,),
            text=f"client {said.client_id} {said.ref}".strip(),
        )

    def status(self, said: StatusSaid) -> None:
        known = self.alive.get(said.perm_id)
        if known is None:
            return
        if said.status in ENDED:
            del self.alive[said.perm_id]
            return
        filled = int(said.filled)
        self.alive[said.perm_id] = replace(
            known,
            cum_qty=filled,
            leaves_qty=known.order_qty - filled,
            avg_px=said.avg_px,
            status=OrdStatus.PARTIALLY_FILLED if filled else OrdStatus.NEW,
        )

    def of_runs(self, prefix: str, symbol: str) -> list[Route]:
        """Those alive whose reference begins so, of one symbol or of all."""
        return [
            self.routes[one]
            for one, order in self.alive.items()
            if symbol in ("", order.symbol) and self.routes[one].ref.startswith(f"{prefix}.")
        ]

"""IBKR's message numbers: how grave each is, and the one thing it may do to an order or a session.

Rules
  * A number does to an order only what stands here; one that does not stand here changes nothing,
    and an order it names is asked about.
  * An order's end is its status, never a number: 202 and its like are remembered as why.
  * What would refuse an order refuses a change if one is under way, and never a working order.

The table is codes.csv, one number a line. Meanings are in our words, after IBKR's documentation;
rows of origin `incident` are known from public reports only. None has been measured against a real
gateway. 510 to 584 are absent: they say that a client of IBKR's own could not send.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType

from ...core.events import Severity


class Effect(StrEnum):
    """What a number does; one of these, whatever its text says."""

    NOTE = "NOTE"
    REFUSED = "REFUSED"
    CHANGE_REFUSED = "CHANGE_REFUSED"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    CANCELED = "CANCELED"
    COLLISION = "COLLISION"
    HELD = "HELD"
    ASK = "ASK"
    VALIDATION = "VALIDATION"
    PACED = "PACED"
    CONNECTION_LOST = "CONNECTION_LOST"
    RESTORED_ANEW = "RESTORED_ANEW"
    RESTORED = "RESTORED"
    FARM_DOWN = "FARM_DOWN"
    FARM_UP = "FARM_UP"
    FARM_IDLE = "FARM_IDLE"
    NO_DATA = "NO_DATA"
    DELAYED_DATA = "DELAYED_DATA"
    COMPETING = "COMPETING"
    RESUBSCRIBE = "RESUBSCRIBE"
    SESSION_REFUSED = "SESSION_REFUSED"


EFFECTS: Mapping[Effect, str] = MappingProxyType(
    {
        Effect.NOTE: "nothing; it is passed on as a notice",
        Effect.REFUSED: "an order without any word so far is rejected; a change under way is "
        "refused; a working order is asked about; a question fails",
        Effect.CHANGE_REFUSED: "a change under way is refused and the order stands as it was",
        Effect.CANCEL_REFUSED: "a cancel under way is refused, and the order is asked about",
        Effect.CANCELED: "kept as the reason; the status that comes with it is the fact",
        Effect.COLLISION: "the number was used before: what became of the order is asked",
        Effect.HELD: "the order lives and waits: suspended until its status says otherwise",
        Effect.ASK: "the order is asked about and stays as it is",
        Effect.VALIDATION: "as REFUSED; if it says read-only, so is the session",
        Effect.PACED: "we sent too fast: the outbox slows down, and all orders are asked about",
        Effect.CONNECTION_LOST: "the session is degraded: nothing new is sent, all is still heard",
        Effect.RESTORED_ANEW: "market data is subscribed again, and the books are reconciled",
        Effect.RESTORED: "the books are reconciled before anything is sent",
        Effect.FARM_DOWN: "the farm's quotes are no longer live",
        Effect.FARM_UP: "quotes have to tick anew, or are subscribed again; orders are not meant",
        Effect.FARM_IDLE: "nothing; the farm wakes when it is asked",
        Effect.NO_DATA: "the name has no quotes; a question fails",
        Effect.DELAYED_DATA: "the name's quotes are delayed and drive no order",
        Effect.COMPETING: "no name has quotes while another session takes them",
        Effect.RESUBSCRIBE: "the subscription is made again",
        Effect.SESSION_REFUSED: "the session does not begin, or has ended",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One number; `origin` is `doc` or `incident`."""

    code: int
    severity: Severity
    effect: Effect
    meaning: str
    origin: str = "doc"


def _rules() -> Iterator[Rule]:
    table = files(__package__).joinpath("codes.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        yield Rule(
            int(row["code"]),
            Severity(row["severity"]),
            Effect(row["effect"]),
            row["meaning"],
            row["origin"],
        )


RULES: Mapping[int, Rule] = MappingProxyType({rule.code: rule for rule in _rules()})


class Codes:
    """The table with what a user overrides: `{399: "NOTE"}` by number and effect."""

    def __init__(self, overrides: Mapping[int, Effect] | None = None) -> None:
        self._rules = dict(RULES)
        for code, effect in (overrides or {}).items():
            self._rules[code] = replace(self.rule(code), effect=effect)

    def rule(self, code: int) -> Rule:
        """The rule of a number; one that is not known asks and changes nothing."""
        known = self._rules.get(code)
        return known or Rule(code, Severity.WARNING, Effect.ASK, "not in the table", "unknown")


def is_read_only(text: str) -> bool:
    """Whether a refusal says that the whole interface is read-only."""
    return "read-only" in text.lower() or "read only" in text.lower()

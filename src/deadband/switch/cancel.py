"""Cancels everything with nothing but the broker's port: for when the engine is dead or hung."""

from __future__ import annotations

from typing import Protocol, TypeVar

Scope = TypeVar("Scope", contravariant=True)


class Answer(Protocol):
    """What the port says at once: whether the cancels are on their way."""

    @property
    def is_accepted(self) -> bool: ...


class Cancels(Protocol[Scope]):
    """The one verb of the broker's port that is needed."""

    def cancel_all(self, what: Scope) -> Answer: ...


def cancel_everything(broker: Cancels[Scope], *scopes: Scope) -> tuple[str, ...]:
    """Ask for each scope in turn, whatever becomes of the one before; returns what went wrong.

    Give the account's scope last: where own orders cannot be told apart, it still cancels them.
    """
    faults = []
    for scope in scopes:
        try:
            answer = broker.cancel_all(scope)
        except Exception as fault:  # noqa: BLE001 - one failure must not keep the next from going
            faults.append(f"{scope}: {type(fault).__name__}: {fault}")
            continue
        if not answer.is_accepted:
            faults.append(f"{scope}: {answer}")
    return tuple(faults)

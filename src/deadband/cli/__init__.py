"""Commands as sentences: run a day, check a configuration, explain a name, replay a journal, kill.

Exit codes: 0 done; 1 something differs, fails its check, or is left; 2 the input cannot be used.
"""

from __future__ import annotations

import sys

from . import accept, check, doctor, flatten, gateway, journal, reconcile, risk, run, switch, tca
from .shell import app, make_console

__all__ = [
    "accept",
    "app",
    "check",
    "doctor",
    "flatten",
    "gateway",
    "journal",
    "main",
    "reconcile",
    "risk",
    "run",
    "switch",
    "tca",
]


def main() -> None:
    """Run the command line; deadband's own errors become one message and exit code 2."""
    from ..core.errors import DeadbandError

    try:
        app()
    except DeadbandError as fault:
        make_console(stderr=True).print(f"[bold red]{type(fault).__name__}[/]: ", end="")
        print(fault, file=sys.stderr)
        raise SystemExit(2) from None

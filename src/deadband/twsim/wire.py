"""The letters of the protocol: frames, fields, and the several ways of writing no number.

A frame is four bytes of length, big-endian, and a body of fields that each end with a zero byte.
Only the greeting differs: the client's first bytes are `API`, zero, and then its range of versions
in a frame without zero bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

Field = str | int | float | bool | None

OLDEST_VERSION, NEWEST_VERSION = 176, 178
GREETING = b"API\0"
LONGEST_FRAME = 1 << 20
"""Bytes; a longer frame is a lie about its length or no TWS client."""

UNSET = frozenset(
    {
        "",
        "2147483647",
        "1.7976931348623157e+308",
        "1.7976931348623157E308",
        "9223372036854775807",
    }
)
"""What clients write where there is no number: nothing, or the largest of their type."""


class BadFrame(Exception):
    """The bytes cannot be cut into frames; nothing that follows can be trusted."""


class BadField(Exception):
    """A field is missing, left over, or not what its place asks for."""


def frame(fields: Sequence[Field]) -> bytes:
    # Most fields are texts already, and an order has more than a hundred.
    written = [field if type(field) is str else text(field) for field in fields]
    body = ("\0".join(written) + "\0").encode("ascii", "backslashreplace") if written else b""
    return len(body).to_bytes(4, "big") + body


def text(field: Field) -> str:
    """A field as it is written: 1 and 0 for yes and no, nothing for no number."""
    if field is None:
        return ""
    if isinstance(field, bool):
        return "1" if field else "0"
    if isinstance(field, float):
        if not math.isfinite(field):
            return "Infinite" if field > 0 else ""
        return repr(round(field, 8)).removesuffix(".0")
    return str(field)


def is_set(written: str) -> bool:
    return written not in UNSET


def number(written: str) -> float | None:
    """Read a number, None if unset; raises BadField."""
    if written in UNSET:
        return None
    if written in ("Infinite", "Infinity"):
        return math.inf
    try:
        value = float(written)
    except ValueError as fault:
        raise BadField(f"{written!r} is not a number") from fault
    if math.isnan(value):
        raise BadField(f"{written!r} is not a number")
    return value


def whole(written: str, default: int = 0) -> int:
    """Read an integer, `default` if unset; raises BadField."""
    value = number(written)
    if value is None:
        return default
    if not math.isfinite(value) or value != int(value):
        raise BadField(f"{written!r} is not a whole number")
    return int(value)


def flag(written: str) -> bool:
    """Read a yes or no as the several clients write it."""
    return written not in ("", "0", "false", "False")


class Frames:
    """Cuts a stream of bytes into frame bodies, however the bytes arrive."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._greeted = False

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Give every body that is complete; raises BadFrame at the first that cannot be one."""
        self._bytes += received
        if not self._greeted:
            if not GREETING.startswith(bytes(self._bytes[:4])):
                raise BadFrame("the first bytes are not API and a zero byte")
            if len(self._bytes) < len(GREETING):
                return
            self._greeted = True
            del self._bytes[:4]
        while len(self._bytes) >= 4:
            length = int.from_bytes(self._bytes[:4], "big")
            if not 0 < length <= LONGEST_FRAME:
                raise BadFrame(f"a frame says it is {length} bytes long")
            if len(self._bytes) < 4 + length:
                return
            body = bytes(self._bytes[4 : 4 + length])
            del self._bytes[: 4 + length]
            yield body


def split(body: bytes) -> list[str]:
    """The fields of a body; raises BadField if the last does not end."""
    if not body.endswith(b"\0"):
        raise BadField("the last field does not end with a zero byte")
    return body[:-1].decode("utf-8", "backslashreplace").split("\0")


def offered_versions(body: bytes) -> tuple[int, int]:
    """Least and greatest version of the greeting, as in `v157..178 +PACEAPI`; raises BadFrame."""
    offered = body.decode("ascii", "replace").split(" ")[0]
    least, _, greatest = offered.removeprefix("v").partition("..")
    if not (offered.startswith("v") and least.isdecimal() and (greatest or least).isdecimal()):
        raise BadFrame(f"the greeting {offered!r} is no range of versions")
    return int(least), int(greatest or least)

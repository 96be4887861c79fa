"""The socket's bytes: in order, together, and all of them before the line goes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from deadband.twsim.server import Server

from ...kit.tws import framed, gateway


def greeting(version: bytes = b"v157..178") -> bytes:
    return b"API\0" + len(version).to_bytes(4, "big") + version


async def everything(port: int, *said: bytes) -> bytes:
    """What a client hears until the line goes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(said))
    heard = b""
    try:
        while data := await asyncio.wait_for(reader.read(1 << 16), 0.3):
            heard += data
    except TimeoutError:
        pass
    writer.close()
    return heard


def test_what_is_said_before_hanging_up_still_arrives() -> None:
    """A number that is in use is refused and let go in one turn: the reason has to be heard."""

    async def talk() -> bytes:
        async with Server(gateway(), "127.0.0.1", 0) as server:
            first = asyncio.create_task(everything(server.port, greeting(), framed(71, 2, 7, "")))
            await asyncio.sleep(0.1)
            second = await everything(server.port, greeting(), framed(71, 2, 7, ""))
            await first
            return second

    assert b"\x00326\x00" in asyncio.run(talk())


def test_a_list_leaves_in_few_pieces_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    send = socket.socket.send

    def counted(self: socket.socket, data: bytes, *flags: int) -> int:
        sent.append(len(data))
        return send(self, data, *flags)

    monkeypatch.setattr(socket.socket, "send", counted)

    async def talk() -> bytes:
        async with Server(gateway(), "127.0.0.1", 0) as server:
            ask = framed(6, 2, 1, "")
            return await everything(server.port, greeting(), framed(71, 2, 7, ""), ask * 200)

    heard = asyncio.run(talk())
    assert heard.count(b"NetLiquidation") == 200
    assert len(sent) < 50

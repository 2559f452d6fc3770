"""Modbus TCP boards in a process of their own: each answers on a port of its own, at once."""

import asyncio
import struct
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final, Self

HOST: Final = "127.0.0.1"
HEADER: Final = struct.Struct(">HHHBB")  # number, protocol, length, unit, function
REQUEST_BYTES: Final = 12
READ_BITS: Final = (1, 2)
READ_WORDS: Final = (3, 4)


class _Board(asyncio.Protocol):
    """Every input is shut, every word is zero, every write is echoed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._held = b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while len(self._held) >= REQUEST_BYTES:
            request, self._held = self._held[:REQUEST_BYTES], self._held[REQUEST_BYTES:]
            self._transport.write(self._answer(request))

    def _answer(self, request: bytes) -> bytes:
        number, _, _, unit, function = HEADER.unpack(request[: HEADER.size])
        count = int.from_bytes(request[10:12], "big")
        if function in READ_BITS:
            body = b"\xff" * ((count + 7) // 8)
        elif function in READ_WORDS:
            body = bytes(2 * count)
        else:
            return request
        return HEADER.pack(number, 0, 3 + len(body), unit, function) + bytes([len(body)]) + body


class TcpBoards:
    """A context runs so many boards; `ports` are theirs."""

    def __init__(self, boards: int) -> None:
        self._boards = boards

    def __enter__(self) -> Self:
        context = get_context("fork")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=self._run, args=(theirs,), daemon=True)
        self._process.start()
        self.ports: list[int] = self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def _run(self, told: Connection) -> None:
        asyncio.run(self._serve(told))

    async def _serve(self, told: Connection) -> None:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(_Board, HOST, 0) for _ in range(self._boards)]
        told.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

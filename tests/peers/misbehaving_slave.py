"""A slave on a real pty or TCP port that loses, delays, doubles and cuts what it says."""

import asyncio
import math
import os
import pty
import tty
from contextlib import suppress

from tests.firmware_bridge.cabinet_by_the_book import BadWire, crc

REQUEST_BYTES = 8  # of every question in the trial
TURNAROUND_S = 0.001
SLACK_S = 0.010  # later than that by this machine's own fault would be no such slave any more
DOUBLED_S = 0.015  # the second copy begins within


class Stamped:
    """Each read is answered with a number of its own; each order carried out is counted."""

    def __init__(self) -> None:
        self.stamp = 0
        self.carried_out = 0

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        if frame[1] == 6:
            self.carried_out += 1
            return [(TURNAROUND_S, frame)]
        self.stamp += 1
        words = self.stamp.to_bytes(2, "big") * int.from_bytes(frame[4:6], "big")
        return [(TURNAROUND_S, crc(frame[:2] + bytes([len(words)]) + words))]


class Slave:
    """Hears questions from `write`'s other end; late answers come after one to three time-outs."""

    def __init__(self, seed: int, reply_s: float) -> None:
        self.far = Stamped()
        self.trouble = BadWire(
            self.far, seed, reply_s=reply_s, lost=0.25, late=0.2, doubled=0.1, cut=0.1
        )
        self.asked_at: float | None = None  # when the master says it asked, where it tells
        self._held = b""
        self._write = lambda _: None
        self._loop = asyncio.get_running_loop()

    def hear(self, chunk: bytes, write) -> None:
        self._held, self._write = self._held + chunk, write
        while len(self._held) >= REQUEST_BYTES:
            frame, self._held = self._held[:REQUEST_BYTES], self._held[REQUEST_BYTES:]
            if crc(frame[:-2]) == frame:
                self._answer(self.trouble(frame))

    def _answer(self, answers: list[tuple[float, bytes]]) -> None:
        if not answers:
            return
        at = self._loop.time() if self.asked_at is None else self.asked_at
        (delay_s, first), again = answers[0], answers[1:]
        until = math.inf if self.asked_at is None else at + delay_s + SLACK_S
        self._loop.call_at(at + delay_s, self._say, first, until, again)

    def _say(self, answer: bytes, until: float, again: list[tuple[float, bytes]]) -> None:
        now = self._loop.time()
        if now > until:
            return
        self._write(answer)
        for delay_s, copy in again:
            after_s = min(delay_s, DOUBLED_S / 2)
            self._loop.call_at(now + after_s, self._say, copy, now + DOUBLED_S, [])


class PtyEnd:
    """The slave behind a pty."""

    def __init__(self, slave: Slave) -> None:
        self._loop = asyncio.get_running_loop()
        self._master, self._open = pty.openpty()
        tty.setraw(self._open)
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._open)
        self._slave = slave
        self._loop.add_reader(self._master, self._readable)

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            self._slave.hear(os.read(self._master, 256), self._say)

    def _say(self, answer: bytes) -> None:
        with suppress(BlockingIOError, OSError):
            os.write(self._master, answer)

    async def close(self) -> None:
        self._loop.remove_reader(self._master)
        self._say = lambda _: None
        self._slave._write = self._say
        os.close(self._master)
        os.close(self._open)


class TcpEnd(asyncio.Protocol):
    """The slave as a serial device server on a free port: RTU frames in TCP."""

    def __init__(self, slave: Slave) -> None:
        self._slave = slave
        self._transports: list[asyncio.Transport] = []

    @classmethod
    async def listening(cls, slave: Slave) -> "TcpEnd":
        end = cls(slave)
        loop = asyncio.get_running_loop()
        end._server = await loop.create_server(lambda: end, "127.0.0.1", 0)
        end.address = end._server.sockets[0].getsockname()[1]
        return end

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transports.append(transport)

    def data_received(self, data: bytes) -> None:
        self._slave.hear(data, self._transports[-1].write)

    async def close(self) -> None:
        self._server.close()
        for transport in self._transports:
            transport.abort()
        await asyncio.sleep(0)
        await self._server.wait_closed()

"""Lines carry bytes: a tty or a TCP stream. A line is used until it fails, and never again."""

import asyncio
import errno
import os
import socket
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import Final, Protocol

import serial

from controller.ports import Clock
from firmware_bridge.fine_timer import FineTimer
from firmware_bridge.urls import Place, SerialPlace

CHUNK_BYTES: Final = 4096
HELD_BYTES_MAX: Final = (
    65_536  # a line that babbles cannot fill the memory; nothing we ask is near it
)
CONNECT_S: Final = (
    3.0  # a person waits for a door; a device server in the house answers in milliseconds
)
# A dead peer is noticed after 10 + 3 x 5 s even when nothing is asked.
KEEP_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


class LineLost(Exception):
    """The line is gone, or never came; what it says is for a person."""


class Line(Protocol):
    """Bytes both ways, with one owner."""

    @property
    def last_byte_at(self) -> float:
        """When a byte last came in, on the clock's elapsed time."""
        ...

    def send(self, frame: bytes) -> None:
        """Hand all of it over at once, or LineLost."""
        ...

    async def receive(self, at_least: int = 1, until: float = inf) -> bytes:
        """What has come in, as soon as it is so many bytes; LineLost when they never will.

        TimeoutError where they have not come before the loop's time is `until`.
        """
        ...

    def drain(self) -> int:
        """Forget what came in unread; how many bytes that was."""
        ...

    async def rest(self, seconds: float) -> None:
        """Sleep as exactly as this line's silences need."""
        ...

    def close(self) -> None: ...


LineOpener = Callable[[Place, Clock], Awaitable[Line]]


async def open_line(place: Place, clock: Clock) -> Line:
    """Open the real thing, or LineLost."""
    if isinstance(place, SerialPlace):
        return TtyLine(_open_tty(place), clock)
    try:
        async with asyncio.timeout(CONNECT_S):
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: TcpLine(place.key, clock), place.host, place.port
            )
    except TimeoutError:
        raise LineLost(f"{place.key} does not answer within {CONNECT_S:.0f} s") from None
    except OSError as error:
        raise LineLost(f"{place.key} cannot be reached: {error.strerror or error}") from None
    return line


def _open_tty(place: SerialPlace) -> serial.Serial:
    try:
        tty = serial.Serial(
            port=place.path, baudrate=place.baud, parity=place.parity, timeout=0, exclusive=True
        )
        # Where some of it could be set, no error comes.
        fits = _has_parity(tty) == (place.parity != "N")
    except termios.error:
        raise _unfit(place) from None
    except (serial.SerialException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EWOULDBLOCK:
            why = "taken: another program has it open (a running site?); end that one first"
            raise LineLost(f"{place.path} is {why}") from None
        raise LineLost(f"{place.path} cannot be opened: {error}") from None
    if not fits:
        tty.close()
        raise _unfit(place)
    with suppress(OSError, ValueError, NotImplementedError):
        tty.set_low_latency_mode(True)
    return tty


def _has_parity(tty: serial.Serial) -> bool:
    return bool(termios.tcgetattr(tty.fileno())[2] & termios.PARENB)


def _unfit(place: SerialPlace) -> LineLost:
    asked = f"baud={place.baud}&parity={place.parity}"
    return LineLost(
        f"{place.path} cannot be set to {asked}: its adapter has no such speed or parity"
    )


class Inbox:
    """What came in and nobody has read; bounded, with one reader."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held = bytearray()
        self._lost: str | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._wanted = 1  # waking a task for each byte would cost more than the bytes
        self.last_byte_at = clock.monotonic()

    def put(self, chunk: bytes) -> None:
        self.last_byte_at = self._clock.monotonic()
        self._held += chunk
        del self._held[:-HELD_BYTES_MAX]
        if len(self._held) >= self._wanted:
            self._wake()

    def fail(self, why: str) -> None:
        """Nothing more will come; the first reason stays."""
        self._lost = self._lost or why
        self._wake()

    def check(self) -> None:
        if self._lost:
            raise LineLost(self._lost)

    async def receive(self, at_least: int = 1, until: float = inf) -> bytes:
        if len(self._held) < at_least:
            await self._fill(at_least, until)
        chunk = bytes(self._held)
        self._held.clear()
        return chunk

    async def _fill(self, wanted: int, until: float) -> None:
        self.check()
        loop = asyncio.get_running_loop()
        self._wanted = wanted
        self._waiter = loop.create_future()
        timer = None if until == inf else loop.call_at(until, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        if len(self._held) < wanted:
            self.check()
            raise TimeoutError

    def drain(self) -> int:
        dropped = len(self._held)
        self._held.clear()
        return dropped

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class TtyLine:
    """A tty that nobody else has open."""

    def __init__(self, tty: serial.Serial, clock: Clock) -> None:
        self._tty = tty
        self._fd: int | None = tty.fileno()
        self._inbox = Inbox(clock)
        self._timer = FineTimer()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable, self._fd)

    @property
    def last_byte_at(self) -> float:
        return self._inbox.last_byte_at

    def send(self, frame: bytes) -> None:
        self._inbox.check()
        assert self._fd is not None, "a closed line has failed"
        try:
            written = os.write(self._fd, frame)
        except OSError as error:
            raise LineLost(f"{self._tty.port} does not take bytes: {error.strerror}") from None
        if written != len(frame):
            raise LineLost(f"{self._tty.port} took {written} of {len(frame)} bytes")

    async def receive(self, at_least: int = 1, until: float = inf) -> bytes:
        return await self._inbox.receive(at_least, until)

    def drain(self) -> int:
        return self._inbox.drain()

    async def rest(self, seconds: float) -> None:
        await self._timer.sleep(seconds)

    def close(self) -> None:
        if self._fd is None:
            return
        self._loop.remove_reader(self._fd)
        self._fd = None
        self._timer.close()
        self._tty.close()
        self._inbox.fail(f"{self._tty.port} was closed")

    def _readable(self, fd: int) -> None:
        try:
            chunk = os.read(fd, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            chunk, why = b"", error.strerror
        else:
            why = "nothing at the other end"
        if chunk:
            self._inbox.put(chunk)
        else:
            self._loop.remove_reader(fd)
            self._inbox.fail(f"{self._tty.port} is gone: {why}")


class TcpLine(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._inbox = Inbox(clock)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        connected = transport.get_extra_info("socket")
        for level, name, value in KEEP_ALIVE:
            connected.setsockopt(level, name, value)

    def data_received(self, data: bytes) -> None:
        self._inbox.put(data)

    def connection_lost(self, exc: Exception | None) -> None:
        why = str(exc) if exc else "the other end closed it"
        self._inbox.fail(f"connection to {self._name} is gone: {why}")

    @property
    def last_byte_at(self) -> float:
        return self._inbox.last_byte_at

    def send(self, frame: bytes) -> None:
        self._inbox.check()
        assert self._transport is not None, "sent before the connection was made"
        self._transport.write(frame)

    async def receive(self, at_least: int = 1, until: float = inf) -> bytes:
        return await self._inbox.receive(at_least, until)

    def drain(self) -> int:
        return self._inbox.drain()

    async def rest(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._inbox.fail(f"connection to {self._name} was closed")

"""Where bytes leave the simulator: ptys under their links, and TCP ports."""

import asyncio
import os
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from simulator.clock import FineTimer
from simulator.devices.card_reader import CardReader
from simulator.devices.scanner import BITS_PER_CHARACTER, HELD_S, Scanner
from simulator.line import Line, Pieces
from simulator.lines import Ear, Frames, TcpWire

CHUNK = 4096
CLIENTS_MAX = 4
FIFO = 16  # bytes that a UART hands over together
OUTPUT_SPEED = 5  # in what tcgetattr returns
BAUDS: Final = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}


class Pty:
    """A raw pty; its slave is found under `link`, which is made anew."""

    def __init__(self, link: Path) -> None:
        self.link = link
        # The slave stays open here too: a client that leaves must not end the line.
        self._master, self._slave = os.openpty()
        self._path = os.ttyname(self._slave)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._path)
        fresh.replace(link)

    def listen(self, hear: Callable[[bytes], None]) -> None:
        asyncio.get_running_loop().add_reader(self._master, self._readable, hear)

    def baud(self) -> int | None:
        """The speed that the client has set, if it is one that a serial line has."""
        return BAUDS.get(termios.tcgetattr(self._slave)[OUTPUT_SPEED])

    def send(self, piece: bytes) -> None:
        """Lost when nobody reads, as on a real line."""
        with suppress(BlockingIOError):
            os.write(self._master, piece)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self.link.is_symlink() and self.link.readlink() == Path(self._path):
            self.link.unlink()
        os.close(self._master)
        os.close(self._slave)

    def _readable(self, hear: Callable[[bytes], None]) -> None:
        with suppress(BlockingIOError):
            hear(os.read(self._master, CHUNK))


class PtyLine:
    """An RS-485 line on a pty, at its own pace."""

    def __init__(self, wire: Line, link: Path, timer: FineTimer) -> None:
        self._wire = wire
        self._timer = timer
        self._ear = Ear(wire)
        self._pty = Pty(link)
        self._pty.listen(self._hear)
        wire.outlet = lambda pieces: self._emit(pieces, wire.timeline.now)

    def close(self) -> None:
        self._pty.close()

    def _hear(self, chunk: bytes) -> None:
        self._wire.spoken_at(self._pty.baud() or self._wire.plan.baud)
        self._timer.at(self._ear.hear(chunk, self._timer.now()), self._cut)

    def _cut(self) -> None:
        frames, ended = self._ear.cut(self._timer.now())
        for frame in frames:
            self._emit(self._wire.ask(frame, ended), ended)

    def _emit(self, pieces: Pieces, start: float) -> None:
        for after, piece in pieces:
            self._ear.quiet_from = max(self._ear.quiet_from, start + after)
            self._timer.at(start + after, partial(self._pty.send, piece))


class Held(Protocol):
    """Something before which a code may be held."""

    def hold(self, text: str, held_s: float = HELD_S, second: str = "") -> None: ...


class ScannerPty:
    """A serial scanner: one presentation replaces what was held before."""

    def __init__(self, scanner: Scanner, link: Path, timer: FineTimer) -> None:
        self._scanner = scanner
        self._timer = timer
        self._presentation = 0
        self._pty = Pty(link)
        self._pty.listen(self._hear)

    def hold(self, text: str, held_s: float = HELD_S, second: str = "") -> None:
        self._presentation += 1
        now = self._timer.now()
        for after, piece in self._scanner.hold(text, held_s, second):
            self._timer.at(now + after, partial(self._send, self._presentation, piece))

    def close(self) -> None:
        self._pty.close()

    def _hear(self, chunk: bytes) -> None:
        if answer := self._scanner.hear(chunk):
            self._pty.send(answer)

    def _send(self, presentation: int, piece: bytes) -> None:
        if presentation == self._presentation:
            self._pty.send(piece)


class CardReaderPty:
    """An ID-card reader on its serial port."""

    def __init__(self, reader: CardReader, link: Path, timer: FineTimer) -> None:
        self._reader = reader
        self._timer = timer
        self._pty = Pty(link)
        self._pty.listen(self._hear)

    def close(self) -> None:
        self._pty.close()

    def _hear(self, chunk: bytes) -> None:
        now = self._timer.now()
        baud = self._reader.baud
        for after, answer in self._reader.hear(chunk):
            for start in range(0, len(answer), FIFO):
                piece = answer[start : start + FIFO]
                readable = now + after + (start + len(piece)) * BITS_PER_CHARACTER / baud
                self._timer.at(readable, partial(self._pty.send, piece))


class TcpEnd:
    """A TCP port whose clients are cut off when it closes."""

    def __init__(self, timer: FineTimer) -> None:
        self._timer = timer
        self._clients: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client more than there is room for is hung up on."""
        self._clients.add(writer)
        try:
            if len(self._clients) <= CLIENTS_MAX:
                await self.talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    def close(self) -> None:
        for writer in self._clients:
            writer.transport.abort()

    def to_all(self, pieces: Pieces, start: float) -> None:
        """What comes from the line by itself goes to everybody who is connected."""
        for writer in self._clients:
            self.send_later(writer, pieces, start)

    def send_later(self, writer: asyncio.StreamWriter, pieces: Pieces, start: float) -> None:
        for after, piece in pieces:
            self._timer.at(start + after, partial(_write, writer, piece))


class TcpLine(TcpEnd):
    """RTU frames inside TCP, as a serial device server hands them on."""

    def __init__(self, wire: Line, timer: FineTimer) -> None:
        super().__init__(timer)
        self._wire = wire
        wire.outlet = lambda pieces: self.to_all(pieces, wire.timeline.now)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ear = Ear(self._wire)
        while chunk := await reader.read(CHUNK):
            ended = ear.hear(chunk, self._timer.now()) - self._wire.silence_s
            for frame in ear.by_length():
                self.send_later(writer, self._wire.ask(frame, ended), ended)


class MachinePort(TcpEnd):
    """A Modbus TCP device."""

    def __init__(self, wire: TcpWire, timer: FineTimer) -> None:
        super().__init__(timer)
        self._wire = wire

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        while chunk := await reader.read(CHUNK):
            if (whole := frames.feed(chunk)) is None:
                return  # no Modbus: hang up
            for frame in whole:
                now = self._timer.now()
                self.send_later(writer, self._wire.ask(frame, now), now)


def _write(writer: asyncio.StreamWriter, piece: bytes) -> None:
    if not writer.is_closing():
        writer.write(piece)

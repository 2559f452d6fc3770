"""Where bytes leave the simulator: ptys under their links, and TCP ports."""

import asyncio
import fcntl
import os
import sys
import tty
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from simulator.clock import FineTimer
from simulator.devices.card_reader import CardReader
from simulator.devices.scanner import BITS_PER_CHARACTER, HELD_S, Scanner
from simulator.faults import Faults
from simulator.line import Line, Pieces
from simulator.lines import Ear, Frames, Stream, TcpWire

CHUNK = 4096
CLIENTS_MAX = 4
STALE_S = 0.5  # after a reconnect old bytes may come
FIFO = 16  # bytes that a UART hands over together
# Linux' termios2: tcgetattr does not tell speeds that have no constant, as 128,000.
TCGETS2: Final = 0x802C542A
TERMIOS2_BYTES, OUTPUT_SPEED_AT = 44, 40


class Pty:
    """A raw pty; its slave is found under `link`, which is made anew."""

    def __init__(self, link: Path, timer: FineTimer, hear: Callable[[bytes], None]) -> None:
        self.link = link
        self._timer = timer
        self._hear = hear
        self._open = False
        self._plug()

    def baud(self) -> int:
        """The speed that the client has set; 0 hangs up."""
        told = fcntl.ioctl(self._slave, TCGETS2, bytes(TERMIOS2_BYTES))
        return int.from_bytes(told[OUTPUT_SPEED_AT:], sys.byteorder)

    def send(self, piece: bytes) -> None:
        """Lost when nobody reads, as on a real line."""
        if self._open:
            with suppress(BlockingIOError):
                os.write(self._master, piece)

    def unplug(self, seconds: float) -> None:
        """The adapter is pulled; plugged again it is another device under the same link."""
        self.close()
        self._timer.at(self._timer.now() + seconds, self._plug)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        asyncio.get_running_loop().remove_reader(self._master)
        if self.link.is_symlink() and self.link.readlink() == Path(self._path):
            self.link.unlink()
        os.close(self._master)
        os.close(self._slave)

    def _plug(self) -> None:
        # The slave stays open here too: a client that leaves must not end the line.
        self._master, self._slave = os.openpty()
        self._path = os.ttyname(self._slave)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._path)
        fresh.replace(self.link)
        self._open = True
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            self._hear(os.read(self._master, CHUNK))


class PtyLine:
    """An RS-485 line on a pty, at its own pace."""

    def __init__(self, wire: Line, link: Path, timer: FineTimer) -> None:
        self._wire = wire
        self._timer = timer
        self._ear = Ear(wire)
        self._pty = Pty(link, timer, self._hear)
        wire.outlet = lambda pieces: self._emit(pieces, wire.timeline.now)
        wire.unplug = self._pty.unplug

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
        self._pty = Pty(link, timer, self._hear)
        scanner.outlet = self._say
        scanner.pull_plug = self._pty.unplug

    def hold(self, text: str, held_s: float = HELD_S, second: str = "") -> None:
        self._presentation += 1
        self._say(self._scanner.hold(text, held_s, second))

    def close(self) -> None:
        self._pty.close()

    def _hear(self, chunk: bytes) -> None:
        self._scanner.timeline.advance(self._timer.now())
        if answer := self._scanner.hear(chunk):
            self._pty.send(answer)

    def _say(self, pieces: Pieces) -> None:
        now = self._timer.now()
        for after, piece in pieces:
            self._timer.at(now + after, partial(self._send, self._presentation, piece))

    def _send(self, presentation: int, piece: bytes) -> None:
        if presentation == self._presentation:
            self._pty.send(piece)


class CardReaderPty:
    """An ID-card reader on its serial port."""

    def __init__(self, reader: CardReader, link: Path, timer: FineTimer) -> None:
        self._reader = reader
        self._timer = timer
        self._pty = Pty(link, timer, self._hear)
        reader.pull_plug = self._pty.unplug

    def close(self) -> None:
        self._pty.close()

    def _hear(self, chunk: bytes) -> None:
        now = self._timer.now()
        self._reader.timeline.advance(now)
        baud = self._reader.baud
        for after, answer in self._reader.hear(chunk):
            for start in range(0, len(answer), FIFO):
                piece = answer[start : start + FIFO]
                readable = now + after + (start + len(piece)) * BITS_PER_CHARACTER / baud
                self._timer.at(readable, partial(self._pty.send, piece))


class TcpEnd:
    """A TCP port whose clients are cut off when it closes."""

    def __init__(self, timer: FineTimer, faults: Faults) -> None:
        self._timer = timer
        self._faults = faults
        self._clients: set[asyncio.StreamWriter] = set()
        self._hung: set[asyncio.StreamWriter] = set()  # the other side lost power meanwhile
        self._last = b""  # what was said last, to whomever
        faults.told.append(self._hang)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client more than there is room for is hung up on."""
        if self._clients and self._faults.strikes("one_client"):
            if self._faults.dice.random() < 1 / 2:
                writer.transport.abort()
                return
            self.close()
        self._clients.add(writer)
        self._hang()
        try:
            if len(self._clients) <= CLIENTS_MAX:
                self._say_old(writer)
                while chunk := await reader.read(CHUNK):
                    if writer in self._hung:
                        self._faults.count("tcp_half_open")
                    elif not self.hear(chunk, writer):
                        break
        except ConnectionError:
            pass
        finally:
            self._clients.discard(writer)
            self._hung.discard(writer)
            self.forget(writer)
            writer.close()

    def hear(self, chunk: bytes, writer: asyncio.StreamWriter) -> bool:
        """What a client sent; False hangs up."""
        raise NotImplementedError

    def forget(self, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    def close(self) -> None:
        for writer in self._clients:
            writer.transport.abort()

    def to_all(self, pieces: Pieces, start: float) -> None:
        """What comes from the line by itself goes to everybody who is connected."""
        for writer in self._clients:
            self.send_later(writer, pieces, start)

    def send_later(self, writer: asyncio.StreamWriter, pieces: Pieces, start: float) -> None:
        self._last = b"".join(piece for _, piece in pieces) or self._last
        for after, piece in pieces:
            self._timer.at(start + after, partial(self._write, writer, piece))

    def _hang(self) -> None:
        """Connections of a device server without power hang, and go on hanging after it."""
        if self._faults.trouble.tcp_half_open:
            self._hung |= self._clients

    def _say_old(self, writer: asyncio.StreamWriter) -> None:
        if self._last and self._faults.strikes("tcp_stale"):
            after = self._faults.dice.uniform(0.0, STALE_S)
            self._timer.at(self._timer.now() + after, partial(self._write, writer, self._last))

    def _write(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        if not writer.is_closing() and writer not in self._hung:
            writer.write(piece)


class TcpLine(TcpEnd):
    """A line's bytes inside TCP, as a serial device server hands them on."""

    def __init__(self, wire: Line, timer: FineTimer) -> None:
        super().__init__(timer, wire.faults)
        self._wire = wire
        self._ears: dict[asyncio.StreamWriter, Ear] = {}
        wire.outlet = lambda pieces: self.to_all(pieces, wire.timeline.now)

    def hear(self, chunk: bytes, writer: asyncio.StreamWriter) -> bool:
        ear = self._ears.setdefault(writer, Ear(self._wire))
        ended = ear.hear(chunk, self._timer.now()) - self._wire.silence_s
        for frame in ear.by_length():
            self.send_later(writer, self._wire.ask(frame, ended), ended)
        return True

    def forget(self, writer: asyncio.StreamWriter) -> None:
        self._ears.pop(writer, None)


class MachinePort(TcpEnd):
    """A Modbus TCP device, or a gateway."""

    def __init__(self, wire: TcpWire, timer: FineTimer) -> None:
        super().__init__(timer, wire.faults)
        self._wire = wire
        self._streams: dict[asyncio.StreamWriter, tuple[Frames, Stream]] = {}

    def hear(self, chunk: bytes, writer: asyncio.StreamWriter) -> bool:
        """What is no Modbus is hung up on."""
        frames, stream = self._streams.setdefault(writer, (Frames(), Stream()))
        whole = frames.feed(chunk)
        for frame in whole or []:
            now = self._timer.now()
            self.send_later(writer, stream.placed(self._wire.ask(frame, now), now), now)
        return whole is not None

    def forget(self, writer: asyncio.StreamWriter) -> None:
        self._streams.pop(writer, None)

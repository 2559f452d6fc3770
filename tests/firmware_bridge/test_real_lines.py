"""A tty through pyserial and TCP through the loop, each with a far end of the test's own."""

import asyncio
import os
import pty
import select
import threading
import time
import tty
from contextlib import aclosing, asynccontextmanager

import pytest

from controller.clock import SystemClock
from controller.faults import LineDown, NoReply
from firmware_bridge import modbus
from firmware_bridge.fine_timer import FineTimer
from firmware_bridge.open import Bridge, silence_s
from firmware_bridge.turns import Urgency
from tests.firmware_bridge.cabinet_by_the_book import Cabinet, crc

PROFILE = "unit=1&profile=waveshare-relay-32"
BAUD = 19200


class StrictBoard(threading.Thread):
    """Behind a pty; like a real board it hears nothing before 3.5 characters of silence."""

    def __init__(self, cabinet):
        super().__init__(daemon=True)
        self.master, self.slave = pty.openpty()
        self.stop_read, self.stop_write = os.pipe()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.cabinet = cabinet
        self.early = 0
        self.answered = 0
        self.ended_at = 0.0

    def run(self):
        while True:
            ready, _, _ = select.select([self.master, self.stop_read], [], [])
            if self.stop_read in ready:
                break
            frame = os.read(self.master, 256)
            if time.monotonic() - self.ended_at < silence_s(BAUD):
                self.early += 1
                continue
            while len(frame) < 8:
                frame += os.read(self.master, 8)
            if (answer := self.cabinet.answer(frame)) is not None:
                self._say(answer)
        for fd in (self.master, self.slave, self.stop_read):
            os.close(fd)

    def _say(self, answer):
        """In pieces, as adapters do."""
        self.answered += 1
        for n in range(len(answer)):
            self.ended_at = time.monotonic()
            os.write(self.master, answer[n : n + 1])

    def unplug(self):
        if self.is_alive():
            os.close(self.stop_write)
            self.join()


@pytest.fixture
def strict():
    board = StrictBoard(Cabinet())
    board.start()
    yield board
    board.unplug()


def tty_url(board):
    return f"modbus+rtu://{board.path}?baud={BAUD}&{PROFILE}"


async def test_a_tty_is_driven_and_the_silence_is_kept(strict):
    async with Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(tty_url(strict), "A")
        strict.cabinet.open_doors = {1}
        sight = await board.look()
        assert [n for n, door in enumerate(sight.doors, start=1) if door == "open"] == [1]
        await board.release(8)
        async with aclosing(board.watch()) as sights:
            await anext(sights)
            await anext(sights)
        assert strict.cabinet.pulses == [8]
        assert strict.early == 0
        (bus,) = bridge.lines.values()
        assert bus.counters.replies == strict.answered > 20
        assert bus.counters.timeouts == 0
        assert bus.counters.pause_shortest_s >= silence_s(BAUD)


async def test_a_tty_has_one_owner(strict):
    async with Bridge(SystemClock()) as ours, Bridge(SystemClock()) as theirs:
        await ours.lock_board(tty_url(strict), "A").look()
        with pytest.raises(LineDown, match=r"B: .* is taken: another program"):
            await theirs.lock_board(tty_url(strict), "B").look()


async def test_a_tty_that_vanishes_is_a_line_down_and_is_opened_again_by_its_path(tmp_path):
    path = tmp_path / "L1"
    first, second = StrictBoard(Cabinet()), StrictBoard(Cabinet())
    path.symlink_to(first.path)
    async with Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(f"modbus+rtu://{path}?baud={BAUD}&{PROFILE}", "A")
        first.start()
        async with aclosing(board.watch()) as sights:
            await anext(sights)
            first.unplug()
            with pytest.raises(LineDown):
                async for _ in sights:
                    pass
        path.unlink()
        with pytest.raises(LineDown, match="cannot be opened"):
            await board.look()
        path.symlink_to(second.path)
        second.start()
        await board.look()
        assert second.cabinet.switched_off == 1
    second.unplug()


async def test_the_fine_timer_is_never_early_and_leaves_nothing_open():
    timer = FineTimer()
    for asked_s in (0.0, 0.0002, 0.002, 0.0103):
        began = time.monotonic()
        await timer.sleep(asked_s)
        assert time.monotonic() - began >= asked_s
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await timer.sleep(60)
    await timer.sleep(0.001)
    timer.close()


@asynccontextmanager
async def tcp_server(serve):
    """A server on a free port; what it still serves at the end is cut off."""
    writers = []

    async def kept(reader, writer):
        writers.append(writer)
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(kept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)
        await server.wait_closed()


def modbus_tcp(cabinet, before=lambda _number: b""):
    async def serve(reader, writer):
        while True:
            head = await reader.readexactly(6)
            asked = await reader.readexactly(int.from_bytes(head[4:6], "big"))
            answer = cabinet.answer(crc(asked))
            if answer is None:
                continue
            body = answer[:-2]
            whole = before(head[:2]) + head[:4] + len(body).to_bytes(2, "big") + body
            for n in range(len(whole)):
                writer.write(whole[n : n + 1])
            await writer.drain()

    return serve


async def test_a_board_on_modbus_tcp():
    cabinet = Cabinet(open_doors={32})
    async with tcp_server(modbus_tcp(cabinet)) as port, Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(f"modbus+tcp://127.0.0.1:{port}?{PROFILE}", "A")
        assert (await board.look()).doors[-1] == "open"
        await board.release(2)
        assert cabinet.pulses == [2]
        bridge.close()
        await asyncio.sleep(0.01)


async def test_an_answer_with_an_old_number_is_dropped_and_the_wait_goes_on():
    def stale(number):
        old = (int.from_bytes(number, "big") - 1) & 0xFFFF
        return old.to_bytes(2, "big") + bytes.fromhex("00 00 00 07 02 02 04 00 00 00 00")

    cabinet = Cabinet()
    async with tcp_server(modbus_tcp(cabinet, stale)) as port, Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(f"modbus+tcp://127.0.0.1:{port}?{PROFILE}", "A")
        assert set((await board.look()).doors) == {"closed"}
        (bus,) = bridge.lines.values()
        assert bus.counters.refused["other_number"] == 3
        bridge.close()
        await asyncio.sleep(0.01)


async def test_a_stream_out_of_step_ends_its_connection_and_a_new_one_is_opened():
    spoil = [b"\x00\x01\x00\x07\x00\x03\x01\x02\x00"]
    cabinet = Cabinet()
    serve = modbus_tcp(cabinet, lambda _: spoil.pop() if spoil else b"")
    async with tcp_server(serve) as port, Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(f"modbus+tcp://127.0.0.1:{port}?{PROFILE}", "A")
        with pytest.raises(LineDown, match="no Modbus TCP header"):
            await board.look()
        await board.look()
        (bus,) = bridge.lines.values()
        assert bus.connection == 2
        bridge.close()
        await asyncio.sleep(0.01)


async def test_a_tcp_connection_that_only_stays_silent_is_given_up():
    cabinet = Cabinet(silent={1, 2, 3})
    async with tcp_server(modbus_tcp(cabinet)) as port, Bridge(SystemClock()) as bridge:
        url = f"modbus+tcp://127.0.0.1:{port}?{PROFILE}&timeout_ms=30"
        board = bridge.lock_board(url, "A")
        with pytest.raises((NoReply, LineDown)):
            await board.look()
        (bus,) = bridge.lines.values()
        assert bus.connection == 0
        await asyncio.sleep(0.01)


async def test_a_port_where_nobody_listens_is_a_line_down():
    async with tcp_server(modbus_tcp(Cabinet())) as port:
        pass
    async with Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(f"modbus+tcp://127.0.0.1:{port}?{PROFILE}", "A")
        with pytest.raises(LineDown, match="cannot be reached"):
            await board.look()


async def test_what_a_device_server_still_held_from_before_is_dropped():
    cabinet = Cabinet()

    async def serve(reader, writer):
        writer.write(crc(bytes([1, 5, 0, 0xFF, 0, 0])) + crc(bytes([2, 2, 4, 0, 0, 0, 0])))
        while True:
            answer = cabinet.answer(await reader.readexactly(8))
            if answer is not None:
                writer.write(answer)

    async with tcp_server(serve) as port, Bridge(SystemClock()) as bridge:
        board = bridge.lock_board(f"modbus+rtutcp://127.0.0.1:{port}?{PROFILE}", "A")
        assert set((await board.look()).doors) == {"closed"}
        (bus,) = bridge.lines.values()
        assert bus.counters.refused == {}
        assert cabinet.switched_off == 1
        reply = await bus.ask("A", modbus.read(1, 3, 0x8000, 1), urgency=Urgency.POLL)
        assert modbus.words_of(reply.body) == (0x00C8,)
        bridge.close()
        await asyncio.sleep(0.01)


async def test_a_parity_that_a_tty_refuses_is_one_clear_line(strict):
    """At first, when some of it can be set, and later, when nothing can."""
    url = f"modbus+rtu://{strict.path}?baud=19200&parity=E&{PROFILE}"
    for _ in range(2):
        async with Bridge(SystemClock()) as bridge:
            with pytest.raises(
                LineDown, match=r"cannot be set to baud=19200&parity=E: its adapter"
            ):
                await bridge.lock_board(url, "A").look()

"""The simulator as a process: ptys under their links, ports, pace, and a clean end."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import serial

from simulator.devices.scanner import Scanner
from simulator.line import silence_s
from simulator.run import PortTaken, serve
from tests.simulator.served import free_port, running

READ = bytes.fromhex("02 02 00 00 00 20 79 E1")
ALL_SHUT = bytes.fromhex("02 02 04 FF FF FF FF C9 76")
BLOCK = bytes.fromhex("01 02 00 00 00 06 01 04 00 00 00 18")
EXCHANGES = 25


def exchanges(link: Path, count: int) -> list[float]:
    """How long each exchange took, asked by a master that keeps the silence."""
    took = []
    with serial.Serial(str(link), 19_200, timeout=2.0, exclusive=True) as line:
        for _ in range(count):
            time.sleep(0.01)
            began = time.monotonic()
            line.write(READ)
            assert line.read(len(ALL_SHUT)) == ALL_SHUT
            took.append(time.monotonic() - began)
    return took


async def test_a_pty_is_as_fast_as_its_line_and_never_faster(quick, tmp_path):
    link = quick.lines[0].link
    async with running(quick, tmp_path):
        took = await asyncio.to_thread(exchanges, link, EXCHANGES)
    least = (len(READ) + len(ALL_SHUT)) * 10 / 19_200 + silence_s(19_200)
    assert 1.0 <= min(took) / least < 1.25


async def test_a_line_outlives_its_clients_and_its_links_end_with_it(quick, tmp_path):
    link = quick.lines[0].link
    async with running(quick, tmp_path):
        assert link.is_symlink()
        for _ in range(3):
            await asyncio.to_thread(exchanges, link, 1)
    assert not link.is_symlink()
    assert not quick.scanners[0].link.is_symlink()
    kept = json.loads((tmp_path / "world.json").read_text(encoding="utf-8"))
    assert "A/32" in kept["world 1"]["doors"]


async def test_a_master_that_talks_too_soon_is_not_heard(quick, tmp_path):
    def without_a_pause(link):
        """A busy machine may keep the silence by chance, so not the first try alone counts."""
        with serial.Serial(str(link), 19_200, timeout=0.3) as line:
            for _ in range(20):
                time.sleep(0.01)
                line.write(READ)
                assert line.read(len(ALL_SHUT)) == ALL_SHUT
                line.write(READ)
                if not line.read(len(ALL_SHUT)):
                    return True
        return False

    async with running(quick, tmp_path) as http:
        assert await asyncio.to_thread(without_a_pause, quick.lines[0].link)
        counted = (await http.get("/api/sim")).json()["lines"]["L1"]
    assert counted["too_soon"] == 1
    assert counted["requests"] == counted["replies"] + 1


async def test_a_held_code_is_read_again_and_again_until_another_one_is_held(quick, tmp_path):
    def read(link, http_port):
        with serial.Serial(str(link), 9600, timeout=3.0) as line:
            base = f"http://127.0.0.1:{http_port}/api/sim/scanner/S1/scan"
            httpx.post(base, json={"text": "OW1:FT-0001:ABC"})
            one = line.read_until(b"\r"), line.read_until(b"\r")
            httpx.post(base, json={"text": "我🙂", "held_s": 10.0})
            other = line.read_until(b"\r")
            httpx.post(base, json={"text": ""})
            line.timeout = 0.7
            return one, other, line.read_until(b"\r")

    async with running(quick, tmp_path) as http:
        one, other, nothing = await asyncio.to_thread(
            read, quick.scanners[0].link, http.base_url.port
        )
    assert one == (b"OW1:FT-0001:ABC\r", b"OW1:FT-0001:ABC\r")
    assert other == "我🙂\r".encode()
    assert nothing == b""


async def test_the_machine_serves_its_clients_over_tcp(quick, tmp_path):
    port = quick.machines[0].port
    async with running(quick, tmp_path):
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(BLOCK[:5])
            await writer.drain()
            writer.write(BLOCK[5:] + BLOCK)
            for _ in range(2):
                answer = await reader.readexactly(9 + 48)
                assert answer[:9] == bytes.fromhex("01 02 00 00 00 33 01 04 30")
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


async def test_rtu_frames_inside_tcp_are_answered_at_the_lines_pace(plan, tmp_path):
    port = free_port()
    line = replace(plan.lines[0], link=None, tcp=("127.0.0.1", port))
    async with running(replace(plan, lines=(line,)), tmp_path):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.monotonic()
        writer.write(READ[:3])
        await writer.drain()
        writer.write(READ[3:])
        assert await reader.readexactly(9) == ALL_SHUT
        assert time.monotonic() - began >= 17 * 10 / 19_200
        writer.close()
        await writer.wait_closed()


async def test_a_taken_port_is_an_error_and_leaves_nothing(quick, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"127.0.0.1, port {port}: .*in use"):
            await serve(quick, host="127.0.0.1", port=port, folder=tmp_path)
    assert not quick.lines[0].link.is_symlink()


def test_sigterm_ends_it_cleanly_even_while_a_page_watches(tmp_path):
    port = free_port()
    program = f"""
        import asyncio
        from pathlib import Path
        from simulator.plan import Plan, ScannerPlan
        from simulator.run import serve
        folder = Path({str(tmp_path)!r})
        plan = Plan(scanners=(ScannerPlan("S1", folder / "S1"),))
        asyncio.run(serve(plan, host="127.0.0.1", port={port}, folder=folder))
    """
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as process:
        until = time.monotonic() + 20
        while not reachable(port):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        with httpx.stream("GET", f"http://127.0.0.1:{port}/api/sim/events") as watching:
            next(watching.iter_lines())
            assert (tmp_path / "S1").is_symlink()
            process.terminate()
            out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert not (tmp_path / "S1").is_symlink()


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_scanner_sends_at_its_speed_and_waits_for_the_end_of_a_long_code():
    scanner = Scanner("S1", 9600)
    long = scanner.hold("x" * 959)
    assert [after for after, _ in long][-1] == pytest.approx(960 * 10 / 9600)
    short = scanner.hold("OWL:1", held_s=2.0)
    assert b"".join(piece for _, piece in short) == b"OWL:1\r" * 4
    assert scanner.hold("") == []

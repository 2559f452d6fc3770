"""One simulator process with 64 boards and 2,048 doors, and whether it keeps its lines' pace.

Eight lines at 19,200 baud with eight boards each are polled as fast as a line allows, locks are
released, and simulated people pull and close the doors. The master here is one loop over eight
descriptors. An answer may come neither before the characters had their time nor long after.
"""

import asyncio
import os
import resource
import select
import socket
import statistics
import tempfile
import termios
import time
import tty
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from script.benchmarks.far_end import CHAR_S, POLL_S, SILENCE_S, go_first, sealed
from script.benchmarks.rows import Progress, Row
from simulator.plan import BoardPlan, CabinetPlan, CompartmentPlan, LinePlan, Plan
from simulator.run import serve

LINES: Final = 8
BOARDS: Final = 8  # on each line; three units each
DOORS: Final = 32
BAUD: Final = 19_200
REQUEST, ANSWER = 8, 9
WINDOWS: Final = 7  # their median counts: what else the machine does is not the lines' doing
WINDOW_S: Final = 2.0
WARM_UP_S: Final = 2.0
RELEASE_EVERY_S: Final = 0.25
LOST_AFTER_S: Final = 0.5
STARTS_WITHIN_S: Final = 60.0
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#"


def fleet(folder: Path) -> Plan:
    """Every board with a cabinet of its own."""
    lines = tuple(
        LinePlan(f"L{n}", BAUD, folder / f"L{n}", turnaround_s=(0.0, 0.0)) for n in range(LINES)
    )
    compartments = tuple(CompartmentPlan(no) for no in range(1, DOORS + 1))
    cabinets = tuple(
        CabinetPlan(
            LETTERS[n],
            (BoardPlan(f"L{n // BOARDS}", 1 + 3 * (n % BOARDS), doors=DOORS),),
            compartments,
        )
        for n in range(LINES * BOARDS)
    )
    return Plan(lines=lines, cabinets=cabinets)


def simulator(folder: Path, port: int) -> None:
    go_first()
    asyncio.run(serve(fleet(folder), host="127.0.0.1", port=port, folder=folder, relatch_s=3.0))


@dataclass
class Master:
    """Polls the door inputs of one line's boards in turn, and now and then releases a lock."""

    fd: int
    late_s: list[float] = field(default_factory=list)
    lost: int = 0
    asked_at: float = 0.0
    needs_s: float = 0.0
    next_at: float = 0.0
    waiting: int = 0  # bytes of the answer that are still to come
    turn: int = 0
    released: int = 0
    release_at: float = 0.0

    def act(self, now: float) -> None:
        """Ask, when the line has been quiet for long enough."""
        if self.waiting and now - self.asked_at > LOST_AFTER_S:
            self.lost += 1
            self.waiting = 0
        if self.waiting or now < self.next_at:
            return
        unit = 1 + 3 * self.turn
        if now >= self.release_at:
            self.release_at = now + RELEASE_EVERY_S * LINES
            self.released = (self.released + 7) % DOORS
            frame = bytes([unit, 5, 2, self.released, 0, 5])
            self.waiting = REQUEST
        else:
            self.turn = (self.turn + 1) % BOARDS
            frame = bytes([unit + 1, 2, 0, 0, 0, DOORS])
            self.waiting = ANSWER
        self.needs_s = (REQUEST + self.waiting) * CHAR_S + SILENCE_S
        self.asked_at = time.monotonic()
        os.write(self.fd, sealed(frame))

    def hear(self, now: float) -> None:
        chunk = os.read(self.fd, 256)
        if not self.waiting:
            return
        self.waiting -= len(chunk)
        if self.waiting <= 0:
            self.waiting = 0
            self.next_at = now + SILENCE_S
            self.late_s.append(now - self.asked_at - self.needs_s)

    def due_s(self, now: float) -> float:
        return LOST_AFTER_S if self.waiting else max(0.0, self.next_at - now)


def poll(masters: list[Master], seconds: float) -> float:
    """Every line as fast as it goes; how long it really was."""
    by_fd = {master.fd: master for master in masters}
    began = now = time.monotonic()
    while now - began < seconds:
        for master in masters:
            master.act(now)
        ready, _, _ = select.select(list(by_fd), [], [], min(m.due_s(now) for m in masters))
        now = time.monotonic()
        for fd in ready:
            by_fd[fd].hear(now)
    return now - began


def post(port: int, path: str, body: bytes) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/sim/{path}", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10.0) as answer:  # noqa: S310 - our own
        answer.read()


def started(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            post(port, "people", b'{"auto": true}')
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < until, "the simulator does not answer"
            time.sleep(0.1)
        else:
            return


def page(port: int) -> None:
    """Watches as a browser does."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/sim/events") as events:
        while events.read(65_536):
            pass


def measured(folder: Path, *, watched: bool) -> tuple[list[list[float]], float, dict[str, Any]]:
    """How late answers were in each window, how long all took, and what it cost."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = get_context("fork").Process(target=simulator, args=(folder, port), daemon=True)
    process.start()
    started(port)
    browser = get_context("fork").Process(target=page, args=(port,), daemon=True)
    if watched:
        browser.start()
    masters = []
    for n in range(LINES):
        fd = os.open(folder / f"L{n}", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(fd)
        modes = termios.tcgetattr(fd)
        modes[4] = modes[5] = termios.B19200
        termios.tcsetattr(fd, termios.TCSANOW, modes)
        first = time.monotonic() + n * RELEASE_EVERY_S
        masters.append(Master(fd, release_at=first))
    go_first()
    poll(masters, WARM_UP_S)
    windows = []
    took_s = 0.0
    for _ in range(WINDOWS):
        for master in masters:
            master.late_s.clear()
        took_s += poll(masters, WINDOW_S)
        windows.append(sorted(each for master in masters for each in master.late_s))
    process.terminate()
    process.join()
    if watched:
        browser.join()
    for master in masters:
        os.close(master.fd)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    detail = {
        "took_s": round(took_s, 2),
        "cpu_s": round(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
        "lost": sum(master.lost for master in masters),
    }
    return windows, took_s, detail


def run(progress: Progress) -> list[Row]:
    """Rows of the fleet, without a page that watches and with one."""
    rows = []
    for name, watched, late_ms in (("fleet", False, 5), ("fleet.watched", True, 5)):
        progress(f"{LINES * BOARDS} boards, {LINES * BOARDS * DOORS} doors")
        with tempfile.TemporaryDirectory() as folder:
            windows, took_s, detail = measured(Path(folder), watched=watched)
        late = sorted(each for window in windows for each in window)
        limit = LINES * took_s / POLL_S
        p99_ms = [round(window[int(len(window) * 0.99)] * 1e3, 2) for window in windows]
        detail |= {
            "exchanges": len(late),
            "late_p50_ms": round(statistics.median(late) * 1e3, 3),
            "late_p99_ms": p99_ms,
            "late_worst_ms": round(late[-1] * 1e3, 1),
        }
        early = sum(each < 0 for each in late)
        rows += [
            Row(f"{name}.polls", round(len(late) / limit, 4), "of the limit", ">= 0.9", detail),
            Row(f"{name}.late_p99", statistics.median(p99_ms), "ms", f"<= {late_ms}"),
            Row(f"{name}.too_early", early, "answers", "== 0"),
        ]
    return rows

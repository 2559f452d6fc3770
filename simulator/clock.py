"""The only place of the simulator that reads a clock; its timers are finer than the loop's."""

import asyncio
import ctypes
import heapq
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

TFD_TIMER_ABSTIME = 1
CLOCK_MONOTONIC = 1


class Clock(Protocol):
    """Wall time for records, elapsed time for physics."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


class FineTimer:
    """Calls back at an exact moment: epoll counts whole milliseconds, a timerfd does not.

    Characters at 19,200 baud are 0.52 ms apart, so a loop's own timers cannot pace a line.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._loop.add_reader(self._fd, self._ring)

    def now(self) -> float:
        return time.monotonic()

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Call `act` at this monotonic time, or at once when it has passed."""
        heapq.heappush(self._waiting, (when, next(self._order), act))
        if self._waiting[0][2] is act:
            self._arm()

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._waiting.clear()

    def _ring(self) -> None:
        os.read(self._fd, 8)
        try:
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                heapq.heappop(self._waiting)[2]()
        finally:
            self._arm()

    def _arm(self) -> None:
        if not self._waiting:
            return
        nanoseconds = max(1, int(self._waiting[0][0] * 1e9) + 1)
        spec = _TimerSpec(value=_TimeSpec(*divmod(nanoseconds, 1_000_000_000)))
        self._libc.timerfd_settime(self._fd, TFD_TIMER_ABSTIME, ctypes.byref(spec), None)

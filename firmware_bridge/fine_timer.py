"""A timer finer than the event loop's, which counts in whole milliseconds."""

import asyncio
import ctypes
import os
from contextlib import suppress
from typing import Final

CLOCK_MONOTONIC: Final = 1
NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | os.O_CLOEXEC
NANO: Final = 1_000_000_000
# Waking a task takes the loop so long at most on a quiet machine; the rest of it is spun away, 1 %
# of a core on a line that is polled without a pause.
WAKING_S: Final = 0.00013


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


class FineTimer:
    """A Linux timerfd in the loop, one waiter at a time; `os` has it from Python 3.13 on."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(CLOCK_MONOTONIC, NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "no timer from the system")
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._rang)

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, never before and mostly within 0.05 ms."""
        until = self._loop.time() + seconds
        await self._wake_after(round((seconds - WAKING_S) * NANO))
        while self._loop.time() < until:
            pass

    async def _wake_after(self, nanoseconds: int) -> None:
        if nanoseconds <= 0:
            return
        self._waiter = self._loop.create_future()
        self._set(nanoseconds)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _set(self, nanoseconds: int) -> None:
        setting = _Setting(_TimeSpec(0, 0), _TimeSpec(*divmod(nanoseconds, NANO)))
        if self._libc.timerfd_settime(self._fd, 0, ctypes.byref(setting), None):
            raise OSError(ctypes.get_errno(), "the timer cannot be set")

    def _rang(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._fd, 8)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""Keeps one device in work: a session is opened, used and thrown away."""

from collections.abc import Awaitable, Callable

import structlog

from controller.faults import DeviceFault
from controller.ports import Clock

log = structlog.get_logger()

RETRY_FIRST_S = 0.5  # a cable that was only touched is back at once
RETRY_MAX_S = 10.0  # a device that is away for good is asked six times a minute


async def keep(
    name: str,
    session: Callable[[], Awaitable[None]],
    clock: Clock,
    down: Callable[[str, str], None],
) -> None:
    """Run `session` again and again, slower after each fault; a bug parks this device alone.

    `down(name, why)` is told of each end.
    """
    pause = RETRY_FIRST_S
    while True:
        began = clock.monotonic()
        try:
            await session()
        except DeviceFault as fault:
            down(name, fault.what)
            log.warning("device.down", device=name, why=fault.what)
        except Exception:  # the only one: a bug in one driver must not shut the other doors
            down(name, "out of use")
            log.exception("device.out_of_use", device=name)
            return
        if clock.monotonic() - began > RETRY_MAX_S:
            pause = RETRY_FIRST_S
        await clock.sleep(pause)
        pause = min(pause * 2, RETRY_MAX_S)

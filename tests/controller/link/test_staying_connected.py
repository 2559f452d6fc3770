"""A connection that fails is replaced, more and more slowly, and without much talk."""

import asyncio
import signal
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from controller.link.connection import RETRY_MAX_S, Broker, stay_connected
from tests.brokers import free_port
from tests.controller.link.live import address, running, until


class Impatient:
    """A clock on which pauses take no time; the test ends after so many."""

    def __init__(self, pauses):
        self.slept = []
        self._left = pauses

    def monotonic(self):
        return sum(self.slept)

    async def sleep(self, seconds):
        if not seconds:
            await asyncio.sleep(0)
            return
        self.slept.append(seconds)
        self._left -= 1
        if not self._left:
            raise EndOfTest
        await asyncio.sleep(0)


class EndOfTest(Exception):
    pass


async def never(_line):
    raise AssertionError("there is no broker")


async def test_a_broker_that_is_away_is_tried_more_slowly_and_logged_once_a_minute():
    clock = Impatient(60)
    nobody = Broker("127.0.0.1", free_port(), "u", "secret-password", "x")
    with capture_logs() as logs, pytest.raises(EndOfTest):
        await stay_connected(nobody, None, never, clock, Random(1))
    assert clock.slept[0] < 1
    assert min(clock.slept[10:]) >= RETRY_MAX_S * 0.5
    assert max(clock.slept) <= RETRY_MAX_S * 1.5
    assert len(set(clock.slept)) > 50  # a fleet does not come back in step
    assert 0 < len(logs) <= clock.monotonic() / 60 + 1
    assert "refused" in logs[0]["why"]
    assert "secret-password" not in repr(logs) + repr(nobody)


async def test_a_wrong_password_is_one_clear_line(broker):
    wrong = Broker(broker.host, broker.port, "district", "wrong", "x")
    with capture_logs() as logs, pytest.raises(EndOfTest):
        await stay_connected(wrong, None, never, Impatient(3), Random(1))
    assert len(logs) == 1
    assert "authori" in logs[0]["why"].lower()


async def test_a_mistake_in_a_session_goes_up(broker):
    async def mistaken(_line):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stay_connected(address(broker, "district"), None, mistaken, Impatient(1), Random(1))


# Mosquitto grants every subscription and delivers nothing.
@pytest.mark.parametrize("broker", ["nats-server"], indirect=True)
async def test_a_topic_that_the_broker_refuses_is_said(broker):
    async def ask(line):
        await line.subscribe("onewindow/FT-0002/status")

    with capture_logs() as logs, pytest.raises(EndOfTest):
        await stay_connected(address(broker, "FT-0001"), None, ask, Impatient(1), Random(1))
    assert "does not let us hear onewindow/FT-0002/status" in logs[0]["why"]


def sockets_to(broker):
    """This process's open TCP sockets whose other end is the broker."""
    mine = {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    port = f":{broker.port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [line for line in lines if line[2].endswith(port) and f"socket:[{line[9]}]" in mine]


async def test_a_connection_that_ends_leaves_nothing_behind(broker, site, district):
    """No socket, no task, and nothing that still wants to write to a number of a closed socket."""
    trouble = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: trouble.append(context))
    for turns in range(20):
        async with running(site.mqtt(broker), district.mqtt(broker)):
            site.write()
            for _ in range(turns * 2):
                await asyncio.sleep(0)
    await until(lambda: not sockets_to(broker), "every socket closed")
    broker.tell(signal.SIGSTOP)
    async with running(site.mqtt(broker)):
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.05)
    await until(lambda: not sockets_to(broker), "every socket closed")
    assert not trouble

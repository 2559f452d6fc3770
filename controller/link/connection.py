"""One connection to the broker after another. A broker that is away or frozen holds nobody up.

A connection is used and thrown away. It ends by closing the socket, never with a goodbye: so the
will is published whether we stop, are killed or lose the network.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import structlog
from aiomqtt import Client, Message, MqttError, Will

from controller.ports import Clock

log = structlog.get_logger()

ANSWER_S = 5.0  # the longest that we wait for any answer of the broker
RETRY_FIRST_S = 0.5  # a broker that was only restarted is back at once
RETRY_MAX_S = 15.0  # a broker that is away for good is tried four times a minute
LOG_EVERY_S = 60.0
INBOX_MAX = 200  # messages of at most 256 KiB each; what is dropped is sent again
REFUSED = 0x80  # a SUBACK's word for "not allowed"

_quiet = logging.getLogger("controller.link.paho")
_quiet.setLevel(logging.CRITICAL)  # the library writes a line for each message; we count our own


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and how we log in. Two connections never share an `identifier`."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    identifier: str
    keepalive_s: int = 10


class Line(Protocol):
    """An open connection. Each call ends within `ANSWER_S`, or the connection does."""

    async def subscribe(self, *topics: str) -> None: ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...

    def messages(self) -> AsyncIterator[Message]: ...


Dial = Callable[[Broker, Will | None, Clock], AbstractAsyncContextManager[Line]]


class MqttLine:
    """A line over TCP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def subscribe(self, *topics: str) -> None:
        async with _in_time():
            granted = await self._client.subscribe([(topic, 1) for topic in topics])
        if any(code == REFUSED for code in granted):
            raise MqttError(f"the broker does not let us hear {', '.join(topics)}")

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        async with _in_time():
            await self._client.publish(topic, payload, qos=1, retain=retain)

    def messages(self) -> AsyncIterator[Message]:
        return self._client.messages


@asynccontextmanager
async def dial_tcp(broker: Broker, will: Will | None, clock: Clock) -> AsyncIterator[Line]:
    """A connection to a broker somewhere else."""
    client = Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=broker.identifier,
        keepalive=broker.keepalive_s,
        clean_session=True,
        will=will,
        timeout=math.inf,  # its `wait_for` loses a cancellation that meets an answer; see _in_time
        max_queued_incoming_messages=INBOX_MAX,
        logger=_quiet,
    )
    try:
        async with _in_time():
            await client.__aenter__()
        yield MqttLine(client)
    finally:
        await _hang_up(client, clock)


async def _hang_up(client: Client, clock: Clock) -> None:
    """Close the socket without a goodbye.

    Neither library closes the socket of a connection that failed half-way, and neither has a
    public way to close one at once.
    """
    paho = client._client  # noqa: SLF001 - see above
    # A thread may still be connecting: what it opens is closed at once. And a wish to write reaches
    # the loop one turn later, when the socket's number may be another's: no new one is taken.
    paho.on_socket_open = lambda _client, _userdata, sock: sock.close()
    paho.on_socket_register_write = None
    try:
        await clock.sleep(0)
    finally:
        paho._sock_close()  # noqa: SLF001 - see above


async def stay_connected(
    broker: Broker,
    will: Will | None,
    session: Callable[[Line], Awaitable[None]],
    clock: Clock,
    chance: Random,
    dial: Dial = dial_tcp,
) -> None:
    """Run `session` on one connection after another, pausing longer after each that failed.

    `dial` opens a connection, over TCP unless another is handed in. Only the connection's own
    faults are taken; a mistake in `session` goes up.
    """
    pause = RETRY_FIRST_S
    logged_at: float | None = None
    while True:
        began = clock.monotonic()
        why = ""
        try:
            async with dial(broker, will, clock) as line:
                await session(line)
        except* (MqttError, OSError) as faults:
            why = _first(faults)
        now = clock.monotonic()
        if logged_at is None or now - logged_at >= LOG_EVERY_S:
            logged_at = now
            log.warning("mqtt.down", host=broker.host, port=broker.port, why=why)
        if now - began > RETRY_MAX_S:
            pause = RETRY_FIRST_S
        await clock.sleep(pause * (0.5 + chance.random()))
        pause = min(pause * 2, RETRY_MAX_S)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except TimeoutError:
        raise MqttError("the broker does not answer") from None


def _first(faults: BaseExceptionGroup[Exception]) -> str:
    """What the first of nested faults says."""
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return str(fault) or type(fault).__name__

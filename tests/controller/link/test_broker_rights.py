"""Who may write and read what: four log-ins, every topic, on both brokers as we ship them.

A refused publish is acknowledged all the same, so what counts is what somebody else hears.
"""

import re
import socket
from contextlib import asynccontextmanager

import pytest
from aiomqtt import Client, MqttError

from tests.brokers import DISTRICT, VIEWER, RunningBroker, password
from tests.controller.link.live import listening, until

SITE, OTHER = "FT-0001", "FT-0002"
PREFIX = f"onewindow/{SITE}"
BY_THE_SITE = frozenset(
    {
        f"{PREFIX}/status",
        f"{PREFIX}/cabinet/A/7/door",
        f"{PREFIX}/cabinet/A/7/compartment",
        f"{PREFIX}/cabinet/A/health",
        f"{PREFIX}/machine/M1",
        f"{PREFIX}/alarm/4711",
        f"{PREFIX}/journal/up",
        f"{PREFIX}/journal/up/ask",
        f"{PREFIX}/journal/down/ack",
        f"homeassistant/device/onewindow_{SITE}/config",
    }
)
BY_THE_DISTRICT = frozenset({f"{PREFIX}/journal/down", f"{PREFIX}/journal/up/ack"})
BY_NOBODY = frozenset(
    {
        f"{PREFIX}/cabinet",
        f"{PREFIX}/open",
        f"{PREFIX}/journal/up/ack/more",
        f"{PREFIX}/journal/sideways",
        f"homeassistant/device/onewindow_{SITE}/set",
        "homeassistant/device/else/config",
        "elsewhere",
    }
)
TOPICS = BY_THE_SITE | BY_THE_DISTRICT | BY_NOBODY
WRITES = {SITE: BY_THE_SITE, OTHER: frozenset(), DISTRICT: BY_THE_DISTRICT, VIEWER: frozenset()}
READS = {
    SITE: BY_THE_DISTRICT,
    OTHER: frozenset(),
    DISTRICT: {topic for topic in BY_THE_SITE | BY_THE_DISTRICT if topic.startswith("onewindow/")},
    VIEWER: BY_THE_SITE | BY_THE_DISTRICT,
}
ASKED = ("#", "+/#", "onewindow/#", "onewindow/+/status", f"{PREFIX}/#", "+/+/journal/+", *TOPICS)
RESERVED = ("$MQTT/#", "$MQTT/sub/#", "$MQTT/msgs/#", "$MQTT/rmsgs/#", "$JS/#", "$KV/#")
# A district's topic that each may hear: after its last message nothing more can come.
LAST_WORD = {
    SITE: f"onewindow/{SITE}/journal/down",
    OTHER: f"onewindow/{OTHER}/journal/down",
    DISTRICT: f"onewindow/{OTHER}/journal/down",
    VIEWER: f"onewindow/{OTHER}/journal/down",
}


@pytest.fixture(
    scope="module",
    params=["nats-server", pytest.param("mosquitto", marks=pytest.mark.mosquitto)],
)
def shared(request, tmp_path_factory):
    running = RunningBroker(request.param, tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.stop()


def client(broker, username, identifier="", **options):
    return Client(
        broker.host,
        broker.port,
        username=username,
        password=password(username),
        identifier=identifier or f"rights-{username}",
        timeout=10,
        **options,
    )


async def publish_all(broker, username, topics, word, *, retain=False):
    async with client(broker, username) as writer:
        for topic in sorted(topics):
            await writer.publish(topic, f"{word} {username}", qos=1, retain=retain)


@asynccontextmanager
async def subscribed(broker, username, *asked, **options):
    """A client that has asked for every one of these, whatever the broker granted."""
    async with client(broker, username, **{"identifier": "reader", **options}) as reader:
        for topic in asked:
            await reader.subscribe(topic, qos=1)
        yield reader


async def heard(broker, who, reader, word):
    """The topics of all messages with `word`, to the last one."""
    async with client(broker, DISTRICT, "last-word") as district:
        await district.publish(LAST_WORD[who], f"end {word}", qos=1)
    topics = set()
    async for message in reader.messages:
        if message.payload == f"end {word}".encode():
            return topics
        if word.encode() in message.payload:
            topics.add(message.topic.value)
    return topics


@pytest.mark.parametrize("who", WRITES)
@pytest.mark.parametrize("retain", [False, True])
async def test_what_each_may_write(shared, who, retain):
    word = f"written-{retain}"
    with listening(shared) as viewer:
        await publish_all(shared, SITE, {f"{PREFIX}/status"}, "ready", retain=True)
        await until(lambda: f"{PREFIX}/status" in viewer.topics, "the viewer's subscription")
        await publish_all(shared, who, TOPICS, word, retain=retain)
        await publish_all(shared, SITE, {f"{PREFIX}/status"}, f"end-{word}")
        last = f"end-{word} {SITE}".encode()
        await until(lambda: (f"{PREFIX}/status", last) in viewer.messages, "the last word")
        mine = f"{word} {who}".encode()
        assert {topic for topic, said in viewer.messages if said == mine} == WRITES[who]
    if retain:
        with listening(shared) as later:
            await until(lambda: WRITES[who] <= set(later.topics), "what was retained")
            kept = {topic for topic, said in later.topics.items() if said == mine.decode()}
            assert kept == WRITES[who]


async def publish_rightly(broker, word, *, retain=False):
    await publish_all(broker, SITE, BY_THE_SITE, word, retain=retain)
    await publish_all(broker, DISTRICT, BY_THE_DISTRICT, word, retain=retain)


@pytest.mark.parametrize("who", READS)
async def test_what_each_may_read_as_it_comes(shared, who):
    async with subscribed(shared, who, *ASKED, LAST_WORD[who]) as reader:
        await publish_rightly(shared, "live")
        assert await heard(shared, who, reader, "live") == READS[who]


@pytest.mark.parametrize("who", READS)
async def test_what_each_may_read_of_what_was_kept(shared, who):
    await publish_rightly(shared, "kept", retain=True)
    async with subscribed(shared, who, *ASKED, LAST_WORD[who]) as reader:
        assert await heard(shared, who, reader, "kept") == READS[who]


@pytest.mark.parametrize("who", READS)
async def test_what_each_may_read_of_what_waited_for_it(shared, who):
    session = {"identifier": f"session-of-{who}", "clean_session": False}
    async with subscribed(shared, who, *ASKED, LAST_WORD[who], **session):
        pass
    await publish_rightly(shared, "queued")
    async with client(shared, who, **session) as reader:
        assert await heard(shared, who, reader, "queued") == READS[who]


@pytest.mark.parametrize("who", [SITE, OTHER, DISTRICT])
async def test_nobody_reads_the_brokers_own_topics(shared, who):
    async with subscribed(shared, who, *RESERVED, LAST_WORD[who]) as reader:
        await publish_rightly(shared, "reserved")
        topics = await heard(shared, who, reader, "reserved")
        assert topics <= {LAST_WORD[who]}


@pytest.mark.parametrize(
    ("username", "secret"), [("FT-0001", "wrong"), ("nobody", "x"), ("", ""), (None, None)]
)
async def test_nobody_comes_in_without_a_password(shared, username, secret):
    with pytest.raises(MqttError):
        async with Client(shared.host, shared.port, username=username, password=secret):
            pass


def test_a_log_in_is_no_good_for_nats_own_protocol(tmp_path):
    """There a site could read what the broker delivers to everybody else."""
    broker = RunningBroker("nats-server", tmp_path)
    broker.start()
    try:
        port = re.findall(r"client connections on 127\.0\.0\.1:(\d+)", broker.log.read_text())[-1]
        with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as raw:
            lines = raw.makefile("rwb")
            assert lines.readline().startswith(b"INFO")
            login = f'{{"verbose":true,"user":"{OTHER}","pass":"{password(OTHER)}"}}'
            lines.write(f"CONNECT {login}\r\nSUB $MQTT.sub.> 1\r\nPING\r\n".encode())
            lines.flush()
            assert lines.readline().startswith(b"-ERR 'Authorization Violation'")
    finally:
        broker.stop()

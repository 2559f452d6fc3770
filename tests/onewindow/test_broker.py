import asyncio
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from onewindow.broker import BrokerPlan, Login, command, configuration, write_configuration

SITE, NEIGHBOUR, DISTRICT, VIEWER = (
    Login("FT-0001", "site-password"),
    Login("FT-0002", "neighbour-password"),
    Login("district", "district-password"),
    Login("viewer", "viewer-password"),
)


def make_plan(folder: Path, port: int = 1) -> BrokerPlan:
    return BrokerPlan(folder, "127.0.0.1", port, DISTRICT, (SITE, NEIGHBOUR), VIEWER)


def test_a_configuration_has_every_value_and_no_place_left_empty(tmp_path: Path):
    text = configuration(make_plan(tmp_path / "brok en", 4321))
    assert "{{" not in text
    assert "port: 4321" in text
    assert '"onewindow.FT-0002.journal.up"' in text
    assert "sync_interval: always" in text


def test_a_password_that_could_end_its_string_is_a_mistake(tmp_path: Path):
    plan = BrokerPlan(tmp_path, "127.0.0.1", 1, Login("d", 'x" }'), (SITE,), VIEWER)
    with pytest.raises(AssertionError, match="DISTRICT_PASSWORD"):
        configuration(plan)


def test_only_its_owner_can_read_the_configuration(tmp_path: Path):
    write_configuration(make_plan(tmp_path / "store"), tmp_path / "broker.conf")
    assert (tmp_path / "broker.conf").stat().st_mode & 0o077 == 0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    write_configuration(make_plan(tmp_path / "store", port), tmp_path / "broker.conf")
    with (tmp_path / "broker.log").open("w") as log:
        process = subprocess.Popen(command(tmp_path / "broker.conf"), stderr=log)
    yield port
    process.terminate()
    process.wait(10)


async def log_in(port: int, login: Login) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, username=login.username, password=login.password)


async def connected(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            await writer.wait_closed()
            return


WRITES = {
    "onewindow/FT-0001/status": {"FT-0001"},
    "onewindow/FT-0001/cabinet/A/7/door": {"FT-0001"},
    "onewindow/FT-0001/cabinet/A/health": {"FT-0001"},
    "onewindow/FT-0001/machine/M1": {"FT-0001"},
    "onewindow/FT-0001/alarm/1": {"FT-0001"},
    "onewindow/FT-0001/journal/up": {"FT-0001"},
    "onewindow/FT-0001/journal/down/ack": {"FT-0001"},
    "onewindow/FT-0001/journal/down": {"district"},
    "onewindow/FT-0001/journal/up/ack": {"district"},
    "onewindow/FT-0001/anything": set(),
    "homeassistant/device/onewindow_FT-0001/config": {"FT-0001"},
    "homeassistant/device/onewindow_FT-0002/config": {"FT-0002"},
    "onewindow/FT-0002/status": {"FT-0002"},
    "elsewhere": set(),
}


async def test_everybody_writes_their_own_topics_and_no_other(broker: int):
    await connected(broker)
    heard: dict[str, set[str]] = {topic: set() for topic in WRITES}
    async with await log_in(broker, VIEWER) as viewer:
        await viewer.subscribe("#", qos=1)
        for login in (SITE, NEIGHBOUR, DISTRICT, VIEWER):
            async with await log_in(broker, login) as client:
                for topic in WRITES:
                    await client.publish(topic, login.username, qos=1)
        async with await log_in(broker, NEIGHBOUR) as client:
            await client.publish("onewindow/FT-0002/status", "last", qos=1)
        async for message in viewer.messages:
            if message.payload == b"last":
                break
            heard[message.topic.value].add(bytes(message.payload).decode())
    assert heard == WRITES


async def test_a_site_hears_what_its_district_tells_it_and_nothing_else(broker: int):
    await connected(broker)
    refused = [
        "#",
        "onewindow/#",
        "$MQTT/#",
        "onewindow/+/journal/down",
        "onewindow/FT-0002/status",
    ]
    granted = ["onewindow/FT-0001/journal/down", "onewindow/FT-0001/journal/up/ack"]
    async with await log_in(broker, SITE) as site, await log_in(broker, DISTRICT) as district:
        for topic in refused:
            assert [code.is_failure for code in await site.subscribe(topic, qos=1)] == [True]
        for topic in granted:
            assert [code.value for code in await site.subscribe(topic, qos=1)] == [1]
            await district.publish(topic, "hello", qos=1)
            message = await anext(aiter(site.messages))
            assert (message.topic.value, message.payload) == (topic, b"hello")


async def test_nobody_comes_in_without_the_password(broker: int):
    await connected(broker)
    for login in (Login("viewer", "wrong"), Login("nobody", "viewer-password")):
        with pytest.raises(aiomqtt.MqttError):
            async with await log_in(broker, login):
                pass

"""What the world is told of a site, on real brokers: retained, after the commit, and again."""

import json
import signal

import pytest

from controller.journal import Stream
from controller.site import schema
from controller.telemetry import health
from tests.controller.link.live import AT, listening, running, until

TOP = "onewindow/FT-0001"
EVERYTHING = {
    f"{TOP}/status",
    *(f"{TOP}/cabinet/A/{no}/{what}" for no in (1, 2, 3) for what in ("door", "compartment")),
    f"{TOP}/cabinet/A/health",
    f"{TOP}/machine/M1",
    "homeassistant/device/onewindow_FT-0001/config",
}


def said(viewer, topic):
    return json.loads(viewer.topics.get(topic, "{}"))


async def complete(viewer):
    await until(lambda: set(viewer.topics) >= EVERYTHING, "everything")


async def test_who_comes_later_is_told_everything(broker, site):
    async with running(site.mqtt(broker)):
        with listening(broker) as early:
            await complete(early)
        with listening(broker) as late:
            await complete(late)
            assert late.topics[f"{TOP}/status"] == "online"
            assert said(late, f"{TOP}/cabinet/A/1/door") == {"state": "closed", "at": AT, "n": 0}
            assert said(late, f"{TOP}/cabinet/A/1/compartment")["state"] == "free"
            assert said(late, f"{TOP}/cabinet/A/health")["boards"] == {"A1": "ok"}


async def test_a_door_that_moves_is_told_with_its_count(broker, site):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await complete(viewer)
            topic = f"{TOP}/cabinet/A/2/door"
            for count, state in enumerate(["open", "closed", "unknown"], 1):
                site.move_door(2, state)
                told = {"state": state, "at": AT, "n": count}
                await until(lambda told=told: said(viewer, topic) == told, told)
    counts = [json.loads(payload)["n"] for heard, payload in viewer.messages if heard == topic]
    assert counts == [0, 1, 2, 3]


async def test_health_is_told_again_as_soon_as_there_is_an_alarm(broker, site):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await complete(viewer)
            site.health["A"] |= {"boards": {"A1": "silent"}, "power": "battery"}
            raise_alarm(site, "al1")
            topic = f"{TOP}/cabinet/A/health"
            await until(lambda: said(viewer, topic).get("power") == "battery", "its power")
            assert said(viewer, topic)["boards"] == {"A1": "silent"}
            config = "homeassistant/device/onewindow_FT-0001/config"
            await until(lambda: "mains_A" in said(viewer, config)["components"], "its sensor")
            del site.health["A"]["power"]  # its sensor is silent: unknown, and not gone
            clear_alarm(site, "al1")
            await until(lambda: "power" not in said(viewer, topic), "nothing of its power")
            gone = {"platform": "binary_sensor"}
            await until(
                lambda: said(viewer, config)["components"].get("alarm_al1") == gone, "the end"
            )
            assert "mains_A" in said(viewer, config)["components"]


async def test_a_site_that_may_be_an_old_copy_tells_nobody_of_its_doors(broker, site):
    unsure = {topic for topic in EVERYTHING if topic.endswith(("/door", "/compartment", "/M1"))}
    site.is_sure = False
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await until(lambda: set(viewer.topics) >= EVERYTHING - unsure, "what is so anyway")
            site.move_door(1, "open")
            raise_alarm(site, "al1")
            await until(lambda: any("/alarm/" in topic for topic in viewer.topics), "the alarm")
            assert not unsure & set(viewer.topics)
            site.is_sure = True
            clear_alarm(site, "al1")
            await complete(viewer)
            assert said(viewer, f"{TOP}/cabinet/A/1/door")["state"] == "open"


async def test_nothing_is_told_that_was_not_committed(broker, site):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await complete(viewer)
            with pytest.raises(LookupError):
                site.move_door(1, "open", fail=True)
            site.move_door(2, "open")
            await until(lambda: said(viewer, f"{TOP}/cabinet/A/2/door")["n"] == 1, "the other door")
    about_door_1 = [payload for topic, payload in viewer.messages if topic.endswith("A/1/door")]
    assert {json.loads(payload)["state"] for payload in about_door_1} == {"closed"}


async def test_a_compartment_says_its_state_and_never_whose(broker, site):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await complete(viewer)
            topic = f"{TOP}/cabinet/A/3/compartment"
            before = said(viewer, topic)
            site.change(schema.compartments, state="occupied", reason="order 4711")
            await until(lambda: said(viewer, topic)["state"] == "occupied", "occupied")
            assert set(said(viewer, topic)) == {"state", "at"}
            assert said(viewer, topic)["at"] >= before["at"]


async def test_a_machine_says_state_blanks_and_its_last_fault(broker, site):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await complete(viewer)
            topic = f"{TOP}/machine/M1"
            assert said(viewer, topic)["last_fault"] is None
            site.change(schema.machines, state="fault", blanks=89, faults="jam,printer")
            told = {"state": "fault", "blanks": 89, "faults": ["jam", "printer"]}
            await until(lambda: said(viewer, topic) == told | {"last_fault": "jam", "at": AT}, told)
            site.change(schema.machines, state="idle", faults="")
            told = {"state": "idle", "blanks": 89, "faults": [], "last_fault": "jam", "at": AT}
            await until(lambda: said(viewer, topic) == told, told)


def test_a_machines_last_fault_is_looked_for_among_the_newest_entries_alone(site, monkeypatch):
    monkeypatch.setattr(health, "LOOKED_THROUGH", 3)

    def last_fault_after(kind, data):
        with site.store.write() as transaction:
            transaction.append("FT-0001", Stream.UP, kind, data)
        with site.store.read() as connection:
            told = health.MachineReports("FT-0001", site.store.journal).read(connection)
        return json.loads(told[f"{TOP}/machine/M1"])["last_fault"]

    assert last_fault_after("machine.changed", {"machine": "M1", "faults": ["jam"]}) == "jam"
    later = [last_fault_after("alarm.cleared", {"alarm": "a1"}) for _ in range(3)]
    assert later == ["jam", "jam", None]


def raise_alarm(site, alarm="a1"):
    with site.store.write() as transaction:
        row = {"alarm_id": alarm, "kind": "door_ajar", "place": "A/2", "severity": "warning"}
        transaction.connection.execute(schema.alarms.insert().values(**row, since=AT))
        transaction.append("FT-0001", Stream.UP, "alarm.raised", {"alarm": alarm})


def clear_alarm(site, alarm="a1"):
    with site.store.write() as transaction:
        gone = schema.alarms.update().where(schema.alarms.c.alarm_id == alarm)
        transaction.connection.execute(gone.values(cleared_at=AT))
        transaction.append("FT-0001", Stream.UP, "alarm.cleared", {"alarm": alarm})


async def test_an_alarm_stands_until_it_is_cleared(broker, site):
    topic = f"{TOP}/alarm/a1"
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await complete(viewer)
            raise_alarm(site)
            told = {"kind": "door_ajar", "where": "A/2", "since": AT, "severity": "warning"}
            await until(lambda: said(viewer, topic) == told, told)
            clear_alarm(site)
            await until(lambda: topic not in viewer.topics, "emptied")
        with listening(broker) as late:
            await until(lambda: set(late.topics) >= EVERYTHING, "everything")
            assert topic not in late.topics


async def test_an_alarm_cleared_while_the_broker_was_away_is_emptied_later(broker, site):
    topic = f"{TOP}/alarm/a1"
    raise_alarm(site)
    async with running(site.mqtt(broker)):
        with listening(broker) as viewer:
            await until(lambda: topic in viewer.topics, "raised")
    clear_alarm(site)
    async with running(site.mqtt(broker)):
        with listening(broker) as viewer:
            await complete(viewer)
            await until(lambda: topic not in viewer.topics, "emptied")


async def test_the_will_is_published_when_a_site_goes(broker, site):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            await until(lambda: viewer.topics.get(f"{TOP}/status") == "online", "online")
        await until(lambda: viewer.topics[f"{TOP}/status"] == "offline", "offline")


async def test_a_broker_that_forgot_everything_is_told_everything_again(broker, site):
    raise_alarm(site)
    async with running(site.mqtt(broker)):
        with listening(broker) as viewer:
            await complete(viewer)
        broker.stop(signal.SIGKILL)
        broker.forget()
        site.move_door(1, "open")
        broker.start()
        with listening(broker) as viewer:
            await complete(viewer)
            assert said(viewer, f"{TOP}/cabinet/A/1/door") == {"state": "open", "at": AT, "n": 1}
            assert f"{TOP}/alarm/a1" in viewer.topics

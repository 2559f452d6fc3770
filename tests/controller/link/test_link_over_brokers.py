"""Journals both ways through real brokers that die, forget, freeze and lie."""

import asyncio
import hashlib
import json
import signal
import time

import pytest
from aiomqtt import Client

from controller.journal import EMPTY, Head, Stream
from controller.link import connection
from controller.link.batches import seal_ack, seal_batch
from controller.link.topics import journal, journal_ack
from tests.brokers import DISTRICT, password
from tests.controller.link.live import (
    CLOCK,
    keys_of,
    listening,
    running,
    same,
    site_end,
    until,
)
from tests.controller.link.two_ends import FOREIGN_KEYS

UP, DOWN = Stream.UP, Stream.DOWN


async def test_journals_travel_both_ways_and_each_entry_is_applied_once(broker, site, district):
    site.write(150)
    async with running(site.mqtt(broker), district.mqtt(broker)):
        district.write(count=120)
        site.write(5)
        await until(lambda: same(site, district), "equal journals")
    assert district.applied == [("FT-0001", seq) for seq in range(1, 156)]
    assert site.applied == [("FT-0001", seq) for seq in range(1, 121)]
    assert not site.alarms + district.alarms


async def test_one_connection_serves_all_sites_of_a_district(broker, site, district, tmp_path):
    with site_end(tmp_path, "FT-0002") as other:
        async with running(site.mqtt(broker), other.mqtt(broker), district.mqtt(broker)):
            for end, count in ((site, 7), (other, 3)):
                end.write(count)
                district.write(end.site, count)
            await until(lambda: same(site, district) and same(other, district), "equal journals")
            online = {("FT-0001", True), ("FT-0002", True)}
            await until(lambda: online <= set(district.statuses), "both online")


async def test_a_commit_in_a_thread_is_sent_too(broker, site, district):
    async with running(site.mqtt(broker), district.mqtt(broker)):
        await asyncio.to_thread(district.write)
        await until(lambda: site.applied == [("FT-0001", 1)], "the entry at the site")


async def test_the_district_hears_that_a_site_has_gone(broker, site, district):
    async with running(district.mqtt(broker)):
        async with running(site.mqtt(broker)):
            await until(lambda: ("FT-0001", True) in district.statuses, "online")
        await until(lambda: district.statuses[-1] == ("FT-0001", False), "offline")


async def test_what_a_broker_acknowledged_and_forgot_is_sent_again(broker, site, district):
    """A PUBACK proves nothing: while nobody copies the journal, the cursor stays where it is."""
    site.write(3)
    with listening(broker) as viewer:
        async with running(site.mqtt(broker)):
            heard = lambda: [topic for topic, _ in viewer.messages]  # noqa: E731 - one line of it
            await until(lambda: journal("FT-0001", UP) in heard(), "the batch on the broker")
    broker.stop(signal.SIGKILL)
    broker.forget()
    broker.start()
    async with running(site.mqtt(broker), district.mqtt(broker)):
        await until(lambda: same(site, district), "equal journals")
    assert district.applied == [("FT-0001", seq) for seq in (1, 2, 3)]


async def test_a_broker_that_was_killed_and_forgot_everything_costs_nothing(broker, site, district):
    async with running(site.mqtt(broker), district.mqtt(broker)):
        site.write(10)
        await until(lambda: same(site, district), "equal journals")
        broker.stop(signal.SIGKILL)
        broker.forget()
        site.write(30)
        district.write(count=30)
        broker.start()
        await until(lambda: same(site, district), "equal journals")
        with listening(broker) as viewer:
            await until(lambda: viewer.topics.get("onewindow/FT-0001/status") == "online", "online")
            acks = [journal_ack("FT-0001", stream) for stream in Stream]
            await until(lambda: set(acks) <= set(viewer.topics), "both acknowledgements again")
    assert district.applied == [("FT-0001", seq) for seq in range(1, 41)]
    assert not site.alarms + district.alarms


async def longest_step(lasts_s):
    """How long the loop was ever held up."""
    worst, end = 0.0, time.monotonic() + lasts_s
    while (before := time.monotonic()) < end:
        await asyncio.sleep(0.005)
        worst = max(worst, time.monotonic() - before)
    return worst


async def test_a_frozen_broker_holds_nobody_up(broker, site, district, monkeypatch):
    monkeypatch.setattr(connection, "ANSWER_S", 0.3)
    async with running(site.mqtt(broker), district.mqtt(broker)):
        site.write()
        await until(lambda: same(site, district), "equal journals")
        broker.tell(signal.SIGSTOP)
        for _ in range(20):
            site.write(5)  # durable at once: nothing here waits for a broker
            district.write(count=5)
            assert await longest_step(0.05) < 0.5
        assert not same(site, district)
        broker.tell(signal.SIGCONT)
        await until(lambda: same(site, district), "equal journals")


async def test_we_end_at_once_while_the_broker_is_frozen(broker, site):
    async with running(site.mqtt(broker)):
        site.write()
        broker.tell(signal.SIGSTOP)
        site.write()
        began = time.monotonic()
    assert time.monotonic() - began < 2


def stranger(broker, username=DISTRICT):
    return Client(
        broker.host,
        broker.port,
        username=username,
        password=password(username),
        identifier="a-stolen-password",
    )


async def test_a_forged_batch_changes_nothing_and_raises_one_alarm(broker, site, district):
    """The broker password of the district is stolen; the link key is not."""
    district.write()
    async with running(site.mqtt(broker), district.mqtt(broker)):
        await until(lambda: same(site, district), "equal journals")
        first = district.journal("FT-0001", DOWN)[0]
        chained = {"seq": 2, "prev": hashlib.sha256(first).hexdigest()}
        forged = json.dumps(json.loads(first) | chained | {"kind": "compartment.open"})
        batch = seal_batch("FT-0001", DOWN, FOREIGN_KEYS, [forged.encode()])
        async with stranger(broker) as thief:
            for _ in range(3):
                await thief.publish(journal("FT-0001", DOWN), batch, qos=1, retain=True)
        await until(lambda: site.alarms, "the alarm")
        district.write()  # what is true still arrives, after it
        await until(lambda: same(site, district), "equal journals")
    assert [(kind, where) for kind, where, _ in site.alarms] == [("journal_broken", "FT-0001")]
    assert site.applied == [("FT-0001", 1), ("FT-0001", 2)]


async def test_a_forged_acknowledgement_moves_nothing(broker, site, district):
    site.write(3)
    ack = seal_ack("FT-0001", UP, FOREIGN_KEYS, Head(3, "ab" * 32), CLOCK.now())
    async with stranger(broker) as thief:
        await thief.publish(journal_ack("FT-0001", UP), ack, qos=1, retain=True)
    async with running(site.mqtt(broker)):
        await until(lambda: site.alarms, "the alarm")
        async with running(district.mqtt(broker)):
            await until(lambda: same(site, district), "equal journals")
    assert len(site.alarms) == 1


async def test_yesterdays_batches_and_acknowledgements_are_harmless(broker, site, district):
    with listening(broker) as viewer:
        async with running(site.mqtt(broker), district.mqtt(broker)):
            for _ in range(3):
                district.write(count=4)
                await until(lambda: same(site, district), "equal journals")
            async with stranger(broker) as thief:
                for topic, payload in list(viewer.messages):
                    if topic == journal("FT-0001", DOWN):
                        await thief.publish(topic, payload, qos=1)
                old = seal_ack("FT-0001", UP, keys_of("FT-0001"), EMPTY, CLOCK.now())
                await thief.publish(journal_ack("FT-0001", UP), old, qos=1)
            district.write()
            site.write()
            await until(lambda: same(site, district), "equal journals")
    assert site.applied == [("FT-0001", seq) for seq in range(1, 14)]
    assert not site.alarms + district.alarms


@pytest.mark.parametrize("junk", [b"", b"\x00" * 1000, b"[" * 60_000, b"{}", b"x" * 200_000])
async def test_junk_on_our_topics_does_not_stop_us(broker, site, district, junk):
    async with running(site.mqtt(broker), district.mqtt(broker)):
        async with stranger(broker) as thief:
            for topic in (journal("FT-0001", DOWN), journal_ack("FT-0001", UP)):
                await thief.publish(topic, junk, qos=1)
        district.write()
        site.write()
        await until(lambda: same(site, district), "equal journals")

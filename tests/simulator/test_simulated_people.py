"""People who pull, take, close, and forget."""

import asyncio

import pytest

from simulator.modbus import sealed


def release(site, no):
    site.ask(sealed(bytes([1, 5, 2, no - 1, 0, 5])).hex())


def passes(site, seconds):
    for _ in range(int(seconds * 10)):
        site.later(0.1)


@pytest.fixture
def crowd(make_site):
    site = make_site(speed=10.0)
    site.world.people.set_auto(auto=True)
    return site


def test_somebody_takes_what_lies_behind_a_released_door_and_closes_it(crowd):
    door = crowd.world.door("A", 8)
    door.contents.append("OWL:1")
    release(crowd, 8)
    passes(crowd, 15)
    assert [each["took"] for each in crowd.world.hands] == ["OWL:1"]
    assert (door.open, door.contents, door.released) == (False, [], 1)


def test_behind_a_loader_somebody_closes_and_takes_nothing(crowd):
    door = crowd.world.door("A", 8)
    release(crowd, 8)
    while not door.open:
        passes(crowd, 0.1)
    crowd.world.put("A", 8, "OWL:1")
    passes(crowd, 15)
    assert (door.open, door.contents) == (False, ["OWL:1"])
    assert crowd.world.hands == []


def test_an_empty_compartment_is_closed_when_nobody_puts_anything_in(crowd):
    release(crowd, 8)
    passes(crowd, 20)
    assert not crowd.world.door("A", 8).open


def test_nobody_touches_a_door_that_was_forced(crowd):
    door = crowd.world.door("A", 8)
    door.contents.append("OWL:1")
    door.force()
    passes(crowd, 20)
    assert door.open
    assert crowd.world.hands == []


def test_somebody_takes_the_document_from_the_outlet(crowd):
    machine = crowd.world.machine("M1")
    crowd.later(1.0)
    print_1 = "10 01 00 00 06 0C 00 01 00 02 00 00 00 01 00 00 5A A7"
    assert machine.answer(bytes.fromhex(print_1)) == bytes.fromhex("10 01 00 00 06")
    passes(crowd, 6)
    assert [each["from"] for each in crowd.world.hands] == ["M1"]


def test_people_who_are_sent_away_finish_nothing(crowd):
    release(crowd, 8)
    crowd.later(0.02)
    crowd.world.people.set_auto(auto=False)
    passes(crowd, 5)
    assert not crowd.world.door("A", 8).open


def test_ten_releases_are_ten_bolts_and_ten_closed_doors(crowd):
    for no in range(1, 11):
        crowd.world.door("A", no).contents.append(f"OWL:{no}")
        release(crowd, no)
        passes(crowd, 20)
    doors = [crowd.world.door("A", no) for no in range(1, 11)]
    assert [door.released for door in doors] == [1] * 10
    assert not any(door.open for door in doors)
    assert len(crowd.world.hands) == 10


async def test_time_passes_by_itself_in_a_living_world(make_site):
    site = make_site()
    loop = asyncio.get_running_loop()
    site.clock.monotonic = loop.time
    site.world.set_speed(1000.0)
    site.world.timeline.advance(loop.time())
    opened = asyncio.Event()
    site.world.listeners.append(lambda: opened.set() if site.world.door("A", 8).unlocked else None)
    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(site.world.live())
        site.world.wires["L1"].ask(bytes.fromhex("01 05 02 07 00 05 BD B0"), loop.time())
        async with asyncio.timeout(5.0):
            await opened.wait()
        living.cancel()

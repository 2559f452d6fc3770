"""Troubles that only a whole site can answer: what it alarms, and what it never concludes."""

import asyncio
from contextlib import suppress

import pytest

from controller.site.schema import items
from controller.site.texts import Button, Screen, Text
from simulator.door import Impossible
from simulator.door_faults import DoorTrouble
from simulator.faults import Trouble
from tests.rehearsal.oracle import flaws
from tests.rehearsal.rig import LINE, Rig, play
from tests.rehearsal.visits import Recipient, Vendor, home

OTHER = 31  # a door of the same board that nobody uses
LONG_S = 60.0


class Scene:
    """A site with one box in one compartment, its recipient, and the door to it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    async def load(self) -> None:
        self.order = self.rig.place(licence=False)
        await Vendor(self.rig, list(self.order.labels)).load()
        (row,) = self.rig.rows(items.select())
        assert row.state == "loaded"
        self.no, self.where = row.no, f"{row.cabinet}/{row.no}"
        await home(self.rig)
        await asyncio.sleep(10.0)

    @property
    def door(self):
        return self.rig.world.door("A", self.no)

    def trouble(self, no: int | None = None, **asked) -> dict[str, int]:
        no = no or self.no
        self.rig.world.set_door_trouble("A", no, DoorTrouble(**asked))
        return self.rig.world.door("A", no).faults.counted

    def alarms(self, kind: str) -> list[str]:
        """Where alarms of a kind were raised so far."""
        return [each["where"] for each in self.rig.up("alarm.raised") if each["kind"] == kind]

    def standing(self) -> set[str]:
        cleared = {each["alarm"] for each in self.rig.up("alarm.cleared")}
        return {
            f"{each['kind']} {each['where']}"
            for each in self.rig.up("alarm.raised")
            if each["alarm"] not in cleared
        }

    def state(self) -> str:
        (row,) = self.rig.rows(items.select())
        return str(row.state)

    async def begin(self) -> None:
        """The code is held before the scanner and the pickup confirmed."""
        await self.rig.hold(self.order.qr)
        await self.rig.until(lambda: self.rig.view.screen is Screen.CONFIRM)
        self.rig.site.press(Button.CONFIRM)

    async def collect(self, visits: int = 1) -> None:
        await Recipient(self.rig, self.order).collect(visits=visits)
        await home(self.rig)


@pytest.fixture
def at_site(tmp_path):
    """Plays a story in which a box waits for its recipient."""

    def run(story, *, calm=True):
        async def whole():
            rig = Rig(tmp_path, 20261124)
            async with rig.at_work():
                scene = Scene(rig)
                await scene.load()
                await story(scene)
                if calm:
                    assert not flaws(rig)

        play(whole)

    return run


# ------------------------------------------------------------------ boards


def test_a_silent_board_is_alarmed_after_ten_seconds_and_its_doors_are_unknown(at_site):
    async def story(scene):
        began = scene.rig.clock.monotonic()
        scene.rig.world.set_trouble(LINE, Trouble(silent=(1, 2, 3)))
        await scene.rig.until(lambda: scene.alarms("board_silent"))
        assert 9.0 <= scene.rig.clock.monotonic() - began <= 13.0
        (lost,) = scene.rig.up("doors.unknown")  # one entry for all its doors
        assert scene.where in {each["where"] for each in lost["doors"]}
        scene.rig.world.set_trouble(LINE, Trouble())
        await asyncio.sleep(60.0)
        assert not scene.standing()
        assert scene.rig.world.faults(LINE).counted.silent > 0
        await scene.collect()
        assert scene.state() == "collected"

    at_site(story)


def test_crossed_wires_are_a_silent_board_or_a_line_that_is_down(at_site):
    async def story(scene):
        scene.rig.world.set_trouble(LINE, Trouble(swapped=True))
        await scene.rig.until(lambda: scene.alarms("board_silent") + scene.alarms("bus_down"))
        scene.rig.world.set_trouble(LINE, Trouble())
        await asyncio.sleep(60.0)
        assert not scene.standing()
        assert scene.rig.world.faults(LINE).counted.swapped > 0

    at_site(story)


# ------------------------------------------------------------------ switches


@pytest.mark.parametrize("rate", [3.0, 20.0])
def test_a_floating_input_alarms_no_storm(at_site, rate):
    async def story(scene):
        counted = scene.trouble(OTHER, floating=rate)
        await asyncio.sleep(LONG_S)
        assert len(scene.alarms("door_forced")) <= 6
        scene.trouble(OTHER)
        await asyncio.sleep(60.0)
        assert not scene.standing()
        assert counted["floating"] > 10
        await scene.collect()
        assert scene.state() == "collected"

    at_site(story)


def test_a_switch_that_stays_open_after_closing_is_a_door_ajar(at_site):
    async def story(scene):
        opened = len(scene.rig.up("door.opened"))
        await scene.begin()
        await scene.rig.until(lambda: len(scene.rig.up("door.opened")) > opened)
        counted = scene.trouble(stuck_open=True)
        await scene.rig.until(lambda: scene.alarms("door_ajar") == [scene.where])
        assert not scene.door.open  # whatever its switch says
        scene.trouble()
        await asyncio.sleep(LONG_S)
        assert not scene.standing()
        assert counted["stuck_open"] > 0

    at_site(story)


@pytest.mark.parametrize("name", ["dead_relay", "jammed", "relatch", "stuck_closed"])
def test_a_door_that_is_not_seen_to_open_is_a_lock_jammed(at_site, name):
    async def story(scene):
        counted = scene.trouble(**{name: True})
        texts = set()

        def note():
            texts.add(scene.rig.view.text)
            if name in {"jammed", "stuck_closed"} and scene.door.unlocked:
                with suppress(Impossible):
                    scene.door.pull()
            return bool(scene.alarms("lock_jammed"))

        scene.rig.world.people.set_auto(auto=False)
        await scene.begin()
        await scene.rig.until(note)
        assert scene.alarms("lock_jammed") == [scene.where]
        assert Text.PUSH in texts
        assert scene.rig.up("door.opened", "door.forced")[-1:] != [scene.where]
        assert scene.state() in {"loaded", "releasing"}
        moved = scene.door.released
        assert scene.rig.view.screen is Screen.TROUBLE
        await asyncio.sleep(LONG_S)
        assert scene.door.released == moved  # nobody pressed: no further pulse
        assert scene.state() != "collected"
        assert counted[name] > 0

    at_site(story, calm=False)


def test_a_dead_relay_takes_its_compartment_out_of_use_after_the_pulses_that_are_allowed(at_site):
    async def story(scene):
        counted = scene.trouble(dead_relay=True)
        pulses = len(scene.rig.up("movement.intended"))
        await scene.begin()
        for _ in range(2):
            await scene.rig.until(lambda: Button.AGAIN in scene.rig.view.buttons)
            scene.rig.site.press(Button.AGAIN)
            await scene.rig.until(lambda: scene.rig.view.screen is Screen.WORKING)
        await scene.rig.until(lambda: scene.rig.view.text is Text.LOCK_GIVEN_UP)
        assert Button.AGAIN not in scene.rig.view.buttons
        assert len(scene.rig.up("movement.intended")) == pulses + 3
        assert [each["where"] for each in scene.rig.up("compartment.fault")] == [scene.where]
        assert scene.state() == "loaded"  # it stays theirs
        assert counted["dead_relay"] > 0

    at_site(story, calm=False)


def test_a_weak_lock_opens_by_one_longer_pulse_from_a_press(at_site):
    async def story(scene):
        counted = scene.trouble(weak=True)
        pulses = len(scene.rig.up("movement.intended"))
        await scene.begin()
        await scene.rig.until(lambda: scene.alarms("lock_jammed") == [scene.where])
        assert scene.door.released == 1  # by the vendor
        assert len(scene.rig.up("movement.intended")) == pulses + 1
        await scene.rig.until(lambda: Button.AGAIN in scene.rig.view.buttons)
        scene.rig.site.press(Button.AGAIN)
        await scene.rig.until(lambda: scene.state() == "collected")
        assert scene.door.released == 2
        assert len(scene.rig.up("movement.intended")) == pulses + 2
        assert counted["weak"] > 0
        await asyncio.sleep(LONG_S)
        assert not scene.standing()

    at_site(story, calm=False)


def test_a_switch_stuck_closed_is_on_record_beside_what_the_sensor_saw(at_site):
    async def story(scene):
        counted = scene.trouble(stuck_closed=True)
        await scene.collect()
        assert scene.state() == "collected"
        (told,) = scene.rig.up("door.contradicted")
        assert (told["where"], told["says"], told["by"]) == (scene.where, "closed", "sensor")
        assert not scene.standing()
        assert counted["stuck_closed"] > 0

    at_site(story)


def test_a_welded_contact_is_a_forced_door_without_a_pulse(at_site):
    async def story(scene):
        pulses = len(scene.rig.up("movement.intended"))
        scene.rig.world.people.set_auto(auto=False)
        counted = scene.trouble(welded=True)
        await asyncio.sleep(1.0)
        scene.door.pull()
        await scene.rig.until(lambda: scene.alarms("door_forced") == [scene.where])
        await asyncio.sleep(LONG_S)
        assert len(scene.rig.up("movement.intended")) == pulses
        assert counted["welded"] > 0

    at_site(story, calm=False)


def test_a_door_that_opens_in_another_s_place_takes_both_out_of_use(at_site):
    async def story(scene):
        counted = scene.trouble(crosswired=OTHER)
        await scene.begin()
        await scene.rig.until(lambda: scene.rig.view.text is Text.WRONG_DOOR)
        assert scene.rig.view.doors == (f"A/{OTHER}",)
        assert scene.alarms("crosswired") == [scene.where]
        assert f"A/{OTHER}" in scene.alarms("door_forced")
        await home(scene.rig)
        assert scene.where not in {each["where"] for each in scene.rig.up("door.forced")}
        faults = {each["where"]: each["reason"] for each in scene.rig.up("compartment.fault")}
        assert faults == {scene.where: "crosswired", f"A/{OTHER}": "crosswired"}
        assert scene.state() == "collected"  # by whoever stood before it, as the sensor shows
        assert scene.door.released == 2  # by the vendor, and by the recipient
        assert counted["crosswired"] > 0

    at_site(story, calm=False)


# ------------------------------------------------------------------ sensors


@pytest.mark.parametrize("share", [0.02, 1.0])
def test_a_ghost_behind_a_door_never_finishes_a_collection(at_site, share):
    async def story(scene):
        counted = scene.trouble(ghost_item=share)
        await asyncio.sleep(LONG_S)
        assert scene.state() == "loaded"  # the sensor alone took nothing
        await scene.collect()
        assert counted["ghost_item"] > 0

    at_site(story, calm=False)

"""Clocks that jump in the middle of things: whoever is here is served, and nothing dead revives."""

import asyncio
import shutil
from datetime import timedelta

import pytest

from controller.journal import parse_time
from tests.controller.site.from_afar import ended, ends, tell
from tests.controller.site.staffing import STAFF, offered, staff
from tests.controller.site.visit import moments, pulses, standing, state_of
from tests.controller.site.world import START, Town, badge_text, qr_of, run

YEAR_S = 365.25 * 86_400
JUMPS = {"-20y": -20 * YEAR_S, "-1h": -3600, "-1s": -1, "+1s": 1, "+1h": 3600, "+20y": 20 * YEAR_S}
STEPS = ("badge", "label", "open", "shut", "code", "confirm", "opened", "taken", "done")
VALID_S = 900


class Jumper:
    """Sets the wall clock at one step of a visit."""

    def __init__(self, town: Town, step: str, jump_s: float) -> None:
        self.town, self.step, self.jump_s = town, step, jump_s

    def at(self, step: str) -> None:
        if step == self.step:
            self.town.clock.ahead += timedelta(seconds=self.jump_s)


async def loads(town: Town, jumper: Jumper) -> None:
    town.order()
    town.grant()
    jumper.at("badge")
    town.reader.hold(badge_text(20))
    await town.shows("load_next")
    jumper.at("label")
    town.reader.hold("OWL:N1-seal1")
    door = await town.opened()
    jumper.at("open")
    town.cabinet.put(door, "OWL:N1-seal1")
    await asyncio.sleep(1)
    town.cabinet.close(door)
    jumper.at("shut")
    await town.until(lambda: town.count("item.loaded") == 1)
    town.site.press("end")
    await town.shows("start")


async def collects(town: Town, jumper: Jumper) -> None:
    jumper.at("code")
    town.reader.hold(qr_of(1))
    await town.shows("confirm")
    jumper.at("confirm")
    town.site.press("confirm")
    door = await town.opened()
    jumper.at("opened")
    town.cabinet.take(door)
    await asyncio.sleep(1)
    jumper.at("taken")
    town.cabinet.close(door)
    await town.shows("rate")
    jumper.at("done")
    await asyncio.sleep(30)


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("step", STEPS)
def test_a_visit_goes_on_whatever_the_wall_clock_does(tmp_path, step, jump):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            jumper = Jumper(town, step, JUMPS[jump])
            await loads(town, jumper)
            await collects(town, jumper)
            assert (state_of(town), pulses(town)) == ("collected", 2)
            assert moments(town) == sorted(moments(town))
            large = abs(JUMPS[jump]) > 300
            assert standing(town) == (["clock_jump"] if large else [])
            assert town.site.time_doubted is large
            spent = (parse_time(moments(town)[-1]) - START).total_seconds()
            assert spent < town.clock.monotonic() + 2

    run(story)


@pytest.mark.parametrize("jump", ["-20y", "-1h", "-1s"])
def test_a_code_that_ran_out_never_revives(tmp_path, jump):
    town = Town(tmp_path / "site.db", machine=False, code_valid_s=VALID_S)

    async def refused() -> None:
        before = town.count("pickup.refused")
        await town.shows("start")
        town.reader.hold(qr_of(1))
        await town.until(lambda: town.count("pickup.refused") > before)

    async def story():
        async with town.at_work():
            await loads(town, Jumper(town, "", 0))
            await asyncio.sleep(VALID_S)
            await refused()
            town.clock.ahead += timedelta(seconds=JUMPS[jump])
            await refused()
        town.wall_ahead = town.clock.ahead
        for _ in range(2):
            async with town.at_work():
                await refused()
        assert pulses(town) == 1

    run(story)


def test_a_good_code_outlives_a_jump_of_twenty_years_and_back(tmp_path):
    town = Town(tmp_path / "site.db", machine=False, code_valid_s=VALID_S)

    async def story():
        async with town.at_work():
            await loads(town, Jumper(town, "", 0))
            town.clock.ahead += timedelta(days=20 * 365)
            await asyncio.sleep(120)
        town.wall_ahead = town.clock.ahead
        async with town.at_work():
            await asyncio.sleep(120)
            assert standing(town) == ["clock_jump"]
            town.clock.ahead = timedelta(days=-20 * 365)
            await asyncio.sleep(120)
            assert standing(town) == []
            await collects(town, Jumper(town, "", 0))
            assert state_of(town) == "collected"

    run(story)


def test_a_box_without_power_for_a_night_believes_its_clock_once_the_district_agrees(tmp_path):
    town = Town(tmp_path / "site.db", machine=False, code_valid_s=3600)

    async def story():
        async with town.at_work():
            await loads(town, Jumper(town, "", 0))
        town.wall_ahead = timedelta(hours=8)
        async with town.at_work():
            assert town.site.time_doubted
            town.confirm_time()
            assert not town.site.time_doubted
            await asyncio.sleep(30)
            assert not town.up("alarm.raised")
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")

    run(story)


def test_a_site_by_itself_believes_its_clock_once_staff_confirm_it(tmp_path):
    town = Town(tmp_path / "site.db", machine=False, code_valid_s=3600)

    async def story():
        async with town.at_work():
            await loads(town, Jumper(town, "", 0))
        town.wall_ahead = timedelta(hours=8)
        async with town.at_work():
            await town.until(lambda: standing(town) == ["clock_jump"])
            await staff(town)
            assert "clock" in offered(town)
            town.site.press("choose", "clock")
            shown = await town.shows("clock_ahead")
            assert shown.values == {"clock": "2026-11-24 17:00", "record": "2026-11-24 09:00"}
            town.site.press("skip")
            await town.shows("staff_menu")
            assert town.site.time_doubted
            town.site.press("choose", "clock")
            await town.shows("clock_ahead")
            town.site.press("confirm")
            await town.shows("clock_confirmed")
            assert not town.site.time_doubted
            assert "clock" not in offered(town)
            (told,) = town.up("clock.confirmed")
            assert told["badge"] == f"badge{STAFF}"
            await asyncio.sleep(80)
            assert standing(town) == []
            town.site.press("end")
            await town.shows("start")
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")  # it ran out meanwhile

    run(story)


def test_a_clock_that_is_behind_the_record_is_never_believed(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await loads(town, Jumper(town, "", 0))
        town.wall_ahead = timedelta(days=-365)
        async with town.at_work():
            before = town.site.time.now()
            await staff(town)
            town.site.press("choose", "clock")
            await town.shows("clock_behind")
            assert "confirm" not in town.view.buttons
            assert town.site.time_doubted
            assert not town.up("clock.confirmed")
            assert town.site.time.now() > before

    run(story)


@pytest.mark.parametrize("end", ["in order", "killed"])
def test_time_that_passed_without_any_entry_is_on_record(tmp_path, end):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await asyncio.sleep(900)
            last = town.site.time.now()
            if end == "killed":  # the disk as it is at this instant
                for file in tmp_path.glob("site.db*"):
                    shutil.copy(file, tmp_path / file.name.replace("site", "later"))
        later = Town(tmp_path / ("site.db" if end == "in order" else "later.db"), machine=False)
        later.wall_ahead = timedelta(days=-365)
        async with later.at_work():
            behind = (last - later.site.time.now()).total_seconds()
            assert behind <= (0 if end == "in order" else 75)

    run(story)


REMOTE_STEPS = ("before", "told", "released", "opened", "done")


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("step", REMOTE_STEPS)
def test_a_door_is_opened_from_afar_in_time_or_not_at_all(tmp_path, step, jump):
    """Whatever the wall clock does: a jump that is believed has its say, a larger one ends it."""
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            jumper = Jumper(town, step, JUMPS[jump])
            jumper.at("before")
            until = town.clock.monotonic() + 60
            town.cabinet.before_pulse = lambda _door: jumper.at("released")
            command = tell(town)
            jumper.at("told")
            await town.until(lambda: pulses(town) == 1 or bool(ends(town, command)))
            if pulses(town):
                assert town.clock.monotonic() < until
                town.cabinet.pull(6)
                jumper.at("opened")
            found = await ended(town, command)
            jumper.at("done")
            await asyncio.sleep(120)
            is_moved = pulses(town) == 1
            assert found == ("done" if is_moved else "refused time_doubted")
            large, early = abs(JUMPS[jump]) > 300, step in ("before", "told")
            assert is_moved is not (large and early)

    run(story)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_command_that_waits_while_the_clock_jumps_is_never_late(tmp_path, jump):
    town = Town(tmp_path / "site.db", machine=False, session_idle_s=600)

    async def story():
        async with town.at_work():
            town.site.press("help")
            command = tell(town, life_s=100)
            until = town.clock.monotonic() + 100
            await asyncio.sleep(30)
            town.clock.ahead += timedelta(seconds=JUMPS[jump])
            town.cabinet.before_pulse = lambda _door: pytest.fail("a door moved")
            await asyncio.sleep(until - town.clock.monotonic())
            town.site.press("end")
            assert await ended(town, command) in ("expired", "refused time_doubted")
            await asyncio.sleep(200)
            assert pulses(town) == 0

    run(story)

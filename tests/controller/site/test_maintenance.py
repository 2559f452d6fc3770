"""A cabinet in the hands of staff: the key is no alarm, nothing new is begun, it ends by itself."""

from controller.entries import Down
from tests.controller.site.staffing import staff
from tests.controller.site.visit import alarms, begun, bolts, standing
from tests.controller.site.world import Town, qr_of, run


async def serviced(town: Town, minutes: int = 30) -> None:
    """Staff have begun it and gone away."""
    await staff(town)
    for text, value in (
        ("maintenance_why", "maintenance"),
        ("maintenance_how_long", "repair"),
        ("maintenance_begun", str(minutes)),
    ):
        town.site.press("choose", value)
        await town.shows(text)
    town.site.press("end")
    await town.shows("start_serviced")


def test_a_door_opened_with_the_key_is_on_record_and_no_alarm(town):
    async def story():
        async with town.at_work():
            await serviced(town)
            (began,) = town.up("maintenance.began")
            assert (began["where"], began["reason"], began["badge"]) == ("A", "repair", "badge21")
            assert began["until"][:16] == "2026-11-24T01:30"
            town.cabinet.force(2)
            await town.until(lambda: town.count("door.forced") == 1)
            assert town.up("door.forced")[0]["maintenance"]
            town.cabinet.close(2)
            await town.until(lambda: town.count("door.closed") > 0)
            assert standing(town) == ["maintenance"]
            await town.shows("start", within_s=2_000)
            assert town.up("maintenance.ended")[0]["badge"] is None
            assert standing(town) == []
            town.cabinet.force(2)
            await town.until(lambda: "door_forced" in standing(town))
            assert "maintenance" not in town.up("door.forced")[1]

    run(story)


def test_nothing_is_collected_or_loaded_there_until_it_is_over(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.order("N2", number=2)
            await serviced(town)
            moved = bolts(town)
            town.reader.hold(qr_of(1))
            view = await town.shows("serviced")
            assert view.values["until"] == "09:30"
            assert view.screen == "refused"
            await town.shows("start_serviced")
            await town.badge()
            town.reader.hold("OWL:N2-seal1")
            await town.shows("loading_serviced")
            town.site.press("end")
            command = {"command": "C1", "cabinet": "A", "no": 5, "reason": "look"}
            by = {"requested_by": "ops", "approved_by": None}
            town.confirm_time()
            late = {"expires_at": "2026-11-24T02:00:00.000Z"}
            town.tell(Down.COMPARTMENT_OPEN, command | by | late)
            await town.until(lambda: town.count("command.refused") == 1)
            assert town.up("command.refused")[0]["reason"] == "maintenance"
            assert bolts(town) == moved
            await town.shows("start", within_s=2_000)
            await begun(town)
            assert await town.take() == ["OWL:N1-seal1"]

    run(story)


def test_it_survives_a_restart_and_doors_left_open_alarm_at_its_end(town):
    async def story():
        async with town.at_work():
            await serviced(town)
            town.cabinet.force(2)
            await town.until(lambda: town.count("door.forced") == 1)
        async with town.at_work():
            await town.shows("start_serviced")
            assert standing(town) == ["maintenance"]
            await town.shows("start", within_s=4_000)
            assert standing(town) == ["door_forced"]

    run(story)


def test_staff_end_it_before_its_time(town):
    async def story():
        async with town.at_work():
            await serviced(town, 120)
            await staff(town)
            assert "maintenance" not in [each.value for each in town.view.choices]
            town.site.press("choose", "maintained:A")
            await town.shows("maintenance_over")
            assert town.up("maintenance.ended")[0]["badge"] == "badge21"
            town.site.press("end")
            await town.shows("start")
            assert alarms(town) == ["maintenance"]
            assert standing(town) == []

    run(story)

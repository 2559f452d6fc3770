"""Found by going every way: a door that a visit left open keeps its other doors shut."""

from tests.controller.site.visit import begun
from tests.controller.site.world import run


def test_who_left_a_door_open_does_not_have_the_one_before_again(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2)
            await begun(town)
            await town.until(lambda: bool(town.view.doors))
            first = town.door_shown()
            await town.take()
            second = await town.opened()
            town.hands += town.cabinet.take(second)
            await town.shows("still_open")
            town.site.press("end")
            await town.shows("rate", "all_taken", "some_left")
            assert "again" not in town.view.buttons
            town.cabinet.close(second)
            await town.until(lambda: "again" in town.view.buttons or town.view.text == "start")
            assert town.cabinet[first].bolts == 2  # loaded and collected

    run(story)

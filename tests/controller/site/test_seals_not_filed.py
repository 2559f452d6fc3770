"""Where the policy wants it, a set of seals is loaded only with its filing done."""

import asyncio

from controller.entries import Down
from tests.controller.site.visit import pulses, state_of
from tests.controller.site.world import Town, placed, run


def order(town: Town, *, filed: bool, name: str = "N1", number: int = 1) -> None:
    told = placed(name, number=number)
    told["items"] = [each | {"filed": filed} for each in told["items"]]
    town.tell(Down.ORDER_PLACED, told)


def test_a_set_without_seal_codes_is_refused_by_its_own_name_and_one_with_them_is_loaded(tmp_path):
    town = Town(tmp_path / "site.db", require_seal_codes=True)

    async def story():
        async with town.at_work():
            order(town, filed=False)
            order(town, filed=True, name="N2", number=2)
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            assert (await town.shows("seals_not_filed")).screen == "load"
            assert (pulses(town), state_of(town)) == (0, "expected")
            assert town.up("pickup.refused")[0]["reason"] == "seals_not_filed"
            await asyncio.sleep(3)
            await town.load("OWL:N2-seal1")
            assert state_of(town, "N2-seal1") == "loaded"

    run(story)


def test_by_default_a_set_is_loaded_without_them(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            assert state_of(town) == "loaded"

    run(story)

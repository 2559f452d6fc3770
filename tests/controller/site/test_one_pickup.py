from tests.controller.site.world import qr_of, run, typed_of


def test_a_seal_box_is_loaded_collected_and_the_code_is_dead(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            assert town.up("pickup.ready")[0]["expires_at"] == "2026-12-09T16:00:00.000Z"
            assert town.cabinet[door].bolts == 1

            town.reader.hold(qr_of(1))
            view = await town.shows("confirm")
            assert (view.screen, view.order, view.values["company"]) == (
                "confirm",
                "N1",
                "Company N1",
            )
            town.site.press("confirm")
            assert await town.take() == ["OWL:N1-seal1"]
            await town.shows("rate")
            assert town.view.items[0].state == "collected"
            town.site.press("rate", "5")
            await town.shows("all_taken")
            await town.shows("start")
            assert town.view.order is None

            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")
            assert town.cabinet[door].bolts == town.cabinet[door].pulses == 2
            assert [entry["kind"] for entry in town.up()][-9:] == [
                "pickup.started",
                "movement.intended",
                "door.opened",
                "movement.settled",
                "door.closed",
                "item.collected",
                "pickup.completed",
                "feedback.rated",
                "pickup.refused",
            ]

    run(story)


def test_a_licence_is_printed_and_taken(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            assert [entry["where"] for entry in town.up("item.loaded")] == ["M1"]
            assert town.up("pickup.ready")
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take_licence()
            await town.shows("rate")
            assert town.hands == ["JOB:1"]
            assert town.printer.moved == town.printer.frames == 1
            assert town.up("item.collected")[0]["by"] == "machine"

    run(story)


def test_a_typed_code_opens_with_the_phones_last_four(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2, licence=True)
            town.site.press("code", f"{typed_of(1)} 0001")
            await town.shows("code_unknown")
            town.site.press("code", f"{typed_of(1)} 0000")
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take()
            await town.take()
            await town.take_licence()
            await town.shows("rate")
            assert sorted(town.hands) == ["JOB:1", "OWL:N1-seal1", "OWL:N1-seal2"]
            assert town.up("pickup.completed")

    run(story)


def test_without_item_sensors_people_say_what_they_did(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            await town.loaded()
            assert town.up("item.loaded")[0]["by"] == "person"
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take()
            await town.shows("did_you_take")
            town.site.press("taken")
            await town.shows("rate")
            assert town.up("item.collected")[0]["by"] == "person"

    run(story)

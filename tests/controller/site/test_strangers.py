"""What somebody without a right to anything sees, and what it costs the site."""

import asyncio

import pytest

from controller.codes import qr_text
from controller.entries import Down
from controller.refusals import Reason, Refused
from controller.site.kiosk import KioskView
from tests.controller.site.world import (
    SITE,
    Town,
    badge_text,
    code_of,
    qr_of,
    run,
    secret,
    typed_of,
)

VALID_S = 300.0


def what_is_shown(view: KioskView) -> tuple[object, ...]:
    return view.screen, view.text, dict(view.values), view.buttons, view.order, view.items


async def collected(town: Town) -> None:
    await town.loaded()
    town.reader.hold(qr_of(1))
    await town.shows("confirm")
    town.site.press("confirm")
    await town.take()
    await town.shows("rate")
    town.site.press("skip")
    await town.shows("start")


async def spent(town: Town) -> str:
    await collected(town)
    return qr_of(1)


async def wrong(_town: Town) -> str:
    return qr_of(9)


async def replaced(town: Town) -> str:
    await town.loaded()
    town.tell(
        Down.CODE_REPLACED,
        {"order": "N1", "replaces": "N1-code0", "code": code_of("N1", 2, generation=1)},
    )
    return qr_of(1)


async def cancelled(town: Town) -> str:
    await town.loaded()
    town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "asked"})
    return qr_of(1)


async def expired(town: Town) -> str:
    await town.loaded()
    await asyncio.sleep(VALID_S)
    return qr_of(1)


DEAD_CODES = [wrong, spent, replaced, cancelled, expired]


@pytest.mark.parametrize("how", DEAD_CODES, ids=lambda how: how.__name__)
def test_a_stranger_sees_one_refusal_for_every_dead_code(tmp_path, how):
    town = Town(tmp_path / "site.db", code_valid_s=VALID_S)

    async def story():
        async with town.at_work():
            text = await how(town)
            pulses = sum(box.pulses for box in town.cabinet.boxes)
            town.reader.hold(text)
            began = asyncio.get_running_loop().time()
            await town.shows("code_unknown")
            assert asyncio.get_running_loop().time() - began <= 0.06
            assert what_is_shown(town.view) == (
                "refused",
                "code_unknown",
                {},
                ("code", "end", "problem", "language"),
                None,
                (),
            )
            refused = town.up("pickup.refused")[-1]
            assert (refused["reason"], refused["how"]) == ("code_unknown", "qr")
            await town.shows("start")
            assert sum(box.pulses for box in town.cabinet.boxes) == pulses

    run(story)


def test_a_replaced_code_is_dead_and_the_new_one_opens(town):
    async def story():
        async with town.at_work():
            await replaced(town)
            town.site.press("code", typed_of(1) + "0000")
            await town.shows("code_unknown")
            town.reader.hold(qr_of(2))
            assert (await town.shows("confirm")).order == "N1"

    run(story)


def test_a_code_for_another_site_is_told_where_to_go(town):
    async def story():
        async with town.at_work():
            town.reader.hold(qr_text("FT-0002", secret(1)))
            assert (await town.shows("code_other_site")).values == {"site": "FT-0002"}

    run(story)


def test_a_good_code_before_all_is_loaded_is_told_to_wait(town):
    async def story():
        async with town.at_work():
            town.order()
            town.reader.hold(qr_of(1))
            assert (await town.shows("code_not_ready")).order is None
            assert all(box.pulses == 0 for box in town.cabinet.boxes)

    run(story)


HOSTILE = {
    "a label": "OWL:N1-seal1",
    "noise": "\x00\x7f" * 2048,
    "an emoji": "🔓",
    "a URL": "https://example.org/?q=1",
    "SQL": "'; DROP TABLE journal; --",
    "half a code": f"OW1:{SITE}:ABC",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_code_gets_a_hint_and_the_site_goes_on(town, text):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            before = len(town.up())
            town.reader.hold(text)
            await town.shows("not_a_code")
            assert len(town.up()) == before
            assert all(text not in str(view) for view in town.seen)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")

    run(story)


def test_an_unknown_badge_opens_nothing(town):
    async def story():
        async with town.at_work():
            town.reader.hold(badge_text(7))
            await town.shows("badge_unknown")
            assert town.up("pickup.refused")[0]["how"] == "badge"

    run(story)


def test_the_same_text_still_before_the_scanner_counts_once(town):
    async def story():
        async with town.at_work():
            for _ in range(5):
                town.site.scanned(qr_of(9))
                await asyncio.sleep(0.5)
            assert len(town.up("pickup.refused")) == 1
            await asyncio.sleep(2.5)
            town.site.scanned(qr_of(9))
            await asyncio.sleep(0.1)
            assert len(town.up("pickup.refused")) == 2

    run(story)


def test_a_button_that_is_not_on_the_screen_is_refused(town):
    async def story():
        async with town.at_work():
            for button in ("confirm", "taken", "rate", "open all", ""):
                with pytest.raises(Refused) as refused:
                    town.site.press(button)
                assert refused.value.reason is Reason.BUTTON_NOT_OFFERED

    run(story)


def test_every_screen_offers_a_problem_and_another_language(town):
    async def story():
        async with town.at_work():
            town.site.press("language")
            assert town.view.lang == "zh-CN"
            town.site.press("problem", "missing")
            assert town.view.case == town.up("problem.reported")[0]["case"]
            await collected(town)
        assert all({"problem", "language"} <= set(view.buttons) for view in town.seen)

    run(story)


async def try_typed(town: Town, number: int) -> str:
    town.site.press("code", typed_of(number) + "9999")
    await town.until(lambda: town.view.text in ("code_unknown", "too_many_tries"))
    text = str(town.view.text)
    town.site.press("end")
    await town.shows("start")
    return text


def test_wrong_typed_codes_are_slowed_and_a_right_qr_never_is(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            answers = [await try_typed(town, 100 + n) for n in range(5)]
            assert answers == ["code_unknown"] * 4 + ["too_many_tries"]
            town.reader.hold(qr_of(1))
            await town.shows("confirm")

    run(story)


def test_somebody_who_mistyped_keeps_the_language_they_chose_and_the_next_person_does_not(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await town.shows("start")
            home = town.view.lang
            town.site.press("language")
            chosen = town.view.lang
            assert chosen != home
            for tries in (1, 2, 3):
                town.site.press("code", typed_of(100 + tries) + "9999")
                await town.until(lambda tries=tries: len(town.up("pickup.refused")) == tries)
                await town.shows("code_unknown")
                assert town.view.lang == chosen
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            assert town.view.lang == chosen
            town.site.press("end")
            await town.shows("start")
            assert town.view.lang == home

    run(story)


def test_wrong_tries_are_counted_over_a_restart(town):
    async def story():
        async with town.at_work():
            for n in range(4):
                await try_typed(town, 100 + n)
        async with town.at_work():
            assert await try_typed(town, 200) == "too_many_tries"

    run(story)


def test_a_guesser_is_locked_out_and_at_last_an_alarm_stands(town):
    async def story():
        async with town.at_work():
            wrong = 0
            while not town.up("alarm.raised"):
                wrong += await try_typed(town, 1000 + wrong) == "code_unknown"
                await asyncio.sleep(41)
            assert wrong == 20
            assert [alarm["does"] for alarm in town.up("alarm.raised")] == ["guessing"]
            waited = asyncio.get_running_loop().time()
            while await try_typed(town, 5000) == "too_many_tries":  # noqa: ASYNC110 - as people do
                await asyncio.sleep(60)
            assert asyncio.get_running_loop().time() - waited >= 1_700

    run(story)


def test_eight_digits_that_were_guessed_at_rest_while_their_qr_is_good(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            for _ in range(5):
                assert await try_typed(town, 1) == "code_unknown"
                await asyncio.sleep(250)
            town.site.press("code", typed_of(1) + "0000")
            await town.shows("code_unknown")
            town.reader.hold(qr_of(1))
            await town.shows("confirm")

    run(story)

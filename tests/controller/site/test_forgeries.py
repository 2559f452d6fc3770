"""What came by the link and was refused is one alarm, which ends when nothing more comes."""

import asyncio

from controller.site.forgeries import QUIET_S
from tests.controller.site.visit import standing
from tests.controller.site.world import SITE, run

REFUSED = ("journal_broken", SITE, "sealed with a key that is not this site's")


def test_however_many_forged_messages_come_the_alarm_is_raised_once_and_ends_in_quiet(town):
    async def story():
        async with town.at_work():
            for _ in range(20):
                town.site.link_refused(*REFUSED)
                await asyncio.sleep(QUIET_S / 2)
                assert "journal_broken" in standing(town)
            await asyncio.sleep(QUIET_S)
            assert "journal_broken" not in standing(town)
            raised = [each for each in town.up("alarm.raised") if each["does"] == "journal_broken"]
            assert len(raised) == 1

    run(story)


def test_an_alarm_of_before_a_restart_ends_too(town):
    async def story():
        async with town.at_work():
            town.site.link_refused(*REFUSED)
        async with town.at_work():
            assert "journal_broken" in standing(town)
            await asyncio.sleep(QUIET_S * 1.5)
            assert "journal_broken" not in standing(town)

    run(story)

"""What could not be written down is not done."""

import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from controller.store import StoreBroken
from tests.controller.site.visit import bolts
from tests.controller.site.world import qr_of, run


def fails(_connection):
    raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))


def test_no_pulse_follows_a_commit_that_failed(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            moved = bolts(town)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            event.listen(town.store.writer, "commit", fails)
            town.site.press("confirm")
            try:
                await town.shows("out_of_service")
            finally:
                assert bolts(town) == moved

    with pytest.raises(ExceptionGroup) as broken:
        run(story)
    assert broken.group_contains(StoreBroken)

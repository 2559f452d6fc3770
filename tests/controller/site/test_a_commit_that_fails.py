"""What could not be written down is not done."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from controller.prepared import carry_out
from controller.store import StoreBroken
from tests.controller.site.visit import bolts
from tests.controller.site.world import qr_of, run


def unless_commit(connection, sql):
    if sql == "COMMIT":
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))
    return carry_out(connection, sql)


def test_no_pulse_follows_a_commit_that_failed(town, monkeypatch):
    async def story():
        async with town.at_work():
            await town.loaded()
            moved = bolts(town)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            monkeypatch.setattr("controller.store.carry_out", unless_commit)
            town.site.press("confirm")
            try:
                await town.shows("out_of_service")
            finally:
                assert bolts(town) == moved

    with pytest.raises(ExceptionGroup) as broken:
        run(story)
    assert broken.group_contains(StoreBroken)

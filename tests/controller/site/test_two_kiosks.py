"""Two kiosks and two people at one site: neither disturbs the other."""

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from controller.refusals import Reason, Refused
from controller.settings import KioskTable, ScannerTable, SiteSettings
from controller.site.site import Site
from tests.controller.site.hardware import Reader
from tests.controller.site.visit import state_of
from tests.controller.site.world import PHONE, Town, at_once, badge_text, qr_of, run, typed_of


class Hall(Town):
    """K1 with the scanner S1, K2 with S2."""

    def __init__(self, path: Path, **policy: object) -> None:
        super().__init__(path, **policy)
        second = ScannerTable(name="S2", url="scanner+serial:///dev/zero", kiosk="K2")
        self.settings = self.settings.model_copy(
            update={
                "kiosk": [KioskTable(name="K1"), KioskTable(name="K2")],
                "scanner": [*self.settings.scanner, second],
            }
        )
        self.reader2 = Reader()
        self.reader2.name = "S2"

    def build(self, clock) -> Site:
        return Site(
            self.settings,
            self.store,
            clock,
            boards={"A": [self.cabinet]},
            machines={"M1": self.printer},
            readers={"S1": self.reader, "S2": self.reader2},
            step=self.step,
            slow=at_once,
        )

    def text(self, kiosk: str) -> str:
        return self.site.kiosk_view(kiosk).text

    async def shows_at(self, kiosk: str, text: str) -> None:
        await self.until(lambda: self.text(kiosk) == text)

    async def pulls(self, kiosk: str) -> int:
        """Whoever stands there pulls at the door that this screen names."""
        await self.shows_at(kiosk, "opening")
        (where,) = self.site.kiosk_view(kiosk).doors
        door = int(where.removeprefix("A/"))
        await self.until(lambda: self.cabinet.is_unlocked(door))
        await asyncio.sleep(1)
        assert self.cabinet.pull(door)
        await asyncio.sleep(0.5)
        return door

    async def begins(self, kiosk: str, reader: Reader, number: int) -> int:
        """A pickup at this kiosk, by somebody who looks at its screen only, up to the open door."""
        reader.hold(qr_of(number))
        await self.shows_at(kiosk, "confirm")
        assert self.site.kiosk_view(kiosk).order == f"N{number}"
        self.site.press("confirm", None, kiosk)
        door = await self.pulls(kiosk)
        await self.shows_at(kiosk, "take")
        return door

    async def collects(self, kiosk: str, reader: Reader, number: int) -> None:
        door = await self.begins(kiosk, reader, number)
        await asyncio.sleep(2)
        assert self.cabinet.take(door) == [f"OWL:N{number}-seal1"]
        self.cabinet.close(door)
        await self.shows_at(kiosk, "rate")


@pytest.fixture
def hall(tmp_path) -> Hall:
    return Hall(tmp_path / "site.db")


def test_two_people_collect_at_the_same_time(hall):
    async def story():
        async with hall.at_work():
            await hall.loaded()
            await hall.loaded("N2", number=2)
            await asyncio.gather(
                hall.collects("K1", hall.reader, 1), hall.collects("K2", hall.reader2, 2)
            )
            assert {state_of(hall, f"N{n}-seal1") for n in (1, 2)} == {"collected"}
            assert not hall.up("alarm.raised")
            assert len({each["session"] for each in hall.up("pickup.completed")}) == 2

    run(story)


def test_a_vendor_loads_at_one_kiosk_while_somebody_collects_at_the_other(hall):
    """Both doors of one cabinet stand open at the same time, each before its own person."""

    async def story():
        async with hall.at_work():
            await hall.loaded()
            for number in (2, 3):
                hall.order(f"N{number}", number=number)
            await asyncio.sleep(3)
            hall.reader.hold(badge_text(20))
            await hall.shows_at("K1", "load_next")
            hall.reader.hold("OWL:N2-seal1")
            first = await hall.pulls("K1")
            theirs = await hall.begins("K2", hall.reader2, 1)
            assert theirs != first
            assert hall.cabinet[first].open
            assert hall.cabinet[theirs].open
            assert hall.text("K1") == "load_open"
            hall.cabinet.put(first, "OWL:N2-seal1")
            await hall.shows_at("K1", "load_close")
            assert hall.text("K2") == "take"  # nothing was taken there yet
            hall.cabinet.close(first)
            await hall.shows_at("K1", "loaded")
            hall.reader.hold("OWL:N3-seal1")
            second = await hall.pulls("K1")
            assert second not in (first, theirs)  # it is not free before its item is out
            assert hall.cabinet.take(theirs) == ["OWL:N1-seal1"]
            hall.cabinet.close(theirs)
            await hall.shows_at("K2", "rate")
            hall.cabinet.put(second, "OWL:N3-seal1")
            hall.cabinet.close(second)
            await hall.until(lambda: hall.count("item.loaded") == 3)
            assert {state_of(hall, f"N{n}-seal1") for n in (2, 3)} == {"loaded"}
            assert state_of(hall, "N1-seal1") == "collected"
            assert not hall.up("alarm.raised")
            assert sum(box.bolts for box in hall.cabinet.boxes) == 4

    run(story)


def test_a_door_that_jams_at_one_kiosk_does_not_touch_the_visit_at_the_other(hall):
    async def story():
        async with hall.at_work():
            (stuck,) = await hall.loaded()
            await hall.loaded("N2", number=2)
            hall.cabinet[stuck].jammed = True
            hall.reader.hold(qr_of(1))
            await hall.shows_at("K1", "confirm")
            hall.site.press("confirm", None, "K1")
            await hall.collects("K2", hall.reader2, 2)
            await hall.shows_at("K1", "stuck")
            hall.site.press("end", None, "K1")
            assert [each["where"] for each in hall.up("alarm.raised")] == [f"A/{stuck}"]
            assert state_of(hall, "N1-seal1") == "loaded"

    run(story)


def test_a_licence_is_presented_to_one_kiosk_at_a_time(hall):
    """Both orders need the one machine: the second person waits a moment."""

    async def story():
        async with hall.at_work():
            await asyncio.sleep(3)
            for number in (1, 2):
                hall.order(f"N{number}", seals=0, licence=True, number=number)
            await hall.until(lambda: hall.count("pickup.ready") == 2)
            hall.reader.hold(qr_of(1))
            hall.reader2.hold(qr_of(2))
            for kiosk in ("K1", "K2"):
                await hall.shows_at(kiosk, "confirm")
            for kiosk in ("K1", "K2"):
                hall.site.press("confirm", None, kiosk)
            await hall.shows_at("K1", "printing")
            await hall.shows_at("K2", "machine_busy")
            await hall.take_licence()
            await hall.shows_at("K1", "rate")
            await hall.take_licence()
            await hall.shows_at("K2", "rate")
            assert {state_of(hall, f"N{n}-licence") for n in (1, 2)} == {"collected"}
            assert not hall.up("problem.reported")
            assert hall.printer.moved == 2

    run(story)


def test_one_code_at_two_kiosks_is_one_pickup(hall):
    async def story():
        async with hall.at_work():
            await hall.loaded()
            hall.reader.hold(qr_of(1))
            hall.reader2.hold(qr_of(1))
            await hall.shows_at("K1", "confirm")
            await hall.shows_at("K2", "confirm")
            hall.site.press("confirm", None, "K1")
            hall.site.press("confirm", None, "K2")
            await hall.until(lambda: "code_unknown" in (hall.text("K1"), hall.text("K2")))
            await asyncio.sleep(1)
            assert len(hall.up("pickup.started")) == 1
            assert sum(box.pulses for box in hall.cabinet.boxes) == 2

    run(story)


def test_guessing_at_one_kiosk_slows_nobody_at_the_other(hall):
    async def story():
        async with hall.at_work():
            await hall.loaded()
            for n in range(4):
                hall.site.press("code", typed_of(100 + n) + PHONE, "K1")
                await hall.shows_at("K1", "code_unknown")
                hall.site.press("end", None, "K1")
                await hall.shows_at("K1", "start")
            hall.site.press("code", typed_of(1) + PHONE, "K1")
            await hall.shows_at("K1", "too_many_tries")
            hall.site.press("code", typed_of(1) + PHONE, "K2")
            await hall.shows_at("K2", "confirm")

    run(story)


def test_a_kiosk_that_is_not_there_is_said_to_be_none(hall):
    async def story():
        async with hall.at_work():
            for ask in (hall.site.kiosk_view, lambda kiosk: hall.site.press("help", None, kiosk)):
                with pytest.raises(Refused) as refused:
                    ask("K9")
                assert refused.value.reason is Reason.NOT_FOUND
            assert hall.site.kiosk_view() is hall.site.kiosk_view("K1")

    run(story)


def test_a_scanner_at_a_kiosk_that_is_not_there_is_refused_by_its_key(hall):
    told = hall.settings.model_dump(exclude={"kiosk"})
    with pytest.raises(ValidationError, match="kiosk"):
        SiteSettings(**told)

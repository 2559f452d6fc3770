"""A second proof beside the code: phone, identity card or a member of staff, as the policy asks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType

import pytest

from controller.codes import keyed_hash, typed_hash
from controller.entries import Down
from controller.faults import BadReply
from controller.ports import IdCard
from controller.settings import CardReaderTable, PolicyTable
from controller.site.second_factor import STRENGTH, wanted
from controller.site.site import Site
from tests.controller.site.visit import bolts
from tests.controller.site.world import (
    CODE_KEY,
    PHONE,
    SALT,
    Town,
    at_once,
    badge_text,
    placed,
    qr_of,
    run,
    secret,
    typed_of,
)

NUMBER = "11010519491231002X"


async def collected(town: Town) -> None:
    """The proof is good: everything of the order is taken."""
    await town.shows("confirm")
    town.site.press("confirm")
    await town.take()
    await town.shows("rate")


class CardReader:
    """One card after the other."""

    name = "I1"

    def __init__(self) -> None:
        self.cards_held: asyncio.Queue[IdCard] = asyncio.Queue()
        self.given: list[IdCard] = []
        self.broken = False

    def hold(self, number: str) -> None:
        self.cards_held.put_nowait(IdCard("somebody", number))

    async def cards(self) -> AsyncIterator[IdCard]:
        while True:
            if self.broken:
                raise BadReply(self.name, "three cards in a row could not be read")
            card = await self.cards_held.get()
            self.given.append(card)
            yield card


class CardTown(Town):
    def __init__(self, path: Path, **policy: object) -> None:
        super().__init__(path, **policy)
        self.cards = CardReader()
        reader = CardReaderTable(name="I1", url="idcard+serial:///dev/null")
        self.settings = self.settings.model_copy(update={"card_reader": [reader]})

    def build(self, clock) -> Site:
        return Site(
            self.settings,
            self.store,
            clock,
            boards={"A": [self.cabinet]},
            machines={"M1": self.printer},
            readers={"S1": self.reader},
            card_readers=MappingProxyType({"I1": self.cards}),
            step=self.step,
            slow=at_once,
        )

    def order(
        self,
        order: str = "N1",
        *,
        card: str | None = NUMBER,
        tails=True,
        cardless: str | None = None,
        **what,
    ) -> None:
        """`cardless`: the end of the phone of another recipient, of whom no card is on file."""
        told = placed(order, **what)
        (code,) = told["codes"]
        number = what.get("number", 1)
        if tails:
            code["tails"] = [keyed_hash(CODE_KEY, f"{secret(number)}{PHONE}")]
        code["id_hashes"] = [keyed_hash(CODE_KEY, card)] if card else []
        if cardless is not None:
            whole = typed_hash(SALT, typed_of(number), cardless)
            code["typed"].append(whole)
            code["without_card"] = [keyed_hash(CODE_KEY, f"{secret(number)}{cardless}"), whole]
            code["tails"].append(code["without_card"][0])
        self.tell(Down.ORDER_PLACED, told)


@pytest.fixture
def hall(tmp_path):
    def made(**policy) -> CardTown:
        return CardTown(tmp_path / "site.db", **policy)

    return made


@pytest.mark.parametrize("every", STRENGTH)
@pytest.mark.parametrize("seals", STRENGTH)
def test_seals_may_ask_for_more_and_never_for_less(every, seals):
    policy = PolicyTable(second_factor=every, second_factor_seals=seals)
    assert wanted(policy, ["business_licence"]) == every
    assert wanted(policy, ["business_licence", "seal_set"]) in (every, seals)
    both = STRENGTH.index(wanted(policy, ["seal_set"]))
    assert both == max(STRENGTH.index(every), STRENGTH.index(seals))


def test_with_a_phone_asked_for_the_qr_alone_opens_nothing(hall):
    town = hall(second_factor="phone4")

    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            view = await town.shows("ask_phone4")
            assert (view.screen, view.order, view.items) == ("second_factor", None, ())
            town.site.press("code", "9999")
            await town.shows("phone4_wrong")
            assert bolts(town) == 1
            town.site.press("code", PHONE)
            await collected(town)
            assert town.up("pickup.started")[0]["factor"] == "phone4"
            assert [each["how"] for each in town.up("pickup.refused")] == ["second_factor"]

    run(story)


def test_a_typed_code_has_named_the_phone_already(hall):
    town = hall(second_factor="phone4")

    async def story():
        async with town.at_work():
            await town.loaded()
            town.site.press("code", typed_of(1) + PHONE)
            await town.shows("confirm")

    run(story)


def test_a_code_without_a_tail_of_its_own_takes_the_whole_typed_code(hall):
    town = hall(second_factor="phone4")

    async def story():
        async with town.at_work():
            await town.loaded(tails=False)
            town.reader.hold(qr_of(1))
            await town.shows("ask_phone4")
            town.site.press("code", PHONE)
            await town.shows("phone4_wrong")
            town.site.press("code", typed_of(1) + PHONE)
            await town.shows("confirm")

    run(story)


def test_a_lent_picture_of_a_code_is_no_way_to_guess_four_digits(hall):
    town = hall(second_factor="phone4")

    async def story():
        async with town.at_work():
            await town.loaded()
            tried = 0
            for _ in range(2):
                town.reader.hold(qr_of(1))
                await town.shows("ask_phone4")
                while town.view.text in ("ask_phone4", "phone4_wrong"):
                    town.site.press("code", f"{1000 + tried}")
                    tried += 1
                    await asyncio.sleep(1)
                    if tried > 10:
                        break
                assert town.view.text in ("code_unknown", "too_many_tries")
                await town.shows("start")
                await asyncio.sleep(3)
            assert tried <= town.settings.policy.code_tries + 1
            town.reader.hold(qr_of(1))
            await town.shows("ask_phone4")
            town.site.press("code", PHONE)
            await town.shows("too_many_tries")
            assert bolts(town) == 1

    run(story)


def test_an_identity_card_opens_the_order_of_its_owner_only(hall):
    town = hall(second_factor_seals="id_card")

    async def story():
        async with town.at_work():
            await town.loaded()
            town.cards.hold(NUMBER)  # before anybody asked: forgotten
            await asyncio.sleep(1)
            town.reader.hold(qr_of(1))
            await town.shows("ask_id_card")
            town.cards.hold("11010519491231001X")
            await town.shows("id_card_other")
            town.cards.hold(NUMBER.lower())
            await collected(town)
            assert town.up("pickup.started")[0]["factor"] == "id_card"
            assert {card.number for card in town.cards.given} == {""}
            assert NUMBER not in town.path.read_bytes().decode("latin-1")

    run(story)


def test_who_has_no_identity_card_shows_the_phone(hall):
    town = hall(second_factor="id_card")

    async def story():
        async with town.at_work():
            await town.loaded(card=None)
            town.reader.hold(qr_of(1))
            await town.shows("ask_phone4")

    run(story)


@pytest.mark.parametrize(
    ("policy", "asked"), [({}, "ask_clerk"), ({"second_factor_no_reader": "phone4"}, "ask_phone4")]
)
def test_a_reader_that_is_unplugged_leaves_what_the_policy_says(hall, policy, asked):
    town = hall(second_factor="id_card", **policy)

    async def story():
        async with town.at_work():
            await town.loaded()
            town.cards.broken = True
            town.cards.hold(NUMBER)
            await asyncio.sleep(20)
            town.reader.hold(qr_of(1))
            await town.shows(asked)
            assert bolts(town) == 1

    run(story)


OTHER_PHONE = "4321"


@pytest.mark.parametrize("shown", ["qr", "typed"])
def test_of_several_recipients_who_has_no_card_on_file_shows_the_phone(hall, shown):
    town = hall(second_factor="id_card")

    async def story():
        async with town.at_work():
            await town.loaded(cardless=OTHER_PHONE)
            if shown == "qr":
                town.reader.hold(qr_of(1))
                await town.shows("ask_card_or_phone")
                town.site.press("code", OTHER_PHONE)
            else:
                town.site.press("code", typed_of(1) + OTHER_PHONE)
            await collected(town)
            assert town.up("pickup.started")[0]["factor"] == "phone4"

    run(story)


@pytest.mark.parametrize("shown", ["qr", "typed"])
def test_the_phone_of_a_recipient_whose_card_is_on_file_proves_nothing(hall, shown):
    town = hall(second_factor="id_card")

    async def story():
        async with town.at_work():
            await town.loaded(cardless=OTHER_PHONE)
            if shown == "qr":
                town.reader.hold(qr_of(1))
                await town.shows("ask_card_or_phone")
                town.site.press("code", PHONE)
                await town.shows("phone4_not_enough")
            else:
                town.site.press("code", typed_of(1) + PHONE)
                await town.shows("ask_id_card")
            assert bolts(town) == 1
            town.cards.hold(NUMBER)
            await collected(town)
            assert town.up("pickup.started")[0]["factor"] == "id_card"

    run(story)


def test_without_a_reader_who_has_no_card_on_file_types_the_whole_code(hall):
    town = hall(second_factor="id_card")

    async def story():
        async with town.at_work():
            await town.loaded(cardless=OTHER_PHONE)
            town.cards.broken = True
            town.cards.hold(NUMBER)
            await asyncio.sleep(20)
            town.site.press("code", typed_of(1) + OTHER_PHONE)
            await town.shows("confirm")
            town.site.press("end")
            await town.shows("start")
            town.site.press("code", typed_of(1) + PHONE)
            await town.shows("ask_clerk")

    run(story)


def test_licences_alone_need_no_proof_that_only_seals_need(hall):
    town = hall(second_factor_seals="clerk")

    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")

    run(story)


def test_a_member_of_staff_answers_for_a_person_and_is_named(hall):
    town = hall(second_factor="clerk")

    async def story():
        async with town.at_work():
            await town.loaded()
            town.grant(21, role="staff", vendor=None)
            town.reader.hold(qr_of(1))
            await town.shows("ask_clerk")
            town.reader.hold(badge_text(20))  # a vendor's
            await town.shows("badge_unknown")
            await asyncio.sleep(3)
            town.reader.hold(badge_text(21))
            await collected(town)
            (told,) = town.up("pickup.started")
            assert (told["factor"], told["badge"]) == ("clerk", "badge21")

    run(story)


def test_who_gives_up_opens_nothing_and_the_code_stays_good(hall):
    town = hall(second_factor="phone4")

    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            await town.shows("ask_phone4")
            town.site.press("end")
            assert (await town.shows("start", "confirm", "opening")).text == "start"
            await asyncio.sleep(3)
            town.reader.hold(qr_of(1))
            await town.shows("ask_phone4")
            town.site.press("code", PHONE)
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take()

    run(story)

"""ID cards: the exchange of the module's manual, and what must not stay behind."""

import asyncio
import logging
from contextlib import aclosing
from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.faults import BadReply, LineDown, NoReply, NotConfigured
from controller.ports import IdCard
from firmware_bridge.idcard import CardWire, card_of
from firmware_bridge.open import Bridge
from firmware_bridge.urls import BadUrl
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

URL = "idcard+serial:///dev/ttyUSB1?baud=115200"
FIND = bytes.fromhex("AA AA AA 96 69 00 03 20 01 22")
SELECT = bytes.fromhex("AA AA AA 96 69 00 03 20 02 21")
READ = bytes.fromhex("AA AA AA 96 69 00 03 30 01 32")
FOUND = bytes.fromhex("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97")
NONE = bytes.fromhex("AA AA AA 96 69 00 04 00 00 80 84")
SELECTED = bytes.fromhex("AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C")
NOT_SELECTED = bytes.fromhex("AA AA AA 96 69 00 04 00 00 81 85")
NOT_READ = bytes.fromhex("AA AA AA 96 69 00 04 00 00 41 45")
NUMBER = "11010519491231002X"


def text_of(name="张三", number=NUMBER, birth="19491231"):
    fields = [
        (name, 15),
        ("2", 1),
        ("01", 2),
        (birth, 8),
        ("北京市朝阳区示例路1号", 35),
        (number, 18),
        ("北京市公安局朝阳分局", 15),
        ("20200101", 8),
        ("20400101", 8),
        ("", 18),
    ]
    return "".join(value.ljust(size) for value, size in fields).encode("utf-16-le")


def told(text):
    body = bytes.fromhex("05 08 00 00 90 01 00 04 00") + text + bytes(1024)
    return bytes.fromhex("AA AA AA 96 69") + body + bytes([reduce(xor, body)])


class Reader:
    """A card that lies there is found until it was read, and then not before it was taken away."""

    def __init__(self, *texts):
        self.texts = list(texts)
        self.asked = []
        self.hangs = False

    def __call__(self, frame):
        self.asked.append(frame)
        if frame == FIND:
            return [(0.05, FOUND if self.texts else NONE)]
        if frame == SELECT:
            return [(0.1, NOT_SELECTED if self.hangs else SELECTED)]
        return [(0.4, told(self.texts.pop(0)))] if self.texts else [(0.4, NOT_READ)]


def reader_of(far):
    plugs = Plugboard(far)
    return Bridge(loop_clock(), opener=plugs).id_card_reader(URL, "C1"), plugs


def test_the_manual_s_example_is_what_it_says():
    text = text_of()
    assert len(text) == 256
    assert reduce(xor, text) == 0xC1
    assert told(text)[-1] == 0x59
    assert len(told(text)) == 1295


def test_a_card_is_found_selected_and_read_once():
    async def story():
        far = Reader(text_of(), text_of("李四", "440305199001010015", "19900101"))
        reader, _ = reader_of(far)
        seen = []
        async with aclosing(reader.cards()) as cards:
            async for card in cards:
                seen.append((card.name, card.number))
                if len(seen) == len({NUMBER}):
                    break
        assert seen == [("张三", NUMBER)]
        assert far.asked == [FIND, SELECT, READ]

    play(story())


def test_a_card_is_wiped_as_soon_as_the_next_is_asked_for_and_at_the_end():
    async def story():
        reader, _ = reader_of(Reader(text_of(), text_of()))
        async with aclosing(reader.cards()) as cards:
            first = await anext(cards)
            assert first.name == "张三"
            second = await anext(cards)
            assert (first.name, first.number) == ("", "")
            assert second.number == NUMBER
        assert (second.name, second.number) == ("", "")

    play(story())


def test_a_card_s_text_names_nobody(caplog):
    async def story():
        reader, _ = reader_of(Reader(text_of()))
        async with aclosing(reader.cards()) as cards:
            card = await anext(cards)
            for shown in (repr(card), str(card), f"{card}"):
                assert shown == "IdCard()"

    with caplog.at_level(logging.DEBUG):
        play(story())
    assert NUMBER not in caplog.text
    assert not hasattr(IdCard("张三", NUMBER), "__dict__")


def test_a_wire_keeps_nothing_of_a_card():
    wire = CardWire()
    whole = told(text_of())
    assert wire.feed(whole[:700]) == []
    held = wire._held
    assert len(wire.feed(whole[700:])) == 1
    assert not held


def test_no_card_is_no_news_and_is_asked_for_every_300_ms():
    async def story():
        far = Reader()
        reader, _ = reader_of(far)
        async with aclosing(reader.cards()) as cards:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await anext(cards)
        assert 20 <= len(far.asked) <= 34
        assert set(far.asked) == {FIND}

    play(story())


@pytest.mark.parametrize(
    "wrong",
    [
        text_of(number="110105194912310021"),  # check digit
        text_of(birth="19491230"),
        text_of(number="11010519491331002X", birth="19491331"),  # no such day
        text_of(name=""),
        b"\x00\xd8" * 128,
        bytes(256),
    ],
)
def test_a_card_whose_number_does_not_fit_is_nobody_s(wrong):
    assert card_of(wrong) is None


def test_a_card_may_name_a_district_that_is_younger_than_its_holder():
    number = "440304195810267820"  # the district is of 1990
    assert card_of(text_of(number=number, birth="19581026")).number == number


def test_a_foreigner_s_card_has_other_fields():
    text = "SMITH JOHN".ljust(60) + "1" + "USA110077012345".ljust(15) + "USA" + " " * 45 + "I   "
    encoded = text.encode("utf-16-le")
    assert len(encoded) == 256
    card = card_of(encoded)
    assert (card.name, card.number) == ("SMITH JOHN", "USA110077012345")


def test_a_reader_that_hangs_is_a_fault_after_three_cards():
    async def story():
        far = Reader(text_of())
        far.hangs = True
        reader, _ = reader_of(far)
        async with aclosing(reader.cards()) as cards:
            with pytest.raises(BadReply, match="3 cards in a row"):
                await anext(cards)
        assert far.asked == [FIND, SELECT] * 3

    play(story())


@pytest.mark.parametrize(("status", "why"), [("60", "self-test"), ("66", "not authorised")])
def test_a_reader_that_needs_service_is_not_asked_again(status, why):
    body = bytes.fromhex(f"00 04 00 00 {status}")
    answer = bytes.fromhex("AA AA AA 96 69") + body + bytes([reduce(xor, body)])

    async def story():
        reader, plugs = reader_of(lambda _: [(0.05, answer)])
        async with aclosing(reader.cards()) as cards:
            with pytest.raises(NotConfigured, match=why):
                await anext(cards)
        assert len(plugs.frames) == 1

    play(story())


def test_a_silent_reader_and_one_that_is_gone():
    async def story():
        reader, plugs = reader_of(lambda _: [])
        async with aclosing(reader.cards()) as cards:
            with pytest.raises(NoReply, match="3 questions missed"):
                await anext(cards)
        plugs.broken = True
        plugs.lines[-1].unplug()
        async with aclosing(reader.cards()) as cards:
            with pytest.raises(LineDown):
                await anext(cards)

    play(story())


def test_frames_are_found_in_noise_and_in_any_pieces():
    stream = (
        b"\xaa\xaa\x00" + FOUND + b"\xaa" + NONE + bytes.fromhex("AA AA AA 96 69 FF FF") + SELECTED
    )
    for size in (1, 3, 7, len(stream)):
        wire, bodies = CardWire(), []
        for at in range(0, len(stream), size):
            bodies += [frame.body[2] for frame in wire.feed(stream[at : at + size])]
        assert bodies == [0x9F, 0x80, 0x90]


@given(st.lists(st.binary(max_size=400), max_size=30))
def test_noise_never_grows_the_buffer(chunks):
    wire = CardWire()
    for chunk in chunks:
        wire.feed(chunk)
        assert len(wire._held) <= 7 + 2400


def test_a_card_reader_has_a_line_of_its_own():
    bridge = Bridge(loop_clock(), opener=Plugboard(lambda _: []))
    bridge.id_card_reader(URL, "C1")
    with pytest.raises(BadUrl, match="already in use"):
        bridge.id_card_reader(URL, "C2")
    with pytest.raises(BadUrl, match="one protocol"):
        bridge.lock_board("kerong+serial:///dev/ttyUSB1?address=0", "A")
    with pytest.raises(BadUrl, match="a card reader is"):
        bridge.id_card_reader("scanner+serial:///dev/ttyACM0", "C1")
    with pytest.raises(BadUrl, match="no lock board"):
        bridge.lock_board("idcard+serial:///dev/ttyUSB7", "A")

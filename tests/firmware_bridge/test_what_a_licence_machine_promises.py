"""The licence machine's port, over RTU on an in-memory line, with the manual's frames."""

import pytest

from controller.faults import BadReply, NotConfigured, NotMoved, OutcomeUnknown
from controller.ports import Job, MachineState, Outcome, Slot
from firmware_bridge.open import Bridge
from tests.firmware_bridge.cabinet_by_the_book import crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

URL = "modbus+rtu:///dev/ttyUSB1?unit=1&profile=licence-machine"
READ_SLOTS = bytes.fromhex("01 04 00 40 00 04 F0 1D")
SLOTS_3_7_60 = bytes.fromhex("01 04 08 00 44 00 00 00 00 08 00 27 C9")
LOAD_7 = crc(bytes.fromhex("01 10 01 00 00 06 0C 00 29 00 07 00 07 00 00 00 00 5A 8C"))
READ_BLOCK = bytes.fromhex("01 04 00 00 00 18 F0 00")
IDLE_BLOCK = bytes.fromhex(
    "01 04 30 4C 4D 01 00 01 03 00 0C 5A 10 00 01 00 00 00 18 00 3C 00 29 FF FF 00 00 00 28 00 01"
    " 00 0C 00 00 00 03 00 00 00 00 00 27 00 01 00 03 00 03 00 00 FD 0D"
)
PRESENT_7 = bytes.fromhex("01 10 01 00 00 06 0C 00 29 00 01 00 07 00 00 00 00 5A 8A 1E 4C")
PRINT_70000 = bytes.fromhex("01 10 01 00 00 06 0C 00 2C 00 02 00 01 11 70 00 00 4B FA 32 4E")
RETRACT = bytes.fromhex("01 10 01 00 00 06 0C 00 2B 00 03 00 00 00 00 00 00 5A 8D 3B 96")
REMEMBERED = bytes.fromhex("01 10 01 00 00 06 41 F7")


class Machine:
    """Says what the test wants it to say to a command, and the block as it is."""

    def __init__(self):
        self.block = IDLE_BLOCK
        self.says = REMEMBERED
        self.heard = []

    def __call__(self, frame):
        self.heard.append(frame)
        if frame[1] == 6 or frame[1] == 3:
            return [(0.02, frame if frame[1] == 6 else crc(b"\x01\x03\x02\x00\xb4"))]
        if frame == READ_BLOCK:
            return [(0.02, self.block)]
        if frame == READ_SLOTS:
            return [(0.02, SLOTS_3_7_60)]
        return [(0.02, self.says)] if self.says else []

    def put(self, register, word):
        body = bytearray(self.block[:-2])
        body[3 + 2 * register : 5 + 2 * register] = word.to_bytes(2, "big")
        self.block = crc(bytes(body))


@pytest.fixture
def far():
    return Machine()


@pytest.fixture
def machine(far):
    return Bridge(loop_clock(), opener=Plugboard(far)).licence_machine(URL, "M1")


def test_a_look_reads_the_manual_s_block(machine, far):
    async def story():
        sight = await machine.look()
        assert far.heard[0][:6] == bytes.fromhex("01 06 01 20 00 B4")  # people may take 180 s
        assert far.heard[1] == READ_BLOCK
        assert (sight.state, sight.faults, sight.at_outlet) == (
            MachineState.IDLE,
            frozenset(),
            False,
        )
        assert (sight.slots, sight.filled, sight.blanks, sight.boots) == (60, 41, None, 12)
        assert (far.heard[2], sight.occupied) == (READ_SLOTS, {3, 7, 60})
        assert (sight.heartbeat, sight.take_left_s) == (0x5A10, 0)
        last = sight.last
        assert (last.seq, last.document, last.outcome) == (0x28, Slot(12), Outcome.TAKEN)
        before = sight.previous
        assert (before.seq, before.document, before.outcome) == (0x27, Slot(3), Outcome.TAKEN)

    play(story())


def test_faults_print_jobs_and_outlet_are_read_from_their_bits(machine, far):
    async def story():
        for register, word in {
            0x05: 7,
            0x06: 0b10_0000_0011,
            0x07: 1,
            0x0A: 100,
            0x0D: 2,
            0x0E: 1,
            0x0F: 0x1170,
            0x10: 8,
            0x11: 3,
        }.items():
            far.put(register, word)
        sight = await machine.look()
        assert sight.state is MachineState.PRINTING
        assert sight.faults == {"jam", "no_blanks", "supply_low"}
        assert (sight.at_outlet, sight.blanks) == (True, 100)
        assert sight.last.document == Job(70000)
        assert (sight.last.outcome, sight.last.detail) == (Outcome.REFUSED, 3)

    play(story())


@pytest.mark.parametrize(
    ("register", "word", "fault"),
    [
        (0x00, 0x1234, NotConfigured),
        (0x01, 0x0200, NotConfigured),
        (0x05, 8, BadReply),
        (0x10, 10, BadReply),
        (0x16, 99, BadReply),
    ],
)
def test_a_block_that_is_not_of_this_map_is_refused(machine, far, register, word, fault):
    async def story():
        far.put(register, word)
        with pytest.raises(fault):
            await machine.look()

    play(story())


def test_commands_are_the_manual_s_frames_each_sent_once(machine, far):
    async def story():
        await machine.present(0x29, Slot(7))
        await machine.present(0x2C, Job(70000))
        await machine.retract(0x2B)
        await machine.take_in(0x29, Slot(7))
        assert far.heard[1:] == [PRESENT_7, PRINT_70000, RETRACT, LOAD_7]

    play(story())


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (2, NotMoved),
        (3, NotMoved),
        (6, NotMoved),
        (4, OutcomeUnknown),
    ],
)
def test_what_a_refused_command_means(machine, far, code, fault):
    async def story():
        far.says = crc(bytes([1, 0x90, code]))
        with pytest.raises(fault, match="M1"):
            await machine.present(0x29, Slot(7))

    play(story())


def test_a_lost_answer_is_unknown_and_the_driver_does_not_ask_again(machine, far):
    async def story():
        far.says = None
        with pytest.raises(OutcomeUnknown):
            await machine.present(0x29, Slot(7))
        assert far.heard.count(PRESENT_7) == 1
        assert (await machine.look()).last.seq == 0x28  # the site decides from the block

    play(story())


def test_a_sign_of_life_is_another_value_each_time(machine, far):
    async def story():
        for _ in range(3):
            await machine.alive()
        signs = [frame[4:6] for frame in far.heard if frame[2:4] == b"\x01\x22"]
        assert len(set(signs)) == len(signs) == 3

    play(story())

"""A walk through all doors: which pulse moves which door, and what may not go into service."""

from contextlib import closing

import pytest

from firmware_bridge.open import Bridge
from firmware_bridge.profiles import Source, load_profiles, parse_profiles
from firmware_bridge.walk import CabinetBoard, Place, Walk, clashes
from tests.firmware_bridge.cabinet_by_the_book import Cabinet, crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

LINE = "modbus+rtu:///dev/ttyUSB0?baud=19200"
FIRST = f"{LINE}&unit=1&profile=waveshare-relay-8&doors=4"
SECOND = f"{LINE}&unit=11&profile=waveshare-relay-8&doors=4"


class Site:
    """Two cabinets of boards on one line; a pulse of a door moves those it is wired to."""

    def __init__(self, wires):
        self.boards = {1: Cabinet(doors=8), 11: Cabinet(doors=8)}
        self.wires = wires

    def __call__(self, frame):
        first = 11 if frame[0] > 10 else 1
        board = self.boards[first]
        own = crc(bytes([frame[0] - first + 1]) + frame[1:-2])
        before = len(board.pulses)
        answers = board(own)
        for door in board.pulses[before:]:
            for unit, other in self.wires.get((first, door), [(first, door)]):
                self.boards[unit].open_doors ^= {other}
        return [(s, crc(bytes([frame[0]]) + answer[1:-2])) for s, answer in answers]


def walked(wires, doors=range(1, 9), site=None, shut=None):
    """`shut` names the doors, by boards, that read open when all are shut."""
    site, shut = site or Site(wires), shut or {}
    seen = []

    async def story():
        with closing(Bridge(loop_clock(), opener=Plugboard(site))) as bridge:
            boards = [
                CabinetBoard("A", 1, bridge.lock_board(FIRST, "A1")),
                CabinetBoard("A", 5, bridge.lock_board(SECOND, "A2")),
            ]
            walk = Walk(boards, loop_clock())
            for door in doors:
                await walk.release(Place("A", door))
                for unit, board in site.boards.items():  # the person shuts them
                    board.open_doors = set(shut.get(unit, ()))
                assert not walk.walked[Place("A", door)].shut
                seen.append(await walk.sees_shut(Place("A", door)))
            assert seen == [each.shut for each in walk.walked.values()]
            return walk

    return play(story())


def test_a_site_that_is_wired_right_passes():
    walk = walked({})
    assert list(walk.problems()) == []
    assert [str(each.moved[0]) for each in walk.walked.values()] == [f"A/{n}" for n in range(1, 9)]
    assert {each.polarity for each in walk.walked.values()} == {"right"}


@pytest.mark.parametrize(
    ("wires", "problems"),
    [
        (
            {(1, 2): [(1, 3)], (1, 3): [(1, 2)]},
            [
                "door A/3 moved when door A/2 was asked for",
                "door A/2 moved when door A/3 was asked for",
            ],
        ),
        ({(1, 2): [(1, 2), (1, 4)]}, ["door A/2 and door A/4 are on one pulse"]),
        ({(1, 2): [(1, 2), (11, 4)]}, ["door A/2 and door A/8 are on one pulse"]),
        ({(1, 1): [(11, 1)]}, ["door A/5 moved when door A/1 was asked for"]),
        ({(11, 2): []}, ["door A/6 did not move"]),
    ],
)
def test_wrong_wires_do_not_pass(wires, problems):
    found = list(walked(wires).problems())
    assert [each for each in problems if each not in found] == []


def test_two_pulses_that_move_one_door_do_not_pass():
    found = list(walked({(1, 1): [(1, 2)]}).problems())
    assert "door A/2 is moved by the pulses of A/1 and A/2" in found


def test_a_reversed_switch_is_told_by_its_door():
    site = Site({})
    site.boards[1].open_doors = {3}
    walk = walked({}, [3], site, shut={1: {3}})
    assert walk.walked[Place("A", 3)].shut
    assert list(walk.problems()) == ["the switch of door A/3 is reversed"]
    assert walk.walked[Place("A", 3)].polarity == "reversed"


def test_a_door_that_is_not_seen_to_be_shut_again_does_not_pass():
    walk = walked({}, [2], shut={1: {2}})
    assert walk.walked[Place("A", 2)].polarity == "right"
    assert list(walk.problems()) == [
        "door A/2 was not seen to be shut again: its switch shows only one side"
    ]


def test_what_was_skipped_or_is_not_there_does_not_pass():
    walk = walked({}, [9])
    walk.skip(Place("A", 1))
    assert list(walk.problems()) == [
        "door A/9 did not move: no board has this door",
        "door A/1 was skipped",
    ]


def test_a_board_that_does_not_answer_does_not_end_the_walk():
    site = Site({})
    site.boards[11].silent = {1, 2, 3}
    problems = list(walked({}, [1, 5], site).problems())
    assert [each.partition(":")[0] for each in problems] == ["door A/5 did not move"]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (f"{LINE}&unit=1&profile=waveshare-relay-d-8", "A1 and A2 are both at 1 of /dev/ttyUSB0"),
        (f"{LINE}&unit=3&profile=waveshare-relay-d-8", "A1 and A2 are both at 3 of /dev/ttyUSB0"),
    ],
)
def test_two_boards_on_one_address_are_seen_before_anything_moves(second, words):
    assert clashes({"A1": FIRST, "A2": second}, load_profiles()) == [words]


def test_boards_on_addresses_of_their_own_are_well():
    far = "kerong+serial:///dev/ttyUSB1?address="
    boards = {"A1": FIRST, "A2": SECOND, "B1": f"{far}0", "B2": f"{far}1"}
    assert clashes(boards, load_profiles()) == []
    assert clashes(boards | {"B3": f"{far}1"}, load_profiles()) == [
        "B2 and B3 are both at 1 of /dev/ttyUSB1"
    ]


def test_a_profile_that_pulses_all_doors_at_once_is_seen():
    text = (
        "[profile.one]\ndoors = 4\ndoor = { fc = 2 }\n"
        'pulse = { fc = 5, address = 0x0200, per_door = 0, value = "ms/100" }\n'
    )
    profiles = {name: Source(each, "x") for name, each in parse_profiles("x", text).items()}
    [why] = clashes({"A1": f"{LINE}&unit=1&profile=one"}, profiles)
    assert "all doors of A1 are on one pulse" in why

"""Every trouble by its name, on every device: a test that counts it, or the reason why not."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import pytest

from simulator.devices.machine_faults import MachineTrouble
from simulator.devices.scanner import ScannerTrouble
from simulator.door_faults import DoorTrouble
from simulator.faults import Trouble
from tests.troubles import test_troubles_of_doors as of_doors
from tests.troubles import test_troubles_of_lines as of_lines
from tests.troubles import test_troubles_of_machines_and_readers as of_others
from tests.troubles import test_troubles_of_surroundings as of_air
from tests.troubles import test_troubles_of_transports as of_ends
from tests.troubles.benches import BOARDS, Kind


@dataclass(frozen=True)
class Device:
    """What trouble may come to: what it is, and how it is reached."""

    kind: str  # lock board, machine, air, contacts, scanner, card reader
    scheme: str
    board: Kind | None = None

    def __str__(self) -> str:
        return str(self.board or f"{self.kind} {self.scheme}")

    @property
    def is_tty(self) -> bool:
        return self.scheme.endswith(("rtu", "serial"))

    @property
    def is_gateway(self) -> bool:
        return self.scheme == "modbus+tcp"

    @property
    def is_port(self) -> bool:
        """One device on a serial line of its own, without addresses."""
        return self.kind in {"scanner", "card reader"}


def named(kind: type) -> list[str]:
    return [each.name for each in fields(kind)]


OF_LINES = [*named(Trouble), "usb_renumber"]
OF_DOORS = named(DoorTrouble)
OF_SCANNERS = [f"scanner_{name}" for name in named(ScannerTrouble)]
OF_MACHINES = [f"machine_{name}" for name in named(MachineTrouble)]
TROUBLES = [*OF_LINES, *OF_DOORS, *OF_SCANNERS, "card_hangs", *OF_MACHINES]

AROUND = {"xy-md02": "air", "env-io-8": "contacts"}
DEVICES = [
    *(Device("lock board", kind.scheme, kind) for kind in BOARDS),
    *(Device("machine", scheme) for scheme in ("modbus+tcp", "modbus+rtu")),
    *(Device(AROUND[profile], scheme) for profile, scheme in of_air.KINDS),
    Device("scanner", "scanner+serial"),
    Device("card reader", "idcard+serial"),
]

COUNTS = re.compile("counted|hung")  # what a test must look at

# ------------------------------------------------------------------ which test is for what

ON_BOARDS: dict[str, Callable[..., Any]] = {
    "silent": of_lines.test_a_silent_board_costs_the_others_nothing,
    "silent_after": of_lines.test_a_board_that_falls_silent_in_the_middle_is_noticed,
    "lost": of_lines.test_what_is_lost_is_read_again_and_never_pulsed_again,
    "late": of_lines.test_a_late_answer_is_never_taken_for_another,
    "doubled": of_lines.test_the_second_of_two_answers_is_dropped,
    "garbled": of_lines.test_what_is_garbled_is_counted_and_not_believed,
    "split": of_lines.test_an_answer_in_pieces_is_put_together,
    "echo": of_lines.test_an_echo_is_no_answer_to_a_read,
    "garbage": of_lines.test_garbage_costs_one_exchange_at_most,
    "collision": of_lines.test_two_boards_on_one_address_show_on_that_address_only,
    "swapped": of_lines.test_crossed_wires_move_nothing_and_tell_nothing,
    "wrong_speed": of_lines.test_a_board_that_is_set_otherwise_is_silent_and_the_others_are_not,
    "wrong_parity": of_lines.test_a_board_that_is_set_otherwise_is_silent_and_the_others_are_not,
    "slow_after_pulse": of_lines.test_a_board_that_is_deaf_while_it_pulses_has_not_failed,
    "reboot": of_lines.test_a_board_that_restarts_on_a_pulse_is_read_and_not_pulsed_again,
    "busy_after_open": of_lines.test_a_board_that_stays_busy_after_an_open_opens_the_next_door_too,
    "linkage": of_lines.test_a_board_whose_inputs_fire_its_locks_is_refused,
    "gateway": of_lines.test_a_gateway_that_tells_of_a_silent_board_is_well_itself,
    "usb_renumber": of_ends.test_an_adapter_that_is_plugged_again_is_found_by_its_path,
    "tcp_half_open": of_ends.test_a_connection_that_hangs_is_made_anew,
    "tcp_stale": of_ends.test_old_bytes_after_a_reconnect_are_dropped,
    "one_client": of_ends.test_a_second_client_costs_a_connection_and_no_movement,
    "bounce": of_doors.test_a_switch_that_bounces_is_one_opening_and_one_shutting,
    "floating": of_doors.test_an_input_that_floats_is_unknown_and_no_storm,
    "stuck_open": of_doors.test_a_stuck_switch_is_told_as_it_is,
    "stuck_closed": of_doors.test_a_stuck_switch_is_told_as_it_is,
    "reversed": of_doors.test_a_reversed_door_is_found_by_opening_it,
    "welded": of_doors.test_a_welded_contact_frees_its_lock_without_any_pulse,
    "dead_relay": of_doors.test_a_door_that_does_not_open_is_never_told_to_be_open,
    "jammed": of_doors.test_a_door_that_does_not_open_is_never_told_to_be_open,
    "weak": of_doors.test_a_door_that_does_not_open_is_never_told_to_be_open,
    "relatch": of_doors.test_a_door_that_does_not_open_is_never_told_to_be_open,
    "crosswired": of_doors.test_crossed_switches_show_the_other_door,
    "wrong_lock": of_doors.test_crossed_locks_open_the_other_door_and_show_it,
    "ghost_item": of_doors.test_a_ghost_behind_a_door_moves_no_door,
}
AROUND_TESTS: dict[str, Callable[..., Any]] = {
    "talks": of_air.test_a_sensor_that_talks_over_the_bus_tells_nothing_untrue,
    "reads_zero": of_air.test_a_broken_sensor_is_told_as_it_is,
    "holds": of_air.test_a_broken_sensor_is_told_as_it_is,
    "linkage": of_air.test_lamps_that_inputs_would_drive_are_refused,
}
OF_AIR_ALONE = {"talks", "reads_zero", "holds"}
BAD_LINE = of_others.test_a_bad_line_gives_no_second_document
MACHINE_ENDS = of_ends.test_a_machine_behind_a_bad_end_gives_no_second_document
ON_THE_WAY = of_others.test_what_fails_on_the_way_is_told_and_never_moved_twice
AROUND_LINE = of_air.test_nothing_untrue_is_told_of_what_is_around
CARD_PORT = of_others.test_a_card_behind_a_bad_port_is_read_as_it_is_or_not_at_all
ONE_CODE = of_others.test_one_presentation_is_one_code


def parameters(test: Callable[..., Any]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """What a test is run with, as it was said there."""
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            yield (
                tuple(names.replace(" ", "").split(",") if isinstance(names, str) else names),
                [*values],
            )


def runs_with(test: Callable[..., Any], name: str, value: Any) -> bool:
    """Whether a parameter of this name has this value, alone or among others."""
    for names, values in parameters(test):
        if name in names:
            place = names.index(name)
            return value in [each[place] if len(names) > 1 else each for each in values]
    return False


def on_a_machine(device: Device, trouble: str) -> Callable[..., Any] | None:
    url = of_others.TCP if device.is_gateway else of_others.RTU
    if (url, trouble) in of_others.CASES:
        return BAD_LINE
    if (device.scheme, trouble) in of_ends.MACHINE_CASES:
        return MACHINE_ENDS
    known = runs_with(ON_THE_WAY, "name", trouble.removeprefix("machine_"))
    return ON_THE_WAY if trouble in OF_MACHINES and known else None


def around(device: Device, trouble: str) -> Callable[..., Any] | None:
    profile = next(name for name, kind in AROUND.items() if kind == device.kind)
    if (profile, device.scheme, trouble) in of_air.CELLS:
        return AROUND_LINE
    test = AROUND_TESTS.get(trouble)
    if test is None or (trouble in OF_AIR_ALONE) is not (device.kind == "air"):
        return None
    return test if runs_with(test, "scheme", device.scheme) else None


def on_a_board(device: Device, trouble: str) -> Callable[..., Any] | None:
    test = ON_BOARDS.get(trouble)
    return test if test and runs_with(test, "kind", device.board) else None


def on_a_scanner(_: Device, trouble: str) -> Callable[..., Any] | None:
    if trouble == "usb_renumber":
        return of_ends.test_a_scanner_that_is_plugged_again_is_found_by_its_path
    known = runs_with(ONE_CODE, "name", trouble.removeprefix("scanner_"))
    return ONE_CODE if trouble in OF_SCANNERS and known else None


def on_a_card_reader(_: Device, trouble: str) -> Callable[..., Any] | None:
    if trouble == "usb_renumber":
        return of_ends.test_a_card_reader_that_is_plugged_again_is_found_by_its_path
    if trouble == "card_hangs":
        return of_others.test_a_card_reader_that_hangs_is_given_up_after_three_cards
    return CARD_PORT if runs_with(CARD_PORT, "name", trouble) else None


def shown_by(device: Device, trouble: str) -> Callable[..., Any] | None:
    """The test in which this comes to that."""
    by_kind = {
        "lock board": on_a_board,
        "machine": on_a_machine,
        "scanner": on_a_scanner,
        "card reader": on_a_card_reader,
    }
    return by_kind.get(device.kind, around)(device, trouble)


# ------------------------------------------------------------------ why not

REASONS: list[tuple[str, list[str], Callable[[Device], bool]]] = [
    ("only doors have locks, switches and what lies behind", OF_DOORS, lambda d: not d.board),
    ("only scanners read codes", OF_SCANNERS, lambda d: d.kind != "scanner"),
    ("only card readers read cards", ["card_hangs"], lambda d: d.kind != "card reader"),
    ("only machines move paper", OF_MACHINES, lambda d: d.kind != "machine"),
    (
        "no item sensor on this board",
        ["ghost_item"],
        lambda d: bool(d.board) and not d.board.has_items,
    ),
    (
        "only lock boards fire locks",
        ["slow_after_pulse", "reboot", "busy_after_open"],
        lambda d: not d.board,
    ),
    (
        "a quirk of Kerong boards",
        ["busy_after_open"],
        lambda d: bool(d.board) and not d.scheme.startswith("kerong"),
    ),
    (
        "no control modes",
        ["linkage"],
        lambda d: (
            d.kind != "contacts" and not (d.board and d.board.profile == "waveshare-relay-d-8")
        ),
    ),
    ("measures no air", [*OF_AIR_ALONE], lambda d: d.kind != "air"),
    ("a gateway lets only answers through", ["talks"], lambda d: d.kind == "air" and d.is_gateway),
    (
        "TCP checks and addresses by itself: behind a gateway no bytes of the line are seen",
        ["garbled", "garbage", "echo", "collision", "swapped", "wrong_speed", "wrong_parity"],
        lambda d: d.is_gateway,
    ),
    ("no gateway between", ["gateway"], lambda d: not d.is_gateway),
    ("no adapter to pull", ["usb_renumber"], lambda d: not d.is_tty),
    ("no connection", ["tcp_half_open", "tcp_stale", "one_client"], lambda d: d.is_tty),
    (
        "no address, no second station, and crossed or misset it is just silent",
        ["collision", "swapped", "wrong_speed", "wrong_parity", "echo", "garbage"],
        lambda d: d.is_port,
    ),
    (
        "the driver only listens: a scanner sends by itself, in pieces, and without a checksum",
        ["lost", "late", "doubled", "split", "silent", "garbled"],
        lambda d: d.kind == "scanner",
    ),
    (
        "silent from the start is the same to a driver that keeps no state of it",
        ["silent_after"],
        lambda d: not d.board,
    ),
    (
        "the line is opened anew for whatever hangs on it: shown with every lock board",
        ["usb_renumber", "tcp_half_open", "tcp_stale", "one_client"],
        lambda d: d.kind in AROUND.values(),
    ),
]


def reasons(device: Device, trouble: str) -> list[str]:
    return [why for why, names, holds in REASONS if trouble in names and holds(device)]


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_each_trouble_has_a_test_on_this_device_or_a_reason_and_never_both(device):
    neither, both = [], []
    for trouble in TROUBLES:
        test, why = shown_by(device, trouble), reasons(device, trouble)
        if not (test or why):
            neither.append(trouble)
        elif test and why:
            both.append(f"{trouble}: {test.__name__}, although {why[0]}")
    assert not neither
    assert not both


def test_each_trouble_comes_to_some_device_and_its_tests_look_at_the_counter():
    for trouble in TROUBLES:
        tests = {test for device in DEVICES if (test := shown_by(device, trouble))}
        assert tests, trouble
        blind = [test.__name__ for test in tests if not COUNTS.search(inspect.getsource(test))]
        assert not blind, trouble

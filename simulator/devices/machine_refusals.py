"""Why a licence machine does not begin what it is told."""

from typing import TYPE_CHECKING, Final

from simulator.devices.licence_registers import Command, Detail, Fault, Op, State

if TYPE_CHECKING:
    from simulator.devices.mechanism import Mechanism

NO_FAULT: Final = Fault(0)
REJECTS_MAX: Final = 50
SHEETS_A_JOB: Final = 2


def refusal(machine: "Mechanism", command: Command) -> Detail | None:
    """Why nothing moves, in the order in which the machine would find out."""
    op = command.op
    full = bool(machine.outlet) and len(machine.rejects) >= REJECTS_MAX
    found = {
        Detail.UNKNOWN_OP: op not in set(Op),
        Detail.SERVICE_DOOR_OPEN: op != Op.UNLOCK and machine.service_open,
        Detail.NOT_HOMED: op != Op.UNLOCK and machine.state == State.STARTING,
        Detail.FAULT_STANDS: bool(_standing_for(machine, op)),
        Detail.REJECT_FULL: op == Op.RETRACT and full,
        Detail.OUTLET_OCCUPIED: op in {Op.PRESENT, Op.PRINT} and bool(machine.outlet),
    }
    for why, is_so in found.items():
        if is_so:
            return why
    if op == Op.PRINT:
        return _no_printing(machine, command)
    return _no_slot(machine, command) if op in {Op.PRESENT, Op.LOAD} else None


def _standing_for(machine: "Mechanism", op: int) -> Fault:
    """Faults that stand in the way of this operation."""
    if op in {Op.CLEAR, Op.UNLOCK}:
        return NO_FAULT
    return machine.flags & ~Fault.OUTLET_BLOCKED if op == Op.RETRACT else machine.flags


def _no_printing(machine: "Mechanism", command: Command) -> Detail | None:
    if not machine.prints or machine.blanks < SHEETS_A_JOB:
        return Detail.NO_BLANKS
    return None if command.job else Detail.NO_SUCH_JOB


def _no_slot(machine: "Mechanism", command: Command) -> Detail | None:
    filled = command.arg1 in machine.stored
    if not 1 <= command.arg1 <= machine.slots or (command.op == Op.LOAD and filled):
        return Detail.NO_SUCH_SLOT
    return Detail.SLOT_EMPTY if command.op == Op.PRESENT and not filled else None

"""The inside of a licence machine: paper, motors, shutter, reject bin, and what it remembers."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from simulator.devices.licence_registers import Command, Detail, Fault, Op, Outcome, State
from simulator.devices.machine_refusals import NO_FAULT, REJECTS_MAX, SHEETS_A_JOB, refusal
from simulator.door import Impossible
from simulator.plan import MachinePlan
from simulator.timeline import Appointment, Timeline

STARTING_S: Final = 2.0
PRESENT_S: Final = 6.0
PRINT_S: Final = 20.0
RETRACT_S: Final = 3.0
HOME_S: Final = 4.0
LOAD_S: Final = 2.0  # taking in what lies at the loading gate
LOAD_WAITS_S: Final = 60.0
OUTLET_FREE_S: Final = 1.0  # the sensor must see nothing for so long
UNLOCKED_S: Final = 10.0
LEAVES_AT: Final = 0.1  # share of the way after which paper is under way


@dataclass(slots=True)
class Mechanism:
    plan: MachinePlan
    timeline: Timeline
    changed: Callable[[], None]
    blanks: int
    state: State = State.STARTING
    last: Command = field(default_factory=Command)
    previous: Command = field(default_factory=Command)
    boots: int = 0
    take_time_s: int = 60
    lost_time_s: int = 30
    stored: dict[int, str] = field(default_factory=dict)
    transport: list[str] = field(default_factory=list)
    outlet: list[str] = field(default_factory=list)
    rejects: list[str] = field(default_factory=list)
    gate: list[str] = field(default_factory=list)
    jammed: bool = False
    moved: int = 0  # how often paper really came out or went into a slot
    retracted: int = 0
    flags: Fault = NO_FAULT
    service_open: bool = False
    shutter_open: bool = False
    started_at: float = 0.0
    take_until: float | None = None
    _unlocked_until: float = float("-inf")
    _step: Appointment | None = None

    # ------------------------------------------------------------------ what the machine does

    def power_up(self) -> None:
        """What was running when the power went is interrupted; nothing is ejected."""
        self.boots += 1
        self.state = State.STARTING
        self.started_at = self.timeline.now
        for command in (self.last, self.previous):
            if command.outcome == Outcome.RUNNING:
                self._end(command, Outcome.INTERRUPTED, self._where(command))
                self.flags |= Fault.OUTLET_BLOCKED if self.outlet else NO_FAULT
                self.flags |= Fault.POSITION_LOST if self.transport else NO_FAULT
        if (presented := self._presented()) and not self.outlet:
            self._end(presented, Outcome.INTERRUPTED, Detail.OUTLET_EMPTY)
        self._next(STARTING_S, self._started)

    def halt(self) -> None:
        """Motors stand still."""
        if self._step:
            self._step.cancel()

    def begin(self) -> None:
        """Carry out the command that was just remembered; what cannot be done is refused."""
        command = self.last
        if (why := refusal(self, command)) is not None:
            self._end(command, Outcome.REFUSED, why)
        elif command.op == Op.PRESENT:
            self._deliver(State.MOVING, PRESENT_S)
        elif command.op == Op.PRINT:
            self._deliver(State.PRINTING, PRINT_S)
        elif command.op == Op.RETRACT:
            self._retract_asked()
        elif command.op in {Op.HOME, Op.CLEAR}:
            self.state = State.MOVING
            self._next(HOME_S, self._homed)
        elif command.op == Op.LOAD:
            self.state = State.MOVING
            self._next(LOAD_WAITS_S, self._nothing_loaded)
        else:
            self._unlocked_until = self.timeline.now + UNLOCKED_S / self.timeline.speed
            self._end(command, Outcome.DONE)
        self.changed()

    def faults(self) -> Fault:
        standing = self.flags
        standing |= Fault.SERVICE_DOOR if self.service_open else NO_FAULT
        standing |= Fault.REJECT_FULL if len(self.rejects) >= REJECTS_MAX else NO_FAULT
        if self.prints and self.blanks < SHEETS_A_JOB:
            standing |= Fault.NO_BLANKS
        return standing

    @property
    def prints(self) -> bool:
        return self.plan.kind == "print"

    @property
    def slots(self) -> int:
        return 0 if self.prints else self.plan.slots

    def take_left_s(self) -> int:
        if self.take_until is None or not self.outlet:
            return 0
        left = (self.take_until - self.timeline.now) * self.timeline.speed
        return max(0, -int(-left // 1))

    # ------------------------------------------------------------------ what people do to it

    def take(self) -> list[str]:
        """Everything that lies at the open outlet."""
        if not self.outlet:
            raise Impossible(f"Nothing lies at the outlet of {self.plan.name}.")
        if self.state != State.PRESENTING:
            raise Impossible(f"The shutter of {self.plan.name} is shut.")
        taken, self.outlet = self.outlet, []
        self._next(OUTLET_FREE_S, self._taken)
        self.changed()
        return taken

    def put(self, label: str) -> None:
        """At the loading gate, while a LOAD command waits."""
        if self.last.op != Op.LOAD or self.last.outcome != Outcome.RUNNING or self.gate:
            raise Impossible(f"{self.plan.name} is not waiting for a document.")
        self.gate = [label]
        self._next(LOAD_S, self._loaded)
        self.changed()

    def withdraw(self) -> list[str]:
        """Out of the loading gate again, where it stayed behind."""
        if not self.gate or self.state in {State.MOVING, State.STARTING}:
            raise Impossible(f"Nothing lies at the loading gate of {self.plan.name}.")
        taken, self.gate = self.gate, []
        self.changed()
        return taken

    def jam(self) -> None:
        """Paper sticks: at once when something moves, else as soon as something does."""
        if self.jammed:
            raise Impossible(f"{self.plan.name} is jammed already.")
        self.jammed = True
        if self.state in {State.MOVING, State.PRINTING, State.RETRACTING}:
            self._fails()
        self.changed()

    def free(self) -> None:
        """Somebody opens the service door, takes out what sticks, shuts the door again."""
        if not (self.jammed or self.flags):
            raise Impossible(f"Nothing sticks in {self.plan.name}.")
        self._must_stand_still()
        self.jammed = False
        self._reject(self.transport)
        self._reject(self.gate)
        if self.flags & Fault.OUTLET_BLOCKED:
            self._reject(self.outlet)
        self.flags = NO_FAULT
        self.state = State.STARTING
        self._next(STARTING_S, self._started)
        self.changed()

    def refill(self) -> None:
        """Blanks up to the brim, reject bin emptied."""
        if self.prints:
            self.blanks = self.plan.blanks
        self.rejects.clear()
        self.changed()

    def open_service_door(self) -> None:
        self._must_stand_still()
        if self.service_open or self.timeline.now > self._unlocked_until:
            raise Impossible(f"The service door of {self.plan.name} is not unlocked.")
        self.service_open = True
        self.state = State.SERVICE
        self.changed()

    def close_service_door(self) -> None:
        if not self.service_open:
            raise Impossible(f"The service door of {self.plan.name} is shut already.")
        self.service_open = False
        self.state = State.STARTING
        self._next(STARTING_S, self._started)
        self.changed()

    KEPT = ("blanks", "boots", "take_time_s", "lost_time_s", "transport", "outlet", "rejects")
    KEPT_TOO = ("gate", "jammed", "moved", "retracted", "service_open")

    def memory(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in self.KEPT + self.KEPT_TOO}
        return kept | {
            "last": asdict(self.last),
            "previous": asdict(self.previous),
            "flags": int(self.flags),
            "stored": {str(slot): label for slot, label in self.stored.items()},
        }

    def recall(self, memory: dict[str, Any]) -> None:
        for name in self.KEPT + self.KEPT_TOO:
            setattr(self, name, memory[name])
        self.last = Command(**memory["last"])
        self.previous = Command(**memory["previous"])
        self.flags = Fault(memory["flags"])
        self.stored = {int(slot): label for slot, label in memory["stored"].items()}

    # ------------------------------------------------------------------ steps

    def _deliver(self, state: State, seconds: float) -> None:
        self.state = state
        self._next(seconds * LEAVES_AT, lambda: self._leaves(seconds))

    def _leaves(self, seconds: float) -> None:
        if self.last.op == Op.PRINT:
            self.blanks -= SHEETS_A_JOB
            self.transport = [f"JOB:{self.last.job}"]
        else:
            self.transport = [self.stored.pop(self.last.arg1)]
        self._next(seconds * (1 - LEAVES_AT), self._arrives)
        if self.jammed:
            self._fails()
        self.changed()

    def _arrives(self) -> None:
        self.outlet, self.transport = self.transport, []
        self.moved += 1
        self.last.outcome = Outcome.PRESENTED
        self._present()

    def _present(self) -> None:
        self.state = State.PRESENTING
        self.shutter_open = True
        self.take_until = self.timeline.now + self.take_time_s / self.timeline.speed
        self._next(self.take_time_s, self._not_taken)
        self.changed()

    def _presented(self) -> Command | None:
        """The command whose document waits at the outlet."""
        waiting = [c for c in (self.last, self.previous) if c.outcome == Outcome.PRESENTED]
        return waiting[0] if waiting else None

    def _taken(self) -> None:
        self._idle()
        if presented := self._presented():
            self._end(presented, Outcome.TAKEN)

    def _not_taken(self) -> None:
        self._pull_in(self._presented())

    def _retract_asked(self) -> None:
        if self.outlet:
            self._pull_in(self._presented())
            return
        if self._presented():
            self._taken()
        self._end(self.last, Outcome.DONE)

    def _pull_in(self, presented: Command | None) -> None:
        self.state = State.RETRACTING
        self.take_until = None
        if presented:
            presented.outcome = Outcome.RUNNING
        if self.jammed or len(self.rejects) >= REJECTS_MAX:
            self._fails()
        else:
            self._next(RETRACT_S, lambda: self._pulled_in(presented))
        self.changed()

    def _pulled_in(self, presented: Command | None) -> None:
        self._reject(self.outlet)
        self.retracted += 1
        self.flags &= ~Fault.OUTLET_BLOCKED
        self._idle()
        if presented:
            self._end(presented, Outcome.RETRACTED)
        if self.last.outcome == Outcome.RUNNING:
            self._end(self.last, Outcome.DONE)

    def _homed(self) -> None:
        if self.jammed:
            self._fails()
            return
        if self.last.op == Op.CLEAR:
            self._reject(self.transport)
            self._reject(self.outlet)
            self.flags = NO_FAULT
        self._idle()
        self._end(self.last, Outcome.DONE)

    def _loaded(self) -> None:
        self.stored[self.last.arg1] = self.gate.pop()
        self.moved += 1
        self._idle()
        self._end(self.last, Outcome.DONE)

    def _nothing_loaded(self) -> None:
        self._idle()
        self._end(self.last, Outcome.FAILED_INSIDE)

    def _started(self) -> None:
        if self.jammed or self.flags:
            self.flags |= Fault.JAM if self.jammed else NO_FAULT
            self.state = State.FAULT
        elif self._presented():
            self._present()
        elif self.outlet:
            self.flags |= Fault.OUTLET_BLOCKED
            self.state = State.FAULT
        else:
            self._idle()
        self.changed()

    def _fails(self) -> None:
        """A jam: the running command ends, and the machine stands still."""
        outcome, detail = Outcome.FAILED_INSIDE, Detail.JAM_AT_SLOT
        if self.transport or self.gate:
            outcome, detail = Outcome.FAILED_ON_THE_WAY, Detail.JAM_IN_TRANSPORT
        elif self.outlet:
            outcome, detail = Outcome.FAILED_ON_THE_WAY, Detail.JAM_AT_OUTLET
        elif self.last.op in {Op.HOME, Op.CLEAR, Op.RETRACT}:
            outcome, detail = Outcome.FAILED_ON_THE_WAY, Detail.JAM_IN_TRANSPORT
        self._idle()
        self.state = State.FAULT
        self.flags |= Fault.JAM if self.jammed else Fault.OUTLET_BLOCKED
        for command in (self.last, self.previous):
            if command.outcome == Outcome.RUNNING:
                self._end(command, outcome, detail)

    def _where(self, command: Command) -> Detail:
        if self.outlet:
            return Detail.AT_OUTLET
        if self.transport or self.gate:
            return Detail.IN_TRANSPORT
        slot = command.op == Op.PRESENT and command.arg1 in self.stored
        return Detail.IN_ITS_SLOT if slot or command.op == Op.PRINT else Detail.UNKNOWN

    def _must_stand_still(self) -> None:
        if self.state in {State.MOVING, State.PRINTING, State.RETRACTING, State.PRESENTING}:
            raise Impossible(f"{self.plan.name} is working.")

    def _reject(self, place: list[str]) -> None:
        self.rejects += place
        place.clear()

    def _idle(self) -> None:
        self.state = State.IDLE
        self.shutter_open = False
        self.take_until = None
        self.halt()

    def _end(self, command: Command, outcome: Outcome, detail: Detail = Detail.NONE) -> None:
        command.outcome, command.detail = outcome, detail
        self.changed()

    def _next(self, seconds: float, act: Callable[[], None]) -> None:
        self.halt()
        self._step = self.timeline.quickly(seconds, act)

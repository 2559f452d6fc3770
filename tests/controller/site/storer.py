"""A hand-made machine that stores what it is given, and counts what it really moved."""

from dataclasses import replace

from controller.ports import Job, MachineSight, MachineState, Outcome, Slot
from tests.controller.site.hardware import Printer


class Storer(Printer):
    """A machine that keeps printed licences in slots."""

    def __init__(self, name: str = "M1", slots: int = 4) -> None:
        super().__init__(name)
        self.slots = slots
        self.stored: dict[int, str] = {}
        self.gate: list[str] = []
        self.goes_back = False  # what nobody takes, into its slot and not into the reject bin
        self.loads: dict[int, int] = {}  # slot by sequence number

    async def look(self) -> MachineSight:
        sight = await super().look()
        occupied = frozenset(self.stored)
        return replace(
            sight, blanks=None, slots=self.slots, filled=len(occupied), occupied=occupied
        )

    async def present(self, seq: int, document: Job | Slot) -> None:
        assert isinstance(document, Slot)
        is_new = seq != self.last.seq
        try:
            await self._remember(seq, document, MachineState.MOVING, 6.0)
        finally:
            if is_new and self.last.seq == seq and document.number not in self.stored:
                self.done_at = None
                self._end(Outcome.REFUSED, 0x02)

    async def take_in(self, seq: int, slot: Slot) -> None:
        assert 1 <= slot.number <= self.slots
        assert slot.number not in self.stored
        self.loads[seq] = slot.number
        await self._remember(seq, None, MachineState.MOVING, 60.0)

    def _finish(self) -> None:
        slot = self.last.document
        if isinstance(slot, Slot):
            self._present(self.stored.pop(slot.number))
        elif self.gate:
            self.stored[self.loads[self.last.seq]] = self.gate.pop()
            self.moved += 1
            self._end(Outcome.DONE)
        else:
            self._end(Outcome.FAILED_INSIDE)

    async def retract(self, seq: int) -> None:
        slot, lies = self.last.document, list(self.outlet)
        await super().retract(seq)
        if self.goes_back and isinstance(slot, Slot):
            self.reject.clear()
            self.stored[slot.number] = lies[0]

    # hands, and what may happen

    @property
    def waits(self) -> bool:
        """Something may be laid into its intake."""
        return (
            self.last.seq in self.loads
            and self.last.outcome is Outcome.RUNNING
            and self.done_at is not None
            and not self.gate
        )

    def lay_in(self, label: str) -> None:
        assert self.waits
        self.gate = [label]
        self.done_at = self.now() + 2.0

    def interrupt(self, *, finished: bool) -> None:
        """Its own power went; what lay in the intake is in its slot by then, or nowhere seen."""
        if finished and self.gate:
            self.stored[self.loads[self.last.seq]] = self.gate.pop()
        self.done_at = None
        self._end(Outcome.INTERRUPTED, 0x20)

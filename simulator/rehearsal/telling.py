"""Word of a machine that was asked for something, in place of reading it again and again."""

from collections.abc import Callable

from controller.ports import Job, LicenceMachine, Slot


class Telling:
    """A licence machine that says when it was asked for something; else the product's own."""

    def __init__(self, machine: LicenceMachine, tell: Callable[[str], None]) -> None:
        self.name = machine.name
        self.look = machine.look
        self.alive = machine.alive
        self._machine = machine
        self._tell = tell

    async def present(self, seq: int, document: Job | Slot) -> None:
        try:
            await self._machine.present(seq, document)
        finally:
            self._tell(self.name)

    async def take_in(self, seq: int, slot: Slot) -> None:
        try:
            await self._machine.take_in(seq, slot)
        finally:
            self._tell(self.name)

    async def retract(self, seq: int) -> None:
        try:
            await self._machine.retract(seq)
        finally:
            self._tell(self.name)

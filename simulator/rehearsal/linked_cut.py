"""A stage that is cut at numbered steps, and talks to a real district by the real link."""

from typing import Final

from simulator.rehearsal.agreement import agree
from simulator.rehearsal.cut_stage import CutStage
from simulator.rehearsal.linked_district import WHO
from simulator.rehearsal.linked_stage import LinkedStage

AGREES_S: Final = 60.0


class LinkedCutStage(LinkedStage, CutStage):
    """What the site tells its district is a step of its own, besides all that the disk does."""

    def _overhear(self, who: str, topic: str, payload: bytes) -> None:
        super()._overhear(who, topic, payload)
        if who != WHO and "/journal/" in topic:
            self._mains.step(f"told {topic}")

    async def agree(self) -> None:
        """Both ends have all that was said."""
        await self.clock.sleep(AGREES_S)
        self.log.note(agree(self))

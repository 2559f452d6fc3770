"""What befalls a licence machine on the way: a jam, a power cut; drawn anew for each command."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Final

from simulator.devices.mechanism import PRESENT_S, Mechanism
from simulator.door import Impossible
from simulator.timeline import Timeline

OFF_S: Final = (0.5, 5.0)
SHORTEST_S: Final = PRESENT_S / 100


@dataclass(frozen=True, slots=True)
class MachineTrouble:
    """Shares of commands."""

    jam: float = 0.0
    power: float = 0.0


@dataclass(slots=True)
class MachineFaults:
    inside: Mechanism
    timeline: Timeline
    dice: Random
    changed: Callable[[], None]
    trouble: MachineTrouble = field(default_factory=MachineTrouble)
    counted: dict[str, int] = field(default_factory=lambda: {"machine_jam": 0, "machine_power": 0})
    off: bool = False

    def upon_command(self) -> None:
        """Somewhere between now and the end of a presentation."""
        if self.dice.random() < self.trouble.jam:
            self.timeline.quickly(self._soon_s(), self._jams)
        if self.dice.random() < self.trouble.power:
            self.timeline.quickly(self._soon_s(), self.cut)

    def cut(self, off_s: float | None = None) -> None:
        """The power goes, and comes again: nothing answers meanwhile, nothing moves."""
        if self.off:
            return
        self.counted["machine_power"] += 1
        self.off = True
        self.inside.halt()
        self.timeline.after(self.dice.uniform(*OFF_S) if off_s is None else off_s, self._on)
        self.changed()

    def state(self) -> dict[str, Any]:
        asked = {f"machine_{name}": share for name, share in asdict(self.trouble).items()}
        return {"faults": asked, "counted": dict(self.counted)}

    def recall(self, memory: dict[str, Any]) -> None:
        """As it stood when the simulator ended."""
        known = {name.removeprefix("machine_"): on for name, on in memory["faults"].items()}
        self.trouble = MachineTrouble(**known)
        self.counted |= memory["counted"]

    def _on(self) -> None:
        self.off = False
        self.inside.power_up()
        self.changed()

    def _jams(self) -> None:
        with suppress(Impossible):  # it is jammed already
            self.inside.jam()
            self.counted["machine_jam"] += 1

    def _soon_s(self) -> float:
        return self.dice.uniform(SHORTEST_S, PRESENT_S)

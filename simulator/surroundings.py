"""What is around the machines: air, mains, shaking; and what the cabinet does about it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from simulator.timeline import Appointment, Timeline

VIBRATION_HOLDS_S: Final = 2.0  # the relay behind the sensor


@dataclass(slots=True)
class Surroundings:
    temperature: float = 21.5
    humidity: float = 45.0
    mains: bool = True
    battery: bool = True  # good
    tamper: bool = False  # somebody is at the service door or the back
    smoke: bool | None = None  # None: no such contact
    service_key: bool | None = None
    fire: bool | None = None
    light: bool = False
    fan: bool = False
    sounder: bool = False


@dataclass(slots=True)
class Place:
    """The surroundings of one site."""

    timeline: Timeline
    changed: Callable[[], None]
    now: Surroundings = field(default_factory=Surroundings)
    shaken: int = 0
    _holds: Appointment | None = None

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.now, name, value)
        self.changed()

    def shake(self) -> None:
        """Somebody hits the cabinet."""
        self.shaken += 1
        if self._holds:
            self._holds.cancel()
        self._holds = self.timeline.after(VIBRATION_HOLDS_S, self._still)
        self.changed()

    def state(self) -> dict[str, Any]:
        return asdict(self.now) | {"vibration": self._holds is not None, "shaken": self.shaken}

    def contacts(self) -> list[Callable[[], bool]]:
        """Inputs 1 to 7: current flows while all is well, so that a cut cable alarms."""
        return [
            lambda: self.now.mains,
            lambda: self.now.battery,
            lambda: not self.now.tamper,
            lambda: self._holds is None,
            lambda: self.now.smoke is False,
            lambda: self.now.service_key is False,
            lambda: self.now.fire is False,
        ]

    def lamps(self) -> Sequence["Lamp"]:
        """Outputs 1 to 3."""
        return [Lamp(self, name) for name in ("light", "fan", "sounder")]

    def _still(self) -> None:
        self._holds = None
        self.changed()


@dataclass(frozen=True, slots=True)
class Lamp:
    """Something that an output switches on and off."""

    place: Place
    name: str

    def energise(self) -> None:
        self.place.set(**{self.name: True})

    def drop(self) -> None:
        self.place.set(**{self.name: False})

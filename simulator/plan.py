"""What stands at a site, in plain values: whoever starts the simulator fills these in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class LinePlan:
    """One RS-485 line: a pty under `link`, or RTU frames inside TCP at `tcp`."""

    name: str
    baud: int = 9600
    link: Path | None = None
    tcp: tuple[str, int] | None = None
    turnaround_s: tuple[float, float] = (0.008, 0.012)  # between t3.5 and a board's answer
    strict: bool = True  # boards drop a frame that begins before t3.5 of silence
    burst: int = 4  # characters that become readable together, as from a UART's FIFO


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """Relays on `unit`, door inputs on unit + 1, item inputs on unit + 2."""

    line: str
    unit: int
    profile: str = "waveshare-relay-32"
    first_door: int = 1
    doors: int = 32


@dataclass(frozen=True, slots=True)
class CompartmentPlan:
    no: int
    size: str = "S"
    height_cm: int = 0
    reach: str = "mid"


@dataclass(frozen=True, slots=True)
class CabinetPlan:
    letter: str
    boards: tuple[BoardPlan, ...]
    compartments: tuple[CompartmentPlan, ...]


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """A licence machine on Modbus TCP."""

    name: str
    host: str
    port: int
    unit: int = 1
    kind: Literal["print", "store"] = "print"
    blanks: int = 200
    slots: int = 60


@dataclass(frozen=True, slots=True)
class ScannerPlan:
    name: str
    link: Path
    baud: int = 9600


@dataclass(frozen=True, slots=True)
class Plan:
    lines: tuple[LinePlan, ...] = ()
    cabinets: tuple[CabinetPlan, ...] = ()
    machines: tuple[MachinePlan, ...] = ()
    scanners: tuple[ScannerPlan, ...] = ()

"""What stands at a site, in plain values: whoever starts the simulator fills these in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SensorKind = Literal["xy-md02", "env-io-8", "waveshare-io-8"]


@dataclass(frozen=True, slots=True)
class LinePlan:
    """One RS-485 line: a pty under `link`, or its bytes inside TCP at `tcp`.

    `modbus-tcp` is no line: one device at `tcp`, or several boards behind it.
    """

    name: str
    baud: int = 9600
    link: Path | None = None
    tcp: tuple[str, int] | None = None
    speaks: str = "modbus"  # or modbus-tcp, kerong, xorboard
    turnaround_s: tuple[float, float] | None = None  # None: as such boards usually need
    strict: bool = True  # boards drop a frame that begins before t3.5 of silence
    burst: int = 4  # characters that become readable together, as from a UART's FIFO


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """One profile's boards from `unit` (or address) on, and the doors that hang on them.

    A relay board has its door inputs on unit + 1 and its item inputs on unit + 2, or each spread
    over several input boards; none for the items: there are no sensors.
    """

    line: str
    unit: int
    profile: str = "waveshare-relay-32"
    first_door: int = 1
    doors: int = 32
    closed: int = 1  # what a shut door reads as
    present: int = 1  # what a thing inside reads as
    door_units: tuple[int, ...] = (1,)  # from `unit` on
    item_units: tuple[int, ...] = (2,)
    spring: bool | None = None  # locks push their doors ajar; None: as with such boards
    reports: bool = False  # XOR boards tell changes unasked, Kerong boards after an open


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
    """A licence machine on Modbus TCP, or as a unit of the RTU line `line`."""

    name: str
    host: str = ""
    port: int = 0
    unit: int = 1
    line: str = ""
    kind: Literal["print", "store"] = "print"
    blanks: int = 200
    slots: int = 60


@dataclass(frozen=True, slots=True)
class ScannerPlan:
    name: str
    link: Path
    baud: int = 9600
    suffix: str = "cr"  # or lf, crlf, none
    make: Literal["gm65", "honeywell", "newland"] = "gm65"


@dataclass(frozen=True, slots=True)
class CardReaderPlan:
    name: str
    link: Path
    baud: int = 115_200
    finds: int = 0x9F  # its answer when a card is there; some readers say 0x90


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """Air, or mains, tamper and light, on a Modbus line."""

    line: str
    unit: int
    profile: SensorKind


@dataclass(frozen=True, slots=True)
class Plan:
    lines: tuple[LinePlan, ...] = ()
    cabinets: tuple[CabinetPlan, ...] = ()
    machines: tuple[MachinePlan, ...] = ()
    scanners: tuple[ScannerPlan, ...] = ()
    card_readers: tuple[CardReaderPlan, ...] = ()
    sensors: tuple[SensorPlan, ...] = ()

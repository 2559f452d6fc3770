"""Modbus lock boards as data: one TOML table says how a board is driven.

Pulses must be ended by the board itself. A host that switches a coil on and means to switch it off
later leaves it burning when it dies in between, so a profile that would is refused unless it says
why that is safe.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_bridge.profile_mistakes import mistake

PULSE_MS_MAX: Final = 1_000  # longer burns a lock's coil
UNITS_BEHIND_MAX: Final = 32  # devices that one RS-485 segment carries
BYTE: Final = 8
BITS_MAX: Final = 2_000  # of one read, from the standard
ENDS_LETTERS_MIN: Final = 10  # of the words that say what ends a pulse: not just "yes"
DOORS_MAX: Final = 64

WORDS_MAX: Final = 125  # the same of registers
READ_HOLDING, WRITE_COIL = 3, 5

NAMED: Final = "tables, each by a name of small letters, digits and _"
# A description says what is right, in the words that follow "must be" where a value is refused.
WORD: Final = "a number from 0 to 0xFFFF"
UNIT: Final = f"a number from 0 to {UNITS_BEHIND_MAX}, added to the URL's unit"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Address = Annotated[int, Field(ge=0, le=0xFFFF, description=WORD)]
Word = Annotated[int, Field(ge=0, le=0xFFFF, description=WORD)]
RelativeUnit = Annotated[int, Field(ge=0, le=UNITS_BEHIND_MAX, description=UNIT)]
Bit = Annotated[Literal[0, 1], Field(description="0 or 1")]
Reading = Annotated[Literal[3, 4], Field(description="3 or 4, which read registers")]
Writing = Annotated[Literal[5, 6], Field(description="5 (one coil) or 6 (one register)")]


class BadProfile(ValueError):
    """A profile that cannot be used; the message names file, profile and key."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Pulse(_Table):
    """How one lock is pulsed."""

    unit: RelativeUnit = 0
    fc: Writing
    address: Address
    per_door: Annotated[int, Field(ge=0, le=16, description="a number from 0 to 16")] = 1
    # "ms/100", "ms/10": the length in 100 or 10 ms, timed by the board. "door": the door's number
    # into one register of a board that times its pulses. A number: see `board_ends`.
    value: Annotated[
        Literal["ms/100", "ms/10", "door"] | Word,
        Field(description=f'"ms/100", "ms/10", "door" or {WORD}'),
    ]
    ms: Annotated[
        int,
        Field(ge=50, le=PULSE_MS_MAX, description=f"a number from 50 to {PULSE_MS_MAX}"),
    ] = 500
    board_ends: Annotated[
        Annotated[str, Field(min_length=ENDS_LETTERS_MIN)] | None,
        Field(
            description=f"{ENDS_LETTERS_MIN} letters or more that say what ends the pulse if we die"
        ),
    ] = None

    @model_validator(mode="after")
    def _ends_without_us(self) -> Self:
        if isinstance(self.value, int) and self.board_ends is None:
            raise ValueError(
                f"value {self.value:#06x} switches on and nothing here switches off if we die;"
                ' use "ms/100" or "ms/10", or say in board_ends why the board ends the pulse'
            )
        if self.value == "door" and self.per_door:
            raise ValueError('value "door" goes into one register: per_door = 0')
        return self

    @property
    def timed_by_us(self) -> bool:
        """Whether each order says how long the pulse is."""
        return self.value in ("ms/100", "ms/10")

    def word(self, door: int, ms: int) -> int:
        match self.value:
            case "ms/100":
                return max(1, round(ms / 100))
            case "ms/10":
                return max(1, round(ms / 10))
            case "door":
                return door
            case fixed:
                return fixed


class _Inputs(_Table):
    unit: Annotated[
        RelativeUnit | Annotated[list[RelativeUnit], Field(min_length=1)],
        Field(description=f"{UNIT}, or a list of such"),
    ] = 0
    fc: Annotated[Literal[1, 2, 3, 4], Field(description="1 to 4, which read")]
    address: Address = 0
    # Of a register that holds one input a bit.
    bits: Annotated[Literal[16] | None, Field(description="16, or left out")] = None
    # Inputs or registers that the board answers at once, where that is less than all.
    most: Annotated[
        Annotated[int, Field(ge=1, le=BITS_MAX)] | None,
        Field(description=f"a number from 1 to {BITS_MAX}"),
    ] = None

    @model_validator(mode="after")
    def _bits_are_in_registers(self) -> Self:
        if (self.fc in (3, 4)) != (self.bits is not None):
            raise ValueError("bits = 16 belongs to fc 3 and 4, and to those only")
        return self

    def parts(self, count: int) -> Iterator[tuple[int, int]]:
        """Addresses and counts of the reads that together have so many."""
        most = self.most or count
        for first in range(0, count, most):
            yield self.address + first, min(most, count - first)

    @property
    def units(self) -> tuple[int, ...]:
        return tuple(self.unit) if isinstance(self.unit, list) else (self.unit,)

    @property
    def per_group(self) -> int:
        """How many inputs the shortest answer has: a byte of bits, or a register."""
        return self.bits or BYTE


class DoorInputs(_Inputs):
    """Where the door switches are read, and which value means closed."""

    closed: Bit = 1


class ItemInputs(_Inputs):
    """Where the item sensors are read, and which value means that something is there."""

    present: Bit = 1


class Idle(_Table):
    """What switches all outputs off; sent once after each connection, before anything is read."""

    unit: RelativeUnit = 0
    fc: Writing = 5
    address: Address
    value: Word = 0


class Modes(_Table):
    """Registers that must hold `normal`; `wrong` says what they are if they do not."""

    unit: RelativeUnit = 0
    fc: Reading = 3
    address: Address
    count: Annotated[int, Field(ge=1, le=WORDS_MAX, description=f"a number from 1 to {WORDS_MAX}")]
    normal: Word = 0
    wrong: Annotated[
        str, Field(min_length=1, description='words, as "the pulse is of another length"')
    ] = "the board is not set as its profile wants it"

    def flaws(self, words: Sequence[int]) -> Iterator[str]:
        """What is wrong with each register that holds something else, and what to do."""
        for address, word in enumerate(words, self.address):
            if word != self.normal:
                yield (
                    f"register {address:#06x} reads {word}, not {self.normal}: {self.wrong};"
                    f" write {self.normal} to it"
                )


class Ident(_Table):
    """A register that every unit of this cabinet has: read to see whether somebody is there."""

    fc: Reading = 3
    address: Address


class Profile(_Table):
    """One kind of lock board."""

    doors: Annotated[int, Field(ge=1, le=DOORS_MAX, description=f"a number from 1 to {DOORS_MAX}")]
    pulse: Pulse
    door: DoorInputs
    item: ItemInputs | None = None
    idle: Idle | None = None
    modes: Modes | None = None
    ident: Ident | None = None

    def sets_of_modes(self) -> int | None:
        """Which of the registers in `modes` is set by `idle` to what it must hold; None: none."""
        idle, modes = self.idle, self.modes
        if idle is None or modes is None or idle.fc == WRITE_COIL:
            return None
        here = (idle.unit, idle.value) == (modes.unit, modes.normal) and modes.fc == READ_HOLDING
        at = idle.address - modes.address
        return at if here and 0 <= at < modes.count else None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for inputs in (self.door, self.item):
            if inputs is not None and self.doors % len(inputs.units):
                raise ValueError(f"{self.doors} doors do not spread over {len(inputs.units)} units")
        last = self.pulse.address + (self.doors - 1) * self.pulse.per_door
        if last > 0xFFFF:  # noqa: PLR2004 - the last Modbus address
            raise ValueError(f"the last lock's address would be {last:#x}")
        return self


class Measure(_Table):
    """One register with a number in it."""

    address: Address
    scale: Annotated[float, Field(description="a number, as 0.1")] = 1.0
    signed: Annotated[bool, Field(description="true or false")] = False
    # After the point.
    digits: Annotated[int, Field(ge=0, le=6, description="a number from 0 to 6")] = 0


class Measures(_Table):
    """Registers that one read may span."""

    fc: Reading = 4
    at: Annotated[dict[Name, Measure], Field(min_length=1, description=NAMED)]

    @model_validator(mode="after")
    def _fit_one_read(self) -> Self:
        addresses = [each.address for each in self.at.values()]
        if max(addresses) - min(addresses) >= WORDS_MAX:
            raise ValueError(f"one read has {WORDS_MAX} registers at most")
        return self


class Contact(_Table):
    """One input, counted from 1."""

    input: Annotated[int, Field(ge=1, le=BITS_MAX, description=f"a number from 1 to {BITS_MAX}")]
    well: Bit = 1
    # Two equal reads so far apart count.
    settle_ms: Annotated[int, Field(ge=0, le=60_000, description="a number from 0 to 60000")] = 50


class Contacts(_Table):
    fc: Annotated[Literal[1, 2], Field(description="1 or 2, which read bits")] = 2
    address: Address = 0  # of input 1
    at: Annotated[dict[Name, Contact], Field(min_length=1, description=NAMED)]


class Outputs(_Table):
    """Coils that are switched on and off: lamps and fans, never locks."""

    at: Annotated[
        dict[Name, Address],
        Field(min_length=1, description=f"addresses, each {WORD}, by names of small letters"),
    ]


class Surroundings(_Table):
    """One kind of sensor or input board."""

    every_ms: Annotated[int, Field(ge=100, le=60_000, description="a number from 100 to 60000")]
    measures: Measures | None = None
    contacts: Contacts | None = None
    outputs: Outputs | None = None
    modes: Modes | None = None
    ident: Ident | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.measures is None and self.contacts is None:
            raise ValueError("neither measures nor contacts: there is nothing to read")
        return self


@dataclass(frozen=True, slots=True)
class Source:
    """A lock board's profile and the file it came from."""

    profile: Profile
    origin: str


@dataclass(frozen=True, slots=True)
class SurroundingsSource:
    """A sensor's or input board's profile and the file it came from."""

    profile: Surroundings
    origin: str


def load_profiles(user_dir: Path | None = None) -> dict[str, Source]:
    """Read the shipped profiles of lock boards and a user's own; a name may stand only once."""
    return {
        name: Source(profile, origin)
        for name, (profile, origin) in _load(user_dir).items()
        if isinstance(profile, Profile)
    }


def load_surroundings(user_dir: Path | None = None) -> dict[str, SurroundingsSource]:
    """Read the profiles of everything that is no lock board, from the same files."""
    return {
        name: SurroundingsSource(profile, origin)
        for name, (profile, origin) in _load(user_dir).items()
        if isinstance(profile, Surroundings)
    }


def _load(user_dir: Path | None) -> dict[str, tuple[Profile | Surroundings, str]]:
    found: dict[str, tuple[Profile | Surroundings, str]] = {}
    for origin, text in _files(user_dir):
        for name, profile in parse_profiles(origin, text).items():
            if name in found:
                raise BadProfile(f"{origin}: {name} is already in {found[name][1]}; rename it")
            found[name] = (profile, origin)
    return found


def _files(user_dir: Path | None) -> Iterator[tuple[str, str]]:
    shipped = resources.files("firmware_bridge") / "profiles"
    for file in sorted(shipped.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            yield f"built in ({file.name})", file.read_text(encoding="utf-8")
    if user_dir is not None:
        if not user_dir.is_dir():
            raise BadProfile(f"{user_dir}: no such folder of profiles")
        for path in sorted(user_dir.glob("*.toml")):
            yield str(path), path.read_text(encoding="utf-8")


FILES_MAX: Final = 64  # more than anybody has; each is read once
KINDS: Final[Mapping[str, type[Profile] | type[Surroundings]]] = {
    "profile": Profile,
    "environment": Surroundings,
}


@lru_cache(FILES_MAX)
def parse_profiles(origin: str, text: str) -> Mapping[str, Profile | Surroundings]:
    """Return the profiles of one file by name; BadProfile names what is wrong."""
    try:
        tables: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"{origin}: not TOML: {error}") from None
    strangers = sorted(name for name in tables if name not in KINDS)
    if strangers or not all(isinstance(table, dict) for table in tables.values()) or not tables:
        found = (strangers or ["nothing"])[0]
        raise BadProfile(f"{origin}: {found} instead of [profile.NAME] or [environment.NAME]")
    profiles: dict[str, Profile | Surroundings] = {}
    for kind, named in tables.items():
        for name, table in named.items():
            if name in profiles:
                raise BadProfile(f"{origin}: {name} is there twice")
            try:
                profiles[name] = KINDS[kind].model_validate(table)
            except ValidationError as error:
                raise BadProfile(
                    f"{origin}: profile {name}: {mistake(KINDS[kind], error)}"
                ) from None
    return MappingProxyType(profiles)

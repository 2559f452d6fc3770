"""What stands at a site, as its settings file names it: lines, doors, machines, readers, air."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

DeviceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Letter = Annotated[str, Field(pattern=r"^[A-Z]$")]
Size = Literal["S", "M", "L"]
Reach = Literal["low", "mid", "high"]


class Table(BaseModel):
    """One table of the file; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class LineTable(Table):
    """`[[line]]`: a line by name, for people and the simulator; device URLs name its path."""

    name: DeviceName
    url: str


class CabinetTable(Table):
    """`[[cabinet]]`: doors are counted on from board to board in the order of `boards`."""

    letter: Letter
    boards: Annotated[list[str], Field(min_length=1)]


class CompartmentTable(Table):
    """`[[compartment]]`."""

    cabinet: Letter
    no: Annotated[int, Field(ge=1, le=999)]
    size: Size
    height_cm: Annotated[int, Field(ge=0, le=300)]  # of the handle above the floor
    reach: Reach = "mid"


class MachineTable(Table):
    """`[[machine]]`: a licence machine."""

    name: DeviceName
    url: str
    kind: Literal["print", "store"] = "print"  # for the simulator; a real one tells it itself
    slots: Annotated[int, Field(ge=1, le=256)] = 60  # likewise, of a machine that stores


class KioskTable(Table):
    """`[[kiosk]]`: a screen of its own, with its own scanners. Without any there is one."""

    name: DeviceName


class ScannerTable(Table):
    """`[[scanner]]`."""

    name: DeviceName
    url: str
    kiosk: str = ""  # where it stands; empty: at the first one


class CardReaderTable(Table):
    """`[[card_reader]]`: a reader of ID cards."""

    name: DeviceName
    url: str
    kiosk: str = ""  # where it stands; empty: at the first one


class EnvironmentTable(Table):
    """`[[environment]]`: one device of a cabinet's surroundings; a cabinet may have several."""

    name: DeviceName
    cabinet: Letter
    url: str
    # An input with no wire reads as trouble, so only those named here are listened to.
    wired: frozenset[Literal["mains", "battery", "tamper", "vibration", "smoke", "fire"]] = (
        frozenset({"mains", "battery", "tamper", "vibration"})
    )


class AttentionTable(Table):
    """`[attention]`: how the polls of each line divide it; releases overtake them all."""

    # Somebody stands before a released door and waits for the screen to follow: half the slots.
    attentive_slots: Annotated[int, Field(ge=1, le=100)] = 1
    # The other half keeps every other door watched: one that is forced meanwhile is still seen.
    idle_slots: Annotated[int, Field(ge=1, le=100)] = 1
    # A dead board must not slow the living: a time-out costs as much as dozens of answers.
    silent_share: Annotated[float, Field(gt=0, le=0.5)] = 0.04

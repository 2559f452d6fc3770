"""Set-up frames of scanners, by make: what is asked, and what is answered.

What is saved outlives a power cut; what is only set does not.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal

Make = Literal["gm65", "honeywell", "newland"]

ASKED: Final = b"\x7e\x00"
READ_ZONE, WRITE_ZONE, SAVE, HEARTBEAT = 0x07, 0x08, 0x09, 0x0A
UNCHECKED: Final = b"\xab\xcd"  # in place of a checksum
HEAD: Final = 6  # 7E 00, type, count, address
ZONES: Final = 0x100
MODE, TRIGGER, GAP, READ_TIME, OUTPUT, SAME_CODE, SPEED = 0x00, 0x02, 0x05, 0x06, 0x0D, 0x13, 0x2A
FACTORY: Final = {MODE: 0xD6, GAP: 5, 0x0A: 0x3E, SPEED: 0x39, SPEED + 1: 0x01, 0xE2: 0x69}
MODE_BITS: Final = 0b11
MANUAL, COMMAND, CONTINUOUS, INDUCTION = range(4)
DELAY_ON: Final = 0x80
UNIT_S: Final = 0.1
SPEED_CLOCK: Final = 3_000_000  # divided by the two bytes of the speed, low byte first

GOOD, BAD_TAG, BAD_VALUE = b"\x06", b"\x05", b"\x15"
HELD_MOST: Final = 256  # longer is no frame
HONEYWELL: Final = re.compile(rb"\x16(?:([TU])\r|M\r([^!.\x16]*)([!.]))")
HONEYWELL_TAG: Final = re.compile(rb"([A-Z0-9]{6})(.*)", re.DOTALL)
NEWLAND: Final = re.compile(rb"\x7e\x010000([@#])([^\x03;]*);\x03")


def crc_ccitt(octets: bytes) -> bytes:
    """Polynomial 0x1021, start 0, high bit first; high byte first."""
    value = 0
    for octet in octets:
        value ^= octet << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
        value &= 0xFFFF
    return value.to_bytes(2, "big")


class SetUp:
    """What a scanner is set to, and the frames that set it."""

    def __init__(self, make: Make, pulled: Callable[[], None]) -> None:
        self.zones = dict(FACTORY)
        self.menu: dict[str, str] = {}  # of makes that are set by words
        self._saved = (dict(self.zones), dict(self.menu))
        self._pulled = pulled  # its trigger, by a frame
        self._held = bytearray()
        frames = {"gm65": self._gm65, "honeywell": self._honeywell, "newland": self._newland}
        self._frames: Callable[[], Iterator[bytes]] = frames[make]

    @property
    def mode(self) -> int:
        return self.zones[MODE] & MODE_BITS

    @property
    def gap_s(self) -> float:
        """Between two reads of what is held."""
        return max(1, self.zones[GAP]) * UNIT_S

    @property
    def read_s(self) -> float:
        """After a trigger it looks for a code so long."""
        return self.zones.get(READ_TIME, 0) * UNIT_S or float("inf")

    @property
    def same_code_s(self) -> float:
        """A code that was just read is not read again so soon."""
        asked = self.zones.get(SAME_CODE, 0)
        return (asked & ~DELAY_ON) * UNIT_S if asked & DELAY_ON else 0.0

    @property
    def is_serial(self) -> bool:
        """Else it is a keyboard, and says nothing here."""
        return not self.zones.get(OUTPUT, 0) & MODE_BITS

    @property
    def baud(self) -> float:
        divisor = self.zones[SPEED] | self.zones[SPEED + 1] << 8
        return SPEED_CLOCK / max(1, divisor)

    def hear(self, chunk: bytes) -> bytes:
        """The answers to whole frames; what is none is not answered."""
        self._held += chunk
        return b"".join(self._frames())

    def save(self) -> None:
        self._saved = (dict(self.zones), dict(self.menu))

    def restart(self) -> None:
        """Its power was off and is on again."""
        zones, menu = self._saved
        self.zones, self.menu = dict(zones), dict(menu)
        self._held.clear()

    def kept(self) -> dict[str, dict[str, object]]:
        zones, menu = self._saved
        return {"zones": {str(zone): value for zone, value in zones.items()}, "menu": dict(menu)}

    def recall(self, kept: dict[str, dict[str, object]]) -> None:
        zones = {int(zone): int(str(value)) for zone, value in kept["zones"].items()}
        self._saved = (zones, {name: str(value) for name, value in kept["menu"].items()})
        self.restart()

    # ------------------------------------------------------------------ by make

    def _gm65(self) -> Iterator[bytes]:
        while (at := self._held.find(ASKED)) >= 0:
            del self._held[:at]
            if len(self._held) < HEAD:
                return
            kind, count = self._held[2], self._held[3]
            whole = HEAD + (count if kind != READ_ZONE else 1) + 2
            if len(self._held) < whole:
                return
            frame = bytes(self._held[2:whole])
            if frame[-2:] in {UNCHECKED, crc_ccitt(frame[:-2])}:
                del self._held[:whole]
                yield self._zones_asked(kind, frame[2] << 8 | frame[3], frame[4:-2])
            else:
                del self._held[: len(ASKED)]
        del self._held[: max(0, len(self._held) - 1)]

    def _zones_asked(self, kind: int, address: int, content: bytes) -> bytes:
        head, said = b"\x02\x00", b"\x00"
        if kind == READ_ZONE:
            said = bytes(self.zones.get(address + n, 0) for n in range(content[0]))
        elif kind == WRITE_ZONE:
            self.zones |= {(address + n) % ZONES: value for n, value in enumerate(content)}
            if self.zones.pop(TRIGGER, 0) & 1:
                self._pulled()
        elif kind == HEARTBEAT:
            head = b"\x03\x00"
        elif kind == SAVE:
            self.save()
        else:
            return b""
        body = b"\x00" + bytes([len(said) & 0xFF]) + said
        return head + body + crc_ccitt(body)

    def _honeywell(self) -> Iterator[bytes]:
        for trigger, order, end in self._matches(HONEYWELL):
            if trigger == b"T":
                self._pulled()
            elif not trigger:
                yield order + self._set(HONEYWELL_TAG.fullmatch(order), keep=end == b".")

    def _newland(self) -> Iterator[bytes]:
        for end, order in self._matches(NEWLAND):
            known = self._set(HONEYWELL_TAG.fullmatch(order), keep=end == b"@")
            yield b"\x02\x010000@" + order + (GOOD if known == GOOD else BAD_VALUE) + b";\x03"

    def _matches(self, frame: re.Pattern[bytes]) -> Iterator[tuple[bytes, ...]]:
        while found := frame.search(bytes(self._held)):
            del self._held[: found.end()]
            yield tuple(part or b"" for part in found.groups())
        del self._held[: max(0, len(self._held) - HELD_MOST)]

    def _set(self, order: re.Match[bytes] | None, *, keep: bool) -> bytes:
        """By word; kept or only until the power is off."""
        if order is None:
            return BAD_TAG
        tag, value = order.groups()
        if not (value.isalnum() or not value):
            return BAD_VALUE
        self.menu[tag.decode()] = value.decode()
        if keep:
            self._saved[1][tag.decode()] = value.decode()
        return GOOD

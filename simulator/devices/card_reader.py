"""A reader of Chinese ID cards: find, select, read, over a SAM module's frames.

A card that was read is not found again until it is taken away and put back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from random import Random
from typing import Any, Final

from simulator.devices.scanner import BITS_PER_CHARACTER
from simulator.faults import SPLIT_GAP_S, Faults
from simulator.timeline import Timeline

PREAMBLE: Final = bytes.fromhex("AA AA AA 96 69")
LENGTH_BYTES: Final = 2
LONGEST_BODY: Final = 2400
SHORTEST_BODY: Final = 3  # command, parameter, checksum

DONE, FOUND, BAD_CHECK, BAD_LENGTH, NO_COMMAND = 0x90, 0x9F, 0x10, 0x11, 0x21
READ_FAILED, NOT_FOUND, SELECT_FAILED = 0x41, 0x80, 0x81

STATE, RESET, NUMBER = (0x11, 0xFF), (0x10, 0xFF), (0x12, 0xFF)
FIND, SELECT, READ = (0x20, 0x01), (0x20, 0x02), (0x30, 0x01)
SPEED: Final = 0x60
SPEEDS: Final = (115_200, 57_600, 38_400, 19_200, 9600)

TEXT_BYTES: Final = 256
PHOTO_BYTES: Final = 1024
MODULE_NUMBER: Final = bytes(range(16))
NEEDS_S: Final = {FIND: (0.05, 0.3), SELECT: (0.1, 0.1), READ: (0.3, 1.3)}
QUICK_S: Final = (0.01, 0.03)
PATIENCE_S: Final = 1.0  # of a master
STARTING_S: Final = (1.0, 2.0)  # silent when it gets its power

ON_A_PORT: Final = ("lost", "garbled", "late", "doubled", "split", "silent")
NOBODY: Final = 0  # a port has no addresses: `silent` names this one

FIELDS: Final = (15, 1, 2, 8, 35, 18, 15, 8, 8, 18)  # characters each, in the card's order


def framed(body: bytes) -> bytes:
    """With preamble, length and checksum."""
    counted = (len(body) + 1).to_bytes(LENGTH_BYTES, "big") + body
    return PREAMBLE + counted + bytes([reduce(xor, counted)])


@dataclass(frozen=True, slots=True)
class Card:
    """What is printed and stored on a citizen's card."""

    name: str
    number: str
    sex: str = "2"
    nation: str = "01"
    birth: str = "19491231"
    address: str = "北京市朝阳区示例路1号"
    authority: str = "北京市公安局朝阳分局"
    valid_from: str = "20200101"
    valid_to: str = "20400101"

    def text(self) -> bytes:
        """256 bytes, UTF-16 little endian, filled up with spaces."""
        held = (
            *(self.name, self.sex, self.nation, self.birth, self.address, self.number),
            *(self.authority, self.valid_from, self.valid_to, ""),
        )
        return "".join(
            value[:room].ljust(room) for value, room in zip(held, FIELDS, strict=True)
        ).encode("utf-16-le")


class CardReader:
    """`hangs` is a fault: it finds cards and cannot select or read them until it is restarted.

    `finds` is what it answers when a card is there; some readers say 90.
    """

    def __init__(
        self,
        name: str,
        dice: Random,
        changed: Callable[[], None],
        timeline: Timeline | None = None,
        finds: int = FOUND,
    ) -> None:
        self.name = name
        self.timeline = timeline or Timeline(0.0)
        self.faults = Faults(Random(f"{name}/{dice.random()}"), PATIENCE_S)
        self.card: Card | None = None
        self.reads = 0  # how often a card was read whole
        self.hangs = False
        self.hung = 0
        self.pull_plug: Callable[[float], None] = lambda _: None  # for so many seconds
        self.baud = SPEEDS[0]
        self._finds = finds
        self._deaf_until = float("-inf")
        self._stage = "away"  # then laid, selected, read
        self._held = bytearray()
        self._dice = dice
        self._changed = changed

    def lay(self, card: Card) -> None:
        self.card, self._stage = card, "laid"
        self._changed()

    def take(self) -> None:
        self.card, self._stage = None, "away"
        self._changed()

    def restart(self) -> None:
        """Its power was off and is on again."""
        self.hangs = False
        self._held.clear()
        self._stage = "laid" if self.card else "away"
        self._deaf_until = self.timeline.now + self._dice.uniform(*STARTING_S)
        self._changed()

    def unplug(self, seconds: float) -> None:
        self.faults.count("usb_renumber")
        self.pull_plug(seconds)

    def state(self) -> dict[str, object]:
        """What a person who looks at it would see."""
        return {"card": self._stage, "reads": self.reads, "hangs": self.hangs, "hung": self.hung}

    def troubles(self) -> dict[str, Any]:
        """What is wrong with it and its port, and how often that has struck."""
        counted = self.faults.state()
        asked = counted.pop("faults")
        assert isinstance(asked, dict)
        of_ports = {name: asked[name] for name in ON_A_PORT} | {"silent": bool(asked["silent"])}
        struck = {name: counted[name] for name in (*ON_A_PORT, "usb_renumber")}
        return {
            "faults": of_ports | {"card_hangs": self.hangs},
            "counted": struck | {"card_hangs": self.hung},
        }

    def recall(self, memory: dict[str, Any]) -> None:
        """As it stood when the simulator ended."""
        asked, counted = dict(memory["faults"]), dict(memory["counted"])
        self.hangs, self.hung = asked.pop("card_hangs"), counted.pop("card_hangs")
        silent = [NOBODY] if asked.pop("silent") else []
        self.faults.recall(asked | {"silent": silent}, counted)

    def hear(self, chunk: bytes) -> list[tuple[float, bytes]]:
        """Answers, each with the seconds until it begins."""
        if self.timeline.now < self._deaf_until:
            return []
        self._held += chunk
        answers = []
        while (counted := self._next()) is not None:
            self.faults.counted.requests += 1
            heard = self.faults.upon_request(counted)
            if heard is not None and not self.faults.is_silent(NOBODY):
                answers += self._on_its_way(*self._answer(heard))
        return answers

    def _on_its_way(self, after: float, answer: bytes) -> list[tuple[float, bytes]]:
        """The answer as the port hands it on."""
        self.faults.counted.replies += 1
        sent: list[tuple[float, bytes]] = []
        begins = after + self.faults.delay_s()
        copies = [answer]
        if (again := self.faults.again_after_s()) is not None:
            copies.append(answer)
        for copy in copies:
            for pause, piece in self.faults.pieces(
                self.faults.upon_reply(copy) or b"", SPLIT_GAP_S["serial"]
            ):
                begins += pause
                sent.append((begins, piece))
                begins += len(piece) * BITS_PER_CHARACTER / self.baud
            begins += again or 0.0
        return sent

    def _next(self) -> bytes | None:
        """The next body and its checksum; what precedes a preamble is nothing."""
        while True:
            at = self._held.find(PREAMBLE)
            if at < 0:
                del self._held[: max(0, len(self._held) - len(PREAMBLE) + 1)]
                return None
            del self._held[:at]
            start = len(PREAMBLE) + LENGTH_BYTES
            if len(self._held) < start:
                return None
            length = int.from_bytes(self._held[len(PREAMBLE) : start], "big")
            if length > LONGEST_BODY:
                del self._held[: len(PREAMBLE)]
                continue
            if len(self._held) < start + length:
                return None
            frame = bytes(self._held[len(PREAMBLE) : start + length])
            del self._held[: start + length]
            return frame

    def _answer(self, counted: bytes) -> tuple[float, bytes]:
        if (status := self._unreadable(counted)) is not None:
            return self._said((0, 0), status)
        asked = (counted[2], counted[3])
        steps = {FIND: self._find, SELECT: self._select, READ: self._read}
        if asked in steps:
            return steps[asked]()
        if asked == NUMBER:
            return self._said(asked, DONE, MODULE_NUMBER)
        if asked[0] == SPEED and asked[1] < len(SPEEDS):
            self.baud = SPEEDS[asked[1]]
        elif asked not in {STATE, RESET}:
            return self._said(asked, NO_COMMAND)
        return self._said(asked, DONE)

    @staticmethod
    def _unreadable(counted: bytes) -> int | None:
        """What is wrong with a frame, its length bytes to its checksum."""
        if len(counted) < LENGTH_BYTES + SHORTEST_BODY:
            return BAD_LENGTH
        if reduce(xor, counted):
            return BAD_CHECK
        return None if len(counted) == LENGTH_BYTES + SHORTEST_BODY else BAD_LENGTH

    def _find(self) -> tuple[float, bytes]:
        if self._stage in {"away", "read"}:
            return self._said(FIND, NOT_FOUND)
        return self._said(FIND, self._finds, bytes(4))

    def _select(self) -> tuple[float, bytes]:
        if self._fails("laid"):
            return self._said(SELECT, SELECT_FAILED)
        self._stage = "selected"
        return self._said(SELECT, DONE, bytes(8))

    def _read(self) -> tuple[float, bytes]:
        if self._fails("selected") or self.card is None:
            return self._said(READ, READ_FAILED)
        self._stage = "read"
        self.reads += 1
        self._changed()
        lengths = TEXT_BYTES.to_bytes(2, "big") + PHOTO_BYTES.to_bytes(2, "big")
        return self._said(READ, DONE, lengths + self.card.text() + bytes(PHOTO_BYTES))

    def _fails(self, wanted: str) -> bool:
        if self.hangs:
            self.hung += 1
        if self.hangs or self._stage != wanted:
            self._stage = "laid" if self._stage == "selected" else self._stage
            return True
        return False

    def _said(
        self, asked: tuple[int, int], status: int, content: bytes = b""
    ) -> tuple[float, bytes]:
        needs_s = self._dice.uniform(*NEEDS_S.get(asked, QUICK_S))
        return needs_s, framed(bytes([0, 0, status]) + content)

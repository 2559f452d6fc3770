"""What a Bus needs to know of a protocol: frames, requests and how their answers are judged."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


class OutOfStep(Exception):
    """A byte stream that has lost its framing for good."""


class Verdict(StrEnum):
    """What a frame from the right station is to a request; all but SETTLED are no answer."""

    ANSWER = "answer"
    REFUSAL = "refusal"
    SILENT_BEHIND = "silent_behind"  # a gateway says that the station itself does not answer
    OTHER_FUNCTION = "other_function"
    OTHER_LENGTH = "other_length"
    OTHER_ECHO = "other_echo"


SETTLED: Final = (Verdict.ANSWER, Verdict.REFUSAL, Verdict.SILENT_BEHIND)


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole, checked frame."""

    station: int
    number: int | None  # of the exchange, where the protocol has one
    body: bytes
    unasked: bool = False  # a report by the device itself: a hint to look, never an answer


class Request(Protocol):
    """One exchange with one station."""

    @property
    def station(self) -> int: ...

    @property
    def kind(self) -> int:
        """Two requests of one kind to one station could be taken for each other's answers."""
        ...

    @property
    def reply_bytes(self) -> int: ...

    def body(self) -> bytes: ...

    def judge(self, body: bytes) -> Verdict: ...


class Wire(Protocol):
    """How bodies are framed on one connection; keeps what is not yet a whole frame."""

    @property
    def numbered(self) -> bool:
        """Whether answers carry the number of their request, so that a late one is known."""
        ...

    @property
    def overhead_bytes(self) -> int: ...

    @property
    def noise(self) -> int: ...

    @property
    def wanted(self) -> int:
        """With fewer bytes more, no frame can be whole."""
        ...

    @property
    def reports(self) -> bool:
        """Whether devices may speak without being asked."""
        ...

    @property
    def pause_s(self) -> float | None:
        """How long a silence ends the frame that is held; None where a length does."""
        ...

    def pause(self) -> list[Frame]:
        """That silence has come: what is held is a whole frame or none."""
        ...

    def pack(self, station: int, body: bytes, number: int) -> bytes: ...

    def clear(self) -> None: ...

    def feed(self, chunk: bytes) -> list[Frame]: ...


class CutByLength:
    """What is the same in every Wire whose frames tell their own length and come when asked."""

    reports = False
    pause_s: float | None = None

    def pause(self) -> list[Frame]:
        return []

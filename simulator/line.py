"""One line with its pace, trouble and counters; what is spoken on it is known to its kinds."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Final, Protocol

from simulator.devices.scanner import BITS_PER_CHARACTER
from simulator.faults import SPLIT_GAP_S, USUAL_PATIENCE_S, Faults
from simulator.plan import LinePlan
from simulator.timeline import Timeline

SILENCE_CHARACTERS: Final = 3.5
GAP_OF_SILENCE: Final = 1.5 / SILENCE_CHARACTERS
# The Modbus standard counts 11 bits a character for its silences, and fixes them above 19,200.
SILENCE_BITS: Final = 11
SILENCE_FIXED_S: Final = 0.00175
GAP_FIXED_S: Final = 0.00075
FASTEST_COUNTED: Final = 19_200
OTHER_SPEED: Final = {9600: 19_200, 19_200: 9600}

SLOW_S: Final = (0.3, 1.0)
DIP_S: Final = (0.3, 2.0)
FIRES_S: Final = (0.02, 0.1)  # after the pulse's begin the supply dips

Pieces = list[tuple[float, bytes]]


def silence_s(baud: int) -> float:
    """t3.5: a frame ends after so much of nothing."""
    if baud > FASTEST_COUNTED:
        return SILENCE_FIXED_S
    return SILENCE_CHARACTERS * SILENCE_BITS / baud


def gap_s(baud: int) -> float:
    """t1.5: a longer pause inside a frame spoils it."""
    return GAP_FIXED_S if baud > FASTEST_COUNTED else silence_s(baud) * GAP_OF_SILENCE


def overlaid(frames: Sequence[bytes]) -> bytes:
    """Several talk at once: a line pulled low by one is low."""
    longest = max(map(len, frames))
    mixed = [frame.ljust(longest, b"\xff") for frame in frames]
    result = mixed[0]
    for other in mixed[1:]:
        result = bytes(a & b for a, b in zip(result, other, strict=True))
    return result


class Station(Protocol):
    """A board on a line."""

    @property
    def unit(self) -> int: ...

    def hears(self, baud: int, usual: int) -> bool:
        """Whether it listens now, and at this speed; `usual` is what it was set to when built."""
        ...


class Host(Protocol):
    """What a board hangs on."""

    faults: Faults

    def burst(self) -> None:
        """A board gets its power, or is plugged."""
        ...

    def mutter(self, octets: bytes) -> None:
        """A board says what is no frame, now."""
        ...


class Line:
    """An RS-485 line. A request goes in; the answer comes out in pieces, each at its moment."""

    longest: int  # bytes of a request
    usual_turnaround_s: tuple[float, float]
    patience_s = USUAL_PATIENCE_S  # of a master; on a device server `server_patience_s`
    server_patience_s: float | None = None  # None: the same
    by_silence = False  # boards cut frames by silence, else by length

    def __init__(
        self, plan: LinePlan, stations: Sequence[Station], timeline: Timeline, seed: int
    ) -> None:
        self.plan = plan
        self.timeline = timeline
        self.outlet: Callable[[Pieces], None] = lambda _: None  # for what nobody asked for
        self.unplug: Callable[[float], None] = lambda _: None  # for so many seconds
        on_server_s = self.server_patience_s if plan.tcp else None
        patience_s = on_server_s or self.patience_s
        self.faults = Faults(Random(f"{seed}/{plan.name}/faults"), patience_s)
        self.stations = stations
        self.dice = Random(f"{seed}/{plan.name}/boards")
        self.spoken_at(plan.baud)

    def spoken_at(self, baud: int) -> None:
        """The master has set this speed."""
        self.baud = baud
        self.character_s = BITS_PER_CHARACTER / baud
        self.silence_s = silence_s(baud)
        self.gap_s = gap_s(baud)

    def request_length(self, start: bytes) -> int | None:
        """Bytes of the request that begins like this, when they can be known yet."""
        raise NotImplementedError

    def whole(self, frame: bytes) -> bool:
        raise NotImplementedError

    def sealed(self, octets: bytes) -> bytes:
        raise NotImplementedError

    def heard(self, frame: bytes) -> list[tuple[float, bytes]]:
        """Let the boards do what a whole frame says: their answers, a pause before each."""
        raise NotImplementedError

    def ask(self, frame: bytes, now: float) -> Pieces:
        """The answer to a request whose last character ended `now`.

        Each piece comes with the seconds from then until its last character is readable.
        """
        self.timeline.advance(now)
        self.faults.counted.requests += 1
        if self.faults.strikes("swapped"):
            noise = bytes(octet ^ 0xFF for octet in frame)
            return [(self.character_s, noise)] if self.faults.dice.random() < 1 / 2 else []
        sent: Pieces = [(0.0, frame)] if self.faults.strikes("echo") else []
        heard = self.faults.upon_request(frame)
        if heard is not None and self.whole(heard) and (said := self.heard(heard)):
            sent += self._sent(said, self._turnaround_s())
        if picked_up := self.faults.idle_noise():
            after, octets = picked_up
            last = sent[-1][0] if sent else self._turnaround_s()
            sent += self._at_pace(octets, last + after)
        return sent

    def speak(self, frame: bytes) -> None:
        """A board says something of its own accord, now."""
        self.outlet(self._sent([(0.0, frame)], 0.0))

    def burst(self) -> None:
        """A board gets its power, or is plugged, on a line that lets it be heard."""
        if self.faults.trouble.garbage:
            self.faults.counted.garbage += 1
            self.outlet(self._at_pace(self.faults.noise(), 0.0))

    def mutter(self, octets: bytes) -> None:
        """Over whatever else is said on the pair."""
        self.outlet(self._at_pace(octets, 0.0))

    def listens(self, station: Station) -> bool:
        """Whether what is said on the line reaches this board."""
        if self.faults.is_silent(station.unit):
            return False
        if self.faults.strikes("wrong_parity", station.unit):
            return False  # no frame of ours is whole there
        usual = self.plan.baud
        if station.unit in self.faults.trouble.wrong_speed:
            usual = OTHER_SPEED.get(usual, 9600)
        hears = station.hears(self.baud, usual)
        if not hears:
            self.faults.counted.wrong_speed += usual != self.plan.baud
        return hears

    def with_twin(self, unit: int, answer: bytes) -> list[tuple[float, bytes]]:
        """A second board on the same address answers too: over the first one, or after it."""
        if not self.faults.strikes("collision", unit):
            return [(0.0, answer)]
        dice = self.faults.dice
        spot = dice.randrange(2, max(3, len(answer) - 2))
        other = bytes([answer[spot] ^ (1 << dice.randrange(8))])
        twin = self.sealed(self.opened(answer[:spot] + other + answer[spot + 1 :]))
        if dice.random() < 1 / 2:
            return [(0.0, answer), (self.silence_s, twin)]
        return [(0.0, overlaid([answer, b"\xff" + twin]))]

    def opened(self, frame: bytes) -> bytes:
        """Without its checksum."""
        raise NotImplementedError

    def _turnaround_s(self) -> float:
        pause = self.silence_s if self.by_silence else 0.0
        return pause + self.dice.uniform(*(self.plan.turnaround_s or self.usual_turnaround_s))

    def _sent(self, said: Sequence[tuple[float, bytes]], begins: float) -> Pieces:
        self.faults.counted.replies += 1
        begins += self.faults.delay_s()
        sent: Pieces = []
        for pause, frame in said:
            answer = self.faults.upon_reply(frame)
            if not answer:
                continue
            sent += self._at_pace(answer, begins + pause)
            gap = self.faults.again_after_s()
            if gap is not None:
                sent += self._at_pace(answer, sent[-1][0] + gap)
            begins = sent[-1][0]
        return sent

    def _at_pace(self, answer: bytes, begins: float) -> Pieces:
        """Character by character as the line is fast, handed on as a UART's FIFO does."""
        sent = []
        gap_s = SPLIT_GAP_S["tcp" if self.plan.tcp else "serial"]
        for pause, piece in self.faults.pieces(answer, gap_s):
            begins += pause
            for start in range(0, len(piece), self.plan.burst):
                part = piece[start : start + self.plan.burst]
                begins += len(part) * self.character_s
                sent.append((begins, part))
        return sent


class Condition:
    """Whether a board listens: not while it starts, nor, as a fault, while it pulses."""

    def __init__(self, timeline: Timeline, starting_s: float = 0.5) -> None:
        self._timeline = timeline
        self._starting_s = starting_s
        self._deaf_until = float("-inf")
        self._line: Host | None = None
        self._falls: Callable[[], None] = lambda: None

    def on(self, line: Host, falls: Callable[[], None]) -> None:
        """It hangs on this line; `falls` is what a lost supply does to it."""
        self._line = line
        self._falls = falls

    def listens(self) -> bool:
        return self._timeline.now >= self._deaf_until

    def deaf_for(self, seconds: float) -> None:
        self._deaf_until = max(self._deaf_until, self._timeline.now + seconds)

    def strikes(self, name: str, unit: int) -> bool:
        """Whether a trouble of its line comes to this board now; it is counted."""
        return self._line is not None and self._line.faults.strikes(name, unit)

    def mutter(self, octets: bytes) -> None:
        if self._line is not None:
            self._line.mutter(octets)

    def pulsed(self, unit: int) -> None:
        """A lock fires now."""
        if self._line is None:
            return
        faults = self._line.faults
        if faults.strikes("slow_after_pulse", unit):
            self.deaf_for(faults.dice.uniform(*SLOW_S))
        if faults.strikes("reboot"):
            off_s = faults.dice.uniform(*DIP_S)
            self._timeline.after(faults.dice.uniform(*FIRES_S), partial(self.restart, off_s))

    def restart(self, off_s: float = 0.0) -> None:
        """Its supply is gone for so long; then it starts."""
        self._falls()
        self.deaf_for(off_s + self._starting_s)
        if self._line is not None:
            self._timeline.after(off_s, self._line.burst)

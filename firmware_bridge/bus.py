"""One voice on one line: a question may be repeated, a movement is asked for once.

RTU answers carry no number, so a late one looks like the answer to whatever is asked next. Four
things keep it out. After a time-out, a bad frame or a cancellation the line rests and what comes
is dropped. A station is not asked the same kind of thing while an answer to the last may still be
on its way, nor while the last answer may still be sent twice. After a doubt it is asked something
of another kind first. And an answer counts only when station, kind, length and echo are right.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final

from controller.faults import BadReply, LineDown, NoReply, NotMoved, OutcomeUnknown
from controller.ports import Clock
from firmware_bridge.attempt import Attempt, Reply, SilentAsAllowed
from firmware_bridge.budget import PulseBudget
from firmware_bridge.doubts import Doubts
from firmware_bridge.exchange import SETTLED, Frame, OutOfStep, Request, Verdict, Wire
from firmware_bridge.ledger import Ledger
from firmware_bridge.lines import Line, LineLost, LineOpener
from firmware_bridge.reopening import Reopening
from firmware_bridge.timing import Timing
from firmware_bridge.turns import Shares, Turns, Urgency
from firmware_bridge.urls import Place

QUIET_S: Final = 0.050  # USB adapters pass on one frame in bursts up to 16 ms apart
BABBLE_S: Final = 2.0  # a line that is never quiet for so long is broken
SILENT_MAX: Final = 2  # time-outs in a row after which a TCP connection is taken for dead
# Behind a device server that hangs nothing answers at all; one dead board alone is asked this often
# in a row now and then, and a new connection costs more where answers carry no number.
SERVER_SILENT_MAX: Final = 4
NUMBER_MAX: Final = 0xFFFF
# Where a question may not be asked again for so long, a quick one shows whether anybody is there.
ASIDE_S: Final = 1.0
AGAIN_S: Final = 2.0  # later than that after it was first asked nothing is asked again by itself


class Bus:
    """Owns one line. Nothing is opened before the first request; what failed is opened anew."""

    def __init__(
        self,
        place: Place,
        timing: Timing,
        *,
        new_wire: Callable[[], Wire],
        clock: Clock,
        opener: LineOpener,
        shares: Shares | None = None,
    ) -> None:
        self.name = place.key
        self.timing = timing
        self.budget = PulseBudget(clock)
        self.shares = shares or Shares()
        self._ledger = Ledger(timing, self.shares, clock)
        self.counters = self._ledger.counters
        self.stations = self._ledger.stations
        self._hints: dict[int, Callable[[], None]] = {}
        self._place = place
        self._char_s = place.char_s
        self._clock = clock
        self._opener = opener
        self._new_wire = new_wire
        self._wire = new_wire()
        self._line: Line | None = None
        self._turns = Turns(self.shares)
        self._number = 0
        self._silent = 0
        self._sending_until = 0.0
        self._doubts = Doubts()
        self._reopening = Reopening()

    @property
    def connection(self) -> int:
        """Counts connections: what was told to a device on an older one may be forgotten."""
        return self.counters.connections if self._line is not None else 0

    @property
    def paced(self) -> bool:
        """Whether bytes take time here, so that polling on and on costs the line and no more."""
        return self._char_s > 0

    def figures(self) -> dict[str, float]:
        return self.counters.figures(self._clock.monotonic())

    def on_report(self, station: int, hint: Callable[[], None]) -> None:
        """Call `hint` whenever this station reports something unasked."""
        self._hints[station] = hint

    def close(self) -> None:
        """The line is free for others; asking again opens it again."""
        if self._line is not None:
            self._line.close()
            self._line = None

    async def connect(self, device: str, urgency: Urgency) -> int:
        """Open the line unless it is open, and return its number; LineDown when it cannot be."""
        async with self._turns.turn(urgency):
            await self._connected(device, urgency)
        return self.counters.connections

    async def ask(
        self,
        device: str,
        request: Request,
        *,
        urgency: Urgency,
        tries: int = 1,
        reply_s: float | None = None,
        probe: Request | None = None,
        on: int = 0,
    ) -> Reply:
        """Ask until answered, `tries` times at most. NoReply, BadReply or LineDown after that.

        `on` says which connection is meant, where a later one would not do; `probe` what to ask
        this station first after one of its answers went missing. A poll of a station that has
        never answered is asked once: the next poll comes soon enough.
        """
        if urgency >= Urgency.ATTEND and not self.stations[request.station].replies:
            tries = 1
        last_at = inf
        for left in reversed(range(tries)):
            attempt = Attempt(device, reply_s, probe, on)
            try:
                return await self._take_turn(request, urgency, attempt)
            except (NoReply, BadReply):
                last_at = min(last_at, attempt.sent_at + AGAIN_S)
                free_at = self._doubts.free_at(request, probe)
                if not left or free_at > last_at:
                    raise
                if probe is not None and free_at - self._clock.monotonic() > ASIDE_S:
                    aside = Attempt(device, reply_s, None, on)
                    await self._take_turn(probe, urgency, aside)  # alive? then it is worth waiting
        raise AssertionError("tries is at least 1")

    async def move(
        self,
        device: str,
        request: Request,
        *,
        reply_s: float | None = None,
        probe: Request | None = None,
        on: int = 0,
        by: float = inf,
    ) -> Reply:
        """Ask for a movement, ahead of everything and once, `by` a time or never.

        A harmless question that must come before it is asked once more when it was lost.

        NotMoved: it was never sent. OutcomeUnknown: it was, and no answer to it came.
        """
        attempt = Attempt(device, reply_s or self.timing.reply_s, probe, on, by=by)
        return await self._move(request, attempt)

    async def order(
        self, device: str, request: Request, *, reply_s: float, on: int = 0, by: float = inf
    ) -> Reply | None:
        """Move a board that may keep silent about it: None where no answer came. Else as `move`."""
        try:
            attempt = Attempt(device, reply_s, None, on, optional=True, by=by)
            return await self._move(request, attempt)
        except SilentAsAllowed:
            return None

    async def _move(self, request: Request, attempt: Attempt) -> Reply:
        device = attempt.device
        try:
            try:
                return await self._take_turn(request, Urgency.RELEASE, attempt)
            except (NoReply, BadReply):
                if attempt.sent:
                    raise
            return await self._take_turn(request, Urgency.RELEASE, attempt)
        except (NoReply, BadReply, LineDown) as fault:
            if attempt.sent:
                raise OutcomeUnknown(device, f"asked to move, then {fault.what}") from fault
            raise NotMoved(device, f"not asked to move: {fault.what}") from fault

    async def _take_turn(self, request: Request, urgency: Urgency, attempt: Attempt) -> Reply:
        overtaken = False
        while True:
            if (wait_s := self._stand_back_s(request, attempt.probe, urgency)) > 0:
                attempt.check(self._clock.monotonic() + wait_s)
                await self._clock.sleep(wait_s)  # others have the line meanwhile
            async with self._turns.turn(urgency, again=overtaken):
                if self._stand_back_s(request, attempt.probe, urgency) > 0:
                    continue
                if attempt.on and attempt.on != self.connection:
                    raise LineDown(attempt.device, "the line went down meanwhile")
                line = await self._connected(attempt.device, urgency)
                if not self._wire.numbered:
                    await self._settle(line, attempt.device)
                    if attempt.probe is not None:
                        await self._dispel(line, request, attempt)
                    await self._keep_silence(line, attempt.device)
                    if overtaken := self._turns.overtaken(urgency):
                        continue  # a release that came meanwhile does not wait for our exchange
                return await self._exchange(line, request, attempt)

    def _stand_back_s(self, request: Request, probe: Request | None, urgency: Urgency) -> float:
        until = self._doubts.free_at(request, probe)
        if urgency >= Urgency.ATTEND:
            until = max(until, self.stations[request.station].polled_from)
        return until - self._clock.monotonic()

    async def _connected(self, device: str, urgency: Urgency) -> Line:
        if self._line is None:
            if urgency >= Urgency.ATTEND and self._clock.monotonic() < self._reopening.due_at:
                raise LineDown(device, self._reopening.why)
            try:
                self._line = await self._opener(self._place, self._clock)
            except LineLost as lost:
                self._reopening.failed(self._clock.monotonic(), str(lost))
                raise LineDown(device, str(lost)) from lost
            self._reopening.succeeded()
            now = self._clock.monotonic()
            if not self.counters.connections:
                self.counters.since_s = now
            self.counters.connections += 1
            self._wire = self._new_wire()
            self._number = self._silent = 0
            if self._wire.numbered:
                for station in self.stations.values():
                    station.begin_anew()
            self._doubts.rest_until = max(self._doubts.rest_until, now + self.timing.settle_s)
        return self._line

    def _lose(self, attempt: Attempt, lost: Exception) -> LineDown:
        self.close()
        return LineDown(attempt.device, str(lost))

    async def _settle(self, line: Line, device: str) -> None:
        """After a doubt: wait until nothing more can be on its way, and forget what came."""
        started = now = self._clock.monotonic()
        while (rest_until := self._doubts.rest_until) > 0:
            until = max(rest_until, line.last_byte_at + QUIET_S)
            if now >= until:
                break
            await self._clock.sleep(until - now)
            now = self._clock.monotonic()
            if now - started > BABBLE_S + self.timing.rest_s:
                raise BadReply(device, "the line is never quiet")
        self._doubts.rest_until = 0.0

    async def _dispel(self, line: Line, request: Request, attempt: Attempt) -> None:
        """Where an answer of this kind is missing, have one of another kind first."""
        probe = attempt.probe
        if probe is not None and probe.kind != request.kind and self._doubts.about(request):
            await self._exchange(line, probe, Attempt(attempt.device, attempt.reply_s, None, 0))
            await self._settle(line, attempt.device)

    async def _keep_silence(self, line: Line, device: str) -> None:
        started = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            last = max(line.last_byte_at, self._sending_until)
            if (short_s := last + self.timing.gap_s - now) <= 0:
                return
            if now - started > BABBLE_S:
                raise BadReply(device, "the line is never quiet")
            await line.rest(short_s)

    async def _exchange(self, line: Line, request: Request, attempt: Attempt) -> Reply:
        self._number = self._number % NUMBER_MAX + 1
        packed = self._wire.pack(request.station, request.body(), self._number)
        wire_s = len(packed) * self._char_s
        if not self._wire.numbered:
            await self._keep_silence(line, attempt.device)
            await self._clear(line)
        # From here to the first byte each microsecond is lost to the line: count afterwards.
        attempt.check(now := self._clock.monotonic())
        kept_s = now - max(line.last_byte_at, self._sending_until)
        self._sending_until = now + wire_s
        reply, silent = None, False
        try:
            line.send(packed)  # all of it, or LineLost: a board ignores part of a frame
            attempt.sent_at = now
            if not self._wire.numbered:
                self.counters.paused(kept_s)
            self._ledger.asked(request, wire_s)
            patience_s = self._ledger.patience_s(request, attempt)
            until = asyncio.get_running_loop().time() + (
                wire_s + patience_s + self._reply_wire_s(request)
            )
            reply = await self._hear(line, request, until)
        except TimeoutError:
            # What came in the same turn of the loop as the time-out has come.
            reply = self._answer_in(self._wire.feed(await line.receive(0)), request)
            if reply is None:
                silent = attempt.optional and not self._wire.noise
                if silent:
                    raise SilentAsAllowed from None
                raise self._silence(request, attempt, patience_s) from None
        except (LineLost, OutOfStep) as lost:
            raise self._lose(attempt, lost) from lost
        finally:
            self._remember(request, attempt, answered=reply is not None, as_allowed=silent)
        self._count(line, request, reply)
        return reply

    async def _clear(self, line: Line) -> None:
        """Forget what came since the last exchange; reports by devices count as hints."""
        if self._wire.reports:
            chunk = await line.receive(0)
            self.counters.unasked_bytes += len(chunk)
            for frame in self._wire.feed(chunk) + self._wire.pause():
                self._overhear(frame)
        self.counters.unasked_bytes += line.drain()
        self._wire.clear()

    def _overhear(self, frame: Frame) -> None:
        if frame.unasked:
            self.counters.reports += 1
            if (hint := self._hints.get(frame.station)) is not None:
                hint()

    def _reply_wire_s(self, request: Request) -> float:
        return (request.reply_bytes + self._wire.overhead_bytes) * self._char_s

    async def _hear(self, line: Line, request: Request, until: float) -> Reply:
        while True:
            if self._wire.pause_s is None:
                frames = self._wire.feed(await line.receive(self._wire.wanted, until))
            else:
                frames = await self._paused(line, self._wire.pause_s, until)
            if (reply := self._answer_in(frames, request)) is not None:
                return reply

    def _answer_in(self, frames: list[Frame], request: Request) -> Reply | None:
        for frame in frames:
            self._overhear(frame)
            verdict = self._judge(frame, request)
            if isinstance(verdict, Verdict) and verdict in SETTLED:
                return Reply(frame.body, verdict)
            self._ledger.refused(frame.station, verdict)
        return None

    async def _paused(self, line: Line, pause_s: float, until: float) -> list[Frame]:
        """What is whole after the next bytes, or because none came for so long."""
        pause_at = asyncio.get_running_loop().time() + pause_s
        try:
            return self._wire.feed(await line.receive(1, min(pause_at, until)))
        except TimeoutError:
            if until < pause_at:
                raise
            return self._wire.pause()

    def _judge(self, frame: Frame, request: Request) -> str:
        """Another station's frame is dropped and the wait goes on; so is a leftover of this one."""
        if frame.number is not None and frame.number != self._number:
            return "other_number"
        if frame.unasked:
            return "unasked"
        if frame.station != request.station:
            return "other_station"
        verdict = request.judge(frame.body)
        if frame.number is None and verdict not in SETTLED:
            self._doubt()
        return verdict

    def _silence(self, request: Request, attempt: Attempt, patience_s: float) -> NoReply | BadReply:
        self._ledger.timed_out(request, self._clock.monotonic() - attempt.sent_at)
        if self._wire.noise and not self._wire.numbered:
            self.counters.noise_bytes += self._wire.noise
            self._ledger.refused(request.station, "garbled")
            return BadReply(attempt.device, "what came was garbled")
        self._silent += 1
        allowed = SILENT_MAX if self._wire.numbered else SERVER_SILENT_MAX
        if self._silent >= allowed and not self.paced:
            self.close()
        return NoReply(attempt.device, f"no answer within {patience_s * 1000:.0f} ms")

    def _doubt(self) -> None:
        self._doubts.rest_until = self._clock.monotonic() + self.timing.rest_s

    def _remember(
        self, request: Request, attempt: Attempt, *, answered: bool, as_allowed: bool
    ) -> None:
        """Note until when this station is not asked the same kind of thing."""
        if self._wire.numbered:
            return
        wire_s = self._reply_wire_s(request)
        if answered:
            self._doubts.answered(request, self._clock.monotonic() + wire_s)
            return
        # The longest patience, not the learnt one: the latest answers keep to no average.
        patience_s = attempt.reply_s or self.timing.reply_s
        self._doubts.unanswered(request, self._sending_until + wire_s, patience_s)
        if not as_allowed:
            self._doubts.miss(request)
            self._doubt()

    def _count(self, line: Line, request: Request, reply: Reply) -> None:
        self._silent = 0
        self.counters.noise_bytes += self._wire.noise
        wire_s = (len(reply.body) + self._wire.overhead_bytes) * self._char_s
        turnaround_s = max(0.0, line.last_byte_at - self._sending_until - wire_s)
        self._ledger.answered(request, reply, wire_s, turnaround_s)

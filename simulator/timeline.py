"""What will happen, in order; time is handed in, so a day may pass in a moment."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class Appointment:
    """Something that happens at its time unless it is called off."""

    act: Callable[[], None]
    off: bool = False

    def cancel(self) -> None:
        self.off = True


@dataclass(slots=True)
class Timeline:
    """Physics: `now` moves only in `advance`, and what is due happens at its own moment."""

    now: float
    speed: float = 1.0
    sooner: Callable[[], None] = lambda: None  # told when something new comes first
    _waiting: list[tuple[float, int, Appointment]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)

    def after(self, seconds: float, act: Callable[[], None]) -> Appointment:
        """At the pace of clocks and wires, whatever the speed."""
        made = Appointment(act)
        heapq.heappush(self._waiting, (self.now + seconds, next(self._order), made))
        if self._waiting[0][2] is made:
            self.sooner()
        return made

    def quickly(self, seconds: float, act: Callable[[], None]) -> Appointment:
        """At the pace of people, locks and paper, which `speed` makes faster."""
        return self.after(seconds / self.speed, act)

    def advance(self, until: float) -> None:
        while self._waiting and self._waiting[0][0] <= until:
            when, _, due = heapq.heappop(self._waiting)
            if not due.off:
                self.now = max(self.now, when)
                due.act()
        self.now = max(self.now, until)

    def due(self) -> float | None:
        """When the next thing happens."""
        while self._waiting and self._waiting[0][2].off:
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None

"""Devices that do not answer: since when, and the alarm that says so or names their line."""

from collections.abc import Iterable, Mapping

from controller.entries import AlarmKind
from controller.faults import DeviceFault, LineDown
from controller.ports import Clock
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Act, Book

Alarm = tuple[AlarmKind, str]


class Silences:
    """A device is silent, or its line is down: that goes for all on it, and is said once."""

    def __init__(
        self,
        book: Book,
        clock: Clock,
        devices: Iterable[str],
        lines: Mapping[str, str],
        *,
        after_s: float,
    ) -> None:
        self._book = book
        self._clock = clock
        self._after_s = after_s
        self._line = {device: lines.get(device, device) for device in devices}
        self._lost: dict[str, tuple[float, AlarmKind]] = {}  # since when, what
        self._seen_at: dict[str, float] = {}  # devices that answered since the start: when last
        self._told: set[Alarm] = set()

    def lost(self) -> set[str]:
        return set(self._lost)

    def answers(self, device: str) -> bool:
        """It answered. True where that is news, which belongs into an act by `clear`."""
        now = self._clock.monotonic()
        back = self._lost.pop(device, None) is not None or device not in self._seen_at
        self._seen_at[device] = now
        for other, (_, kind) in self._lost.items() if back else ():
            if kind is AlarmKind.BUS_DOWN and self._line[other] == self._line[device]:
                self._lost[other] = (now, AlarmKind.BOARD_SILENT)  # the line at least is there
        return back

    def clear(self, act: Act, device: str) -> None:
        """Neither it nor its line is complained of any more."""
        alarms = (AlarmKind.BOARD_SILENT, device), (AlarmKind.BUS_DOWN, self._line[device])
        for kind, where in alarms:
            self._told.discard((kind, where))
            clear_alarm(act, kind, where)

    def lose(self, device: str, fault: DeviceFault) -> None:
        """It does not answer; the newest fault says why."""
        kind = AlarmKind.BUS_DOWN if isinstance(fault, LineDown) else AlarmKind.BOARD_SILENT
        since, _ = self._lost.get(device, (self._seen_at.get(device), kind))
        self._lost[device] = (self._clock.monotonic() if since is None else since, kind)

    def tell(self) -> None:
        """Raise what has lasted long enough; what turned out to be something else is cleared."""
        due = {device for device in self._lost if self._has_lasted(device)}
        stands = {self._alarm(device, due) for device in due}
        if stands == self._told:
            return
        with self._book.act() as act:
            for kind, where in sorted(self._told - stands):
                clear_alarm(act, kind, where)
            for kind, where in sorted(stands - self._told):
                raise_alarm(act, kind, where)
        self._told = stands

    def _has_lasted(self, device: str) -> bool:
        return self._clock.monotonic() - self._lost[device][0] >= self._after_s

    def _alarm(self, device: str, due: set[str]) -> Alarm:
        line = self._line[device]
        on_it = [each for each, named in self._line.items() if named == line]
        if self._lost[device][1] is AlarmKind.BUS_DOWN or (len(on_it) > 1 and due >= set(on_it)):
            return AlarmKind.BUS_DOWN, line
        return AlarmKind.BOARD_SILENT, device

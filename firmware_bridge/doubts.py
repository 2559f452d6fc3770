"""What may still be on its way on a line whose answers carry no number."""

from typing import Final

from firmware_bridge.exchange import Request

DOUBLED_S: Final = 0.021  # a board that answers twice begins the second time within 20 ms
LATE_TIMES: Final = 3  # the latest answers seen came after three time-outs


class Doubts:
    """Until when the line rests, and until when a station is not asked the same kind of thing."""

    def __init__(self) -> None:
        self.rest_until = 0.0
        self._not_before: dict[tuple[int, int], float] = {}
        self._missing: dict[int, set[int]] = {}  # station to the kinds whose answers are missing

    def free_at(self, request: Request, probe: Request | None) -> float:
        """From when on this may be asked, and what must be asked before it."""
        until = self._not_before.get((request.station, request.kind), 0.0)
        if probe is not None and self.about(request):
            until = max(until, self._not_before.get((probe.station, probe.kind), 0.0))
        return until

    def about(self, request: Request) -> bool:
        """Whether an answer of this kind is missing, and nothing else was answered since."""
        return request.kind in self._missing.get(request.station, ())

    def answered(self, request: Request, at: float) -> None:
        """Its answer was whole at that time; it may be sent once more, and nothing is missing."""
        self._not_before[request.station, request.kind] = at + DOUBLED_S
        self.dispel(request.station)

    def unanswered(self, request: Request, at: float, patience_s: float) -> None:
        """An answer that would have come at that time may be late by several times the patience."""
        late_s = LATE_TIMES * patience_s + DOUBLED_S
        self._not_before[request.station, request.kind] = at + late_s

    def miss(self, request: Request) -> None:
        self._missing.setdefault(request.station, set()).add(request.kind)

    def dispel(self, station: int) -> None:
        self._missing.pop(station, None)

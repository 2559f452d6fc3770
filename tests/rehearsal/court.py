"""A judge before whom anything can be said to have happened."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from controller.entries import Down
from controller.journal import GENESIS, Entry, Stream, rfc3339
from simulator.rehearsal.events import Event, EventLog, Wrote
from simulator.rehearsal.judge import Judge

START = datetime(2026, 1, 5, tzinfo=UTC)


class Court:
    """`now` is moved by hand; `flaws` are the sentences that did not hold."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log = EventLog(lambda: self.now)
        self.judge = Judge(self.log, START)
        self._numbers = {stream: count(1) for stream in Stream}
        self._last = dict.fromkeys(Stream, GENESIS)

    def says(self, *events: Event) -> None:
        for event in events:
            self.log.note(event)

    def writes(self, entry_kind: str, /, *, of_s: float | None = None, **data: Any) -> None:
        """An entry as of now, or of a time of its own."""
        stream = Stream.DOWN if entry_kind in set(Down) else Stream.UP
        at = START + timedelta(seconds=self.now if of_s is None else of_s)
        seq = next(self._numbers[stream])
        before, self._last[stream] = self._last[stream], f"{stream.value}{seq}"
        entry = Entry(
            "S", stream, seq, rfc3339(at), entry_kind, data, before, b"", self._last[stream]
        )
        self.log.note(Wrote(entry))

    @property
    def flaws(self) -> list[str]:
        return [each.sentence for each in self.judge.violations]

    # what often happens

    def order(self, number: str = "N1", *, holder: str = "cabinet") -> None:
        item = {"item_id": f"{number}-seals", "label": f"OWL:{number}", "holder": holder}
        code = {"code_id": f"{number}-a"}
        self.writes("order.placed", order=number, items=[item], codes=[code])

    def command(self, *, kind: str = "open", lasts_s: float = 300.0, by: str | None = None) -> None:
        """C1 wants A/1."""
        self.writes(
            f"compartment.{kind}",
            command="C1",
            cabinet="A",
            no=1,
            requested_by="ops1",
            approved_by=by,
            expires_at=rfc3339(START + timedelta(seconds=self.now + lasts_s)),
        )

    def intends(self, kind: str, name: str = "I1", where: str = "A/1", **data: Any) -> None:
        told = {"intent": name, "kind": kind, "where": where, "reason": "asked_for"}
        self.writes("movement.intended", **told, **data)


Step = Callable[[Court], None]


def flaws_of(keeps: Step, breaks: Step) -> list[str]:
    """What a court finds after the second step; after the first it has found nothing."""
    court = Court()
    keeps(court)
    assert court.flaws == []
    breaks(court)
    return court.flaws

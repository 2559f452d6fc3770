"""The other side of a site's days: the link's own weather, and an ear for what must not be said."""

from collections.abc import Iterator
from random import Random

from simulator.rehearsal.agreement import agree
from simulator.rehearsal.events import Event, Wrote
from simulator.rehearsal.link_events import Kept, Leaked
from simulator.rehearsal.link_storm import LinkStorm, drawn
from simulator.rehearsal.linked_stage import LinkedStage
from simulator.rehearsal.reader import Reader
from simulator.rehearsal.storm import Plan


class FarSide:
    """Plans what befalls a link, and hears all that leaves its ends."""

    def __init__(self, stage: LinkedStage, faults: tuple[str, ...], seed: str, plan: Plan) -> None:
        dice = Random(f"{seed}/link storm")
        storm = LinkStorm(stage, drawn(faults, dice), dice, plan)
        self.plan_day, self.calm_down = storm.plan_day, storm.end
        link = stage.settings.link
        own = {
            link.key.get_secret_value().hex(),
            link.code_key.get_secret_value().hex(),
            link.typed_salt.get_secret_value().hex(),
        }
        stage.district.people.secrets |= own
        self.reader = Reader(stage.district.people.secrets)
        self._stage = stage
        stage.log.listeners.append(self._hear)
        stage.published.append(self._published)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Wrote | Kept):
            self._read("a journal", event.entry.body.decode())

    def _published(self, topic: str, payload: bytes) -> None:
        if not topic.endswith(("/journal/up", "/journal/down")):  # those are entries alone
            self._read("a message", f"{topic} {payload.decode()}")

    def logged(self, line: object) -> None:
        self._read("a log", str(line))

    def _read(self, where: str, text: str) -> None:
        self._tell(self.reader.read(where, text))

    def end(self, *, agreed: bool) -> None:
        """Everything was said; if nothing broke off, both ends agree by now."""
        self._tell(self.reader.search())
        if agreed:
            self._stage.log.note(agree(self._stage))

    def _tell(self, found: Iterator[tuple[str, str]]) -> None:
        for what, where in found:
            self._stage.log.note(Leaked(what, where))

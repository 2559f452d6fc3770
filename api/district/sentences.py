"""Journal entries as sentences that a person at a desk understands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.cabinet import label
from api.district import words
from api.district.words import Tone
from controller.journal import Entry

Translate = Callable[[str], str]

SENTENCES: Final = {
    "site.started": "The site's controller started (version %(version)s).",
    "movement.intended/load": "%(where)s was to open for loading.",
    "movement.intended/load/machine": "%(where)s was to take a licence in.",
    "movement.intended/return/machine": "%(where)s was to hand out a licence to be taken back.",
    "movement.intended/undo/machine": "%(where)s was to give back the licence just taken in.",
    "movement.intended/collect": "%(where)s was to open for the recipient.",
    "movement.intended/reopen": "%(where)s was to open once more for the same person.",
    "movement.intended/present": "%(where)s was to hand out a licence.",
    "movement.intended/retract": "%(where)s was to take a licence back.",
    "movement.intended/undo": "%(where)s was to open to take the last box out again.",
    "movement.intended/return": "%(where)s was to open so that the item could be taken back.",
    "movement.intended/inspect": "%(where)s was to open for staff to look inside.",
    "movement.intended/emergency": "%(where)s was to open in an emergency.",
    "movement.settled/moved": "It moved, as seen by the %(seen_by)s.",
    "movement.settled/not_moved": "It did not move.",
    "movement.settled/unknown": "Nobody knows whether it moved.",
    "item.loaded": "An item is in %(where)s.",
    "item.collected": "The item in %(where)s was taken, as seen by the %(by)s.",
    "item.returned": "The item in %(where)s was taken back, as seen by the %(by)s.",
    "item.expected": "The item was taken out of %(where)s and will be loaded again.",
    "item.missing": "The item is not in %(where)s, and nobody found it.",
    "item.stayed": "%(where)s is shut again, and inside is what was there before.",
    "pickup.overdue": "The last day is over. The code is good until the items are taken back.",
    "pickup.ready": "Everything is here: the order can be collected.",
    "pickup.started": "The recipient showed a good code.",
    "pickup.completed": "Everything was taken. The code is dead.",
    "pickup.ended": "The recipient left; items that remain: %(left)s.",
    "pickup.refused/qr": "A QR code was shown and opened nothing.",
    "pickup.refused/typed": "A code was typed and opened nothing.",
    "pickup.refused/badge": "A badge was shown and refused.",
    "pickup.refused/label": "A label was shown and refused.",
    "pickup.refused/second_factor": "A good code was shown without its second proof.",
    "pickup.refused/pin": "A badge was shown and its PIN was wrong.",
    "pickup.refused/foreign": "Something else was held before the scanner.",
    "problem.reported": "Somebody reported a problem, case %(case)s.",
    "problem.solved": "Case %(case)s is settled.",
    "deadline.extended": "There is time to collect until %(expires_at)s.",
    "feedback.rated": "The recipient rated the pickup %(stars)s of 5.",
    "door.opened": "Door %(where)s opened.",
    "door.closed": "Door %(where)s was closed.",
    "door.forced": "Door %(where)s opened though nobody released it.",
    "door.forced/True": "Door %(where)s was opened with the key, in maintenance.",
    "maintenance.began": "Maintenance of cabinet %(where)s began, until %(until)s (%(reason)s).",
    "maintenance.ended": "Maintenance of cabinet %(where)s ended.",
    "door.ajar": "Door %(where)s was left open.",
    "door.unknown": "Door %(where)s cannot be seen.",
    "doors.unknown": "A board fell silent; its doors cannot be seen.",
    "doors.closed": "A board is seen again; its doors are shut as before.",
    "alarm.acknowledged": "Somebody looks after the alarm.",
    "door.contradicted": "Door %(where)s moved, as the %(by)s shows; its switch said nothing.",
    "lock.rested": "Door %(where)s was released and nobody used it; its bolt fell back.",
    "lock.counted": "Door %(where)s: jammed in a row: %(jams)s; switch wrong: %(contradicted)s.",
    "day.reckoned": "%(day)s: movements decided: %(decided)s; do not agree: %(disagree)s.",
    "clock.confirmed": "Staff confirmed the clock: %(after)s, before it was %(before)s.",
    "compartment.fault": "%(where)s was taken out of use (%(reason)s).",
    "compartment.restored": "%(where)s is in use again.",
    "machine.changed": "Machine %(machine)s: %(state)s, sheets left: %(blanks)s.",
    "machine.adopted": "Staff took over the number at which machine %(machine)s stands.",
    "alarm.raised": "Alarm at %(where)s: %(name)s.",
    "alarm.cleared": "An alarm ended.",
    "hold.ended": "The site hands out again.",
    "command.done": "What the district asked of the site was done.",
    "command.done/staff_look": "The door opened; no sensor says what is left, staff must look.",
    "command.failed": "What the district asked of the site did not work (%(reason)s).",
    "command.refused": "The site refused what the district asked (%(reason)s).",
    "command.expired": "What the district asked came too late and was not done.",
    "command.unknown": "Nobody knows whether what the district asked was done.",
    "compartment.open": "The site was told to open %(where)s (%(reason)s).",
    "compartment.block": "The site was told to take %(where)s out of use (%(reason)s).",
    "compartment.unblock": "The site was told to use %(where)s again.",
    "doubt.settle": "The site was told by two people where a doubtful item is (%(reason)s).",
    "order.updated": "The site was told of changes to the order.",
    "settings.changed": "The site was told of other rules for its kiosk.",
    "settings.taken": "The site took over other rules for its kiosk.",
    "order.placed": "The order was announced to the site; items: %(items)s.",
    "order.cancelled": "The order was cancelled.",
    "item.return": "The site was told to have items taken back.",
    "code.replaced": "The pickup code was replaced. The old one is dead.",
    "badge.granted": "A badge was granted.",
    "badge.revoked": "A badge was revoked.",
}
_OTHER: Final = "Entry of kind %(kind)s."
SEEN_BY: Final = {
    "door": "door's switch",
    "sensor": "item sensor",
    "machine": "machine",
    "person": "person",
}
_TONE: Final[Mapping[str, Tone]] = {
    "alarm.raised": "bad",
    "door.forced": "bad",
    "compartment.fault": "bad",
    "movement.settled/unknown": "bad",
    "item.missing": "bad",
    "door.ajar": "warn",
    "door.unknown": "warn",
    "door.contradicted": "warn",
    "doors.unknown": "warn",
    "movement.settled/not_moved": "warn",
    "problem.reported": "warn",
    "pickup.completed": "good",
    "pickup.ready": "good",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry for the eye: the sentence, and the bytes behind it."""

    entry: Entry
    text: str
    tone: Tone
    order: str | None
    body: str


def line(entry: Entry, translate: Translate) -> Line:
    kind = _variant(entry)
    text = translate(SENTENCES.get(kind, _OTHER)) % _values(entry, translate)
    order = entry.data.get("order")
    return Line(
        entry,
        text,
        _TONE.get(kind, ""),
        order if isinstance(order, str) else None,
        entry.body.decode(),
    )


def _variant(entry: Entry) -> str:
    """The kind, with what it depends on where one kind has several sentences."""
    deciding = {
        "movement.intended": "kind",
        "movement.settled": "outcome",
        "pickup.refused": "how",
        "command.done": "reason",
        "door.forced": "maintenance",
    }.get(entry.kind)
    kind = f"{entry.kind}/{entry.data.get(deciding)}" if deciding else entry.kind
    of_machine = f"{kind}/machine"
    if "seq" in entry.data and of_machine in SENTENCES:
        return of_machine
    return kind if kind in SENTENCES else entry.kind


def _values(entry: Entry, translate: Translate) -> dict[str, Any]:
    data = entry.data
    machine = words.MACHINE.get(str(data.get("state")))
    alarm = words.ALARM.get(data.get("kind", ""))
    blanks = data.get("blanks")
    return {
        "kind": entry.kind,
        "version": data.get("version"),
        "where": label(_where(data)),
        "expires_at": data.get("expires_at"),
        "until": data.get("until"),
        "seen_by": translate(SEEN_BY.get(str(data.get("seen_by")), "person")),
        "by": translate(SEEN_BY.get(str(data.get("by")), "person")),
        "left": _count(data.get("left")),
        "items": _count(data.get("items")),
        "case": data.get("case"),
        "jams": data.get("jams"),
        "day": data.get("day"),
        "decided": data.get("decided"),
        "disagree": _count(data.get("disagree")),
        "before": data.get("before"),
        "after": data.get("after"),
        "contradicted": data.get("contradicted"),
        "stars": data.get("stars"),
        "reason": translate(words.reason(data.get("reason"))),
        "machine": data.get("machine"),
        "state": translate(machine.text) if machine else data.get("state"),
        "blanks": "?" if blanks is None else blanks,
        "name": translate(alarm.text) if alarm else data.get("kind"),
    }


def _where(data: Mapping[str, Any]) -> str:
    """A place in either way of writing it down."""
    if "cabinet" in data and "no" in data:
        return f"{data['cabinet']}/{data['no']}"
    return str(data.get("where") or "-")


def _count(value: object) -> int:
    return len(value) if isinstance(value, list) else 0

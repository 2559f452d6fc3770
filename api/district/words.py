"""The pages' words for states, kinds and alarms; each is a message of the catalogues.

A state is told by its word and its mark first; its tone only repeats that in colour.
"""

from dataclasses import dataclass
from typing import Final, Literal

from controller.entries import AlarmKind, CompartmentState, ItemState, OrderState, Verdict

Tone = Literal["", "good", "warn", "bad", "accent"]


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    tone: Tone = ""
    mark: str = ""


ORDER: Final = {
    OrderState.PLACED: Word("Placed"),
    OrderState.PARTLY_LOADED: Word("Partly loaded"),
    OrderState.READY: Word("Ready", "good"),
    OrderState.PARTLY_COLLECTED: Word("Partly collected", "accent"),
    OrderState.COLLECTED: Word("Collected"),
    OrderState.OVERDUE: Word("Overdue", "warn"),
    OrderState.RETURNED: Word("Returned", "warn"),
    OrderState.CANCELLED: Word("Cancelled"),
}

ITEM: Final = {
    ItemState.EXPECTED: Word("Expected", "", "○"),
    ItemState.LOADED: Word("Loaded", "good", "●"),
    ItemState.RELEASING: Word("Being handed over", "accent", "◐"),
    ItemState.COLLECTED: Word("Collected", "", "✓"),
    ItemState.RETURN_REQUESTED: Word("To be returned", "warn", "↩"),
    ItemState.RETURNED: Word("Returned", "warn", "↩"),
    ItemState.CANCELLED: Word("Cancelled", "", "–"),
}

# The same for who waits for it: no word of the trade.
ITEM_FOR_COMPANY: Final = {
    ItemState.EXPECTED: Word("On its way", "", "○"),
    ItemState.LOADED: Word("Ready for you", "good", "●"),
    ItemState.RELEASING: Word("Being handed over", "accent", "◐"),
    ItemState.COLLECTED: Word("Collected", "", "✓"),
    ItemState.RETURN_REQUESTED: Word("Will be taken back", "warn", "↩"),
    ItemState.RETURNED: Word("At the hall window", "warn", "↩"),
    ItemState.CANCELLED: Word("Cancelled", "", "–"),
}

COMPARTMENT: Final = {
    CompartmentState.FREE: Word("free"),
    CompartmentState.RESERVED: Word("reserved", "", "◌"),
    CompartmentState.OCCUPIED: Word("occupied", "accent", "●"),
    CompartmentState.OPEN: Word("open", "warn", "◧"),
    CompartmentState.FAULT: Word("fault", "bad", "!"),
    CompartmentState.BLOCKED: Word("blocked", "bad", "×"),
}

DOOR: Final = {
    "open": Word("door open", "warn", "◧"),
    "closed": Word("door closed"),
    "unknown": Word("door unknown", "bad", "?"),
}

MACHINE: Final = {
    "starting": Word("starting", "accent"),
    "idle": Word("in service", "good"),
    "moving": Word("moving", "accent"),
    "presenting": Word("licence at the outlet", "accent"),
    "retracting": Word("taking a licence back", "accent"),
    "printing": Word("printing", "accent"),
    "service": Word("in maintenance", "warn"),
    "fault": Word("fault", "bad"),
    "unknown": Word("no answer", "bad"),
}

# While the order waits for more, what is here already cannot be taken yet.
ITEM_ARRIVED: Final = Word("Is here", "accent", "●")

ROLE: Final = {
    "legal_representative": "legal representative",
    "responsible_person": "responsible person",
    "proprietor": "proprietor",
    "managing_partner": "managing partner",
    "agent": "agent",
}

KIND: Final = {"business_licence": "Business licence", "seal_set": "Company seals"}
KIND_DETAIL: Final = {"business_licence": "original and duplicate"}

SEAL: Final = {
    "official": "official seal",
    "finance": "finance seal",
    "invoice": "invoice seal",
    "legal_representative": "legal representative's seal",
    "contract": "contract seal",
}


@dataclass(frozen=True, slots=True)
class AlarmWord:
    text: str
    next_step: str  # what the person at the desk does now


ALARM: Final = {
    AlarmKind.DOOR_AJAR: AlarmWord(
        "Door left open",
        "Have somebody on site look inside and push the door shut. The other doors go on working.",
    ),
    AlarmKind.DOOR_FORCED: AlarmWord(
        "Door opened without a release",
        "Send somebody at once. Look at the camera's picture of this minute; count what is inside.",
    ),
    AlarmKind.LOCK_JAMMED: AlarmWord(
        "Lock does not open",
        "The items are safe inside. Push the door, then open it with the key, and check the latch.",
    ),
    AlarmKind.CROSSWIRED: AlarmWord(
        "Another door opened than the one released",
        "Both compartments are out of use. Count what is inside; then walk the doors to find the"
        " crossed wires.",
    ),
    AlarmKind.SWITCH_FAULT: AlarmWord(
        "Door switch does not tell the truth",
        "The compartment is out of use. Look inside, then mend the switch or its wire.",
    ),
    AlarmKind.BOARD_SILENT: AlarmWord(
        "Lock board does not answer",
        "Its doors stay shut and safe. Check the board's power and cable.",
    ),
    AlarmKind.BUS_DOWN: AlarmWord(
        "Line to the boards is down",
        "No door of this line opens. Check the converter and the cable at the cabinet.",
    ),
    AlarmKind.ITEM_LEFT: AlarmWord(
        "Something was left behind",
        "Call the recipient or have it taken to the hall window.",
    ),
    AlarmKind.ITEM_MISSING: AlarmWord(
        "Item is not where it should be",
        "Read the order's story, then look into the compartment with a second person.",
    ),
    AlarmKind.MACHINE_FAULT: AlarmWord(
        "Licence machine has a fault",
        "Seals can still be collected. Open the machine and follow its own screen.",
    ),
    AlarmKind.BLANKS_LOW: AlarmWord(
        "Blank licences run out", "Take blanks to the site and note their numbers."
    ),
    AlarmKind.TEMPERATURE: AlarmWord(
        "Temperature out of range", "Check the climate of the room; ink and paper suffer first."
    ),
    AlarmKind.POWER: AlarmWord(
        "Mains power lost",
        "The site runs on its battery. Find out when the power comes back.",
    ),
    AlarmKind.TAMPER: AlarmWord(
        "Housing was opened", "Send somebody at once and look at the camera's picture."
    ),
    AlarmKind.CLOCK_JUMP: AlarmWord(
        "Site's clock jumped", "Check the time server. Pickups go on; dates may be off."
    ),
    AlarmKind.JOURNAL_BROKEN: AlarmWord(
        "Journal does not fit together",
        "What does not fit is not taken over. Keep both databases as they are, call the maker.",
    ),
    AlarmKind.DISK_LOW: AlarmWord("Disk is nearly full", "Make room before the next loading."),
    AlarmKind.GUESSING: AlarmWord(
        "Somebody is guessing codes",
        "Typed codes rest for a while, QR codes go on. Look at the camera's picture.",
    ),
    AlarmKind.REMOTE_CAP: AlarmWord(
        "Too many remote openings", "Find out who opens doors from here and why."
    ),
    AlarmKind.CLONED: AlarmWord(
        "Two sites use one identity", "Take one of the two out of service and enrol it again."
    ),
    AlarmKind.UNEXPLAINED: AlarmWord(
        "Nobody knows whether it was taken",
        "Do not open blindly. Read the order's story, ask the person, then look inside together.",
    ),
    AlarmKind.FIRE: AlarmWord(
        "Fire alarm of the building",
        "The kiosk sends everybody out, nothing opens. It goes on by itself once the alarm ends.",
    ),
    AlarmKind.MAINTENANCE: AlarmWord(
        "Cabinet in maintenance",
        "Staff are there, perhaps with the key. It ends by itself, or with their badge.",
    ),
}


@dataclass(frozen=True, slots=True)
class VerdictWord:
    text: str
    then: str  # what follows from it


VERDICT: Final = {
    Verdict.INSIDE: VerdictWord("It is still inside", "It can be collected as before."),
    Verdict.WITH_RECIPIENT: VerdictWord(
        "The recipient has it", "It counts as collected; with the last item the code is dead."
    ),
    Verdict.IN_HAND: VerdictWord(
        "Somebody has taken it out and will load it again", "The order waits for it."
    ),
    Verdict.TO_WINDOW: VerdictWord("It is at the hall window", "It is handed over there."),
    Verdict.MISSING: VerdictWord("Nobody finds it", "An alarm stands until it is found."),
}
SETTLED_BY: Final = {
    "phoned": "The recipient says so on the phone",
    "camera": "Seen in the camera's pictures",
    "looked": "Somebody on site has looked",
}
COMMAND: Final = {
    "accepted": Word("waits for the site", "accent"),
    "delivered": Word("the site has it", "accent"),
    "done": Word("done", "good"),
    "refused": Word("refused by the site", "bad"),
    "failed": Word("did not work", "bad"),
    "unknown": Word("nobody knows", "bad"),
    "expired": Word("came too late", "warn"),
}
REFUSED: Final = {  # why a site did not do it
    "stale_decision": "something changed there meanwhile",
    "sensor_disagrees": "a sensor sees it otherwise",
    "door_open": "the door stands open",
    "needs_two": "two people have to say so",
    "time_doubted": "the site does not trust its clock",
    "out_of_service": "the site is out of service",
}


def reason(text: str | None) -> str:
    """Why a compartment is out of use: most reasons are alarms too."""
    word = ALARM.get(text or "")  # type: ignore[call-overload]  # a StrEnum's member equals its text
    return word.text if word else (text or "").replace("_", " ")

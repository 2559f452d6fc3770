"""I15, I24, I25: a good code is good, every other one is answered alike, and tries are counted."""

from collections.abc import Iterator
from typing import Final

from controller.settings import PolicyTable
from controller.site.texts import Text
from simulator.rehearsal.events import Answered
from simulator.rehearsal.evidence import DEAD_CODE, Evidence
from simulator.rehearsal.invariants.registry import invariant

POLICY: Final = PolicyTable()
DAY_S: Final = 86_400.0
# Two lock-outs of somebody in good faith, and two tries after each further one.
DAY_TRIES: Final = int(2 * POLICY.guess_lockout_tries + 2 * DAY_S / POLICY.guess_second_lockout_s)
AT_ONCE_S: Final = 1.0  # a scanner's bytes, and the rules
NOISE_S: Final = 0.05
FORBIDDEN: Final = {"qr": (Text.CODE_UNKNOWN, Text.TOO_MANY_TRIES), "typed": (Text.CODE_UNKNOWN,)}
ALIKE: Final = {
    "qr": (Text.CODE_UNKNOWN, Text.CODE_OTHER_SITE, Text.NOT_A_CODE),
    "typed": (Text.CODE_UNKNOWN, Text.TOO_MANY_TRIES),
}


@invariant("I15", "A good code is good at once, with the district and without it.", Answered)
def good_is_good(evidence: Evidence, event: Answered) -> Iterator[str]:
    if not _is_of_this(evidence, event) or event.what != "code":
        return
    if not evidence.is_good(event.of) or _rests(evidence, event):
        return
    if _is_served(evidence, event.of):
        return
    if event.text in FORBIDDEN[event.how]:
        yield f"{event.of} is good, and the screen said {event.text}"
    if event.after_s > AT_ONCE_S and not _stood_still(evidence, event):
        yield f"{event.of} was answered after {event.after_s} s"


@invariant("I24", "To a stranger every code that is not good is refused alike.", Answered)
def alike(evidence: Evidence, event: Answered) -> Iterator[str]:
    dead = evidence.codes.get(event.of, ("", ""))[1] in DEAD_CODE
    if not _is_of_this(evidence, event) or (event.what == "code" and not dead):
        return
    if event.text not in ALIKE[event.how]:
        yield f"{event.of} ({event.what}) was answered with {event.text}"
    if event.text == Text.CODE_UNKNOWN and not event.bare:
        yield f"{event.of} ({event.what}) was refused with more than the words"
    if event.how == "typed" and event.after_s > NOISE_S and not _stood_still(evidence, event):
        yield f"{event.of} ({event.what}) was refused after {event.after_s} s"


@invariant("I25", "A kiosk looks up so many wrong codes and no more, over every restart.", Answered)
def tries_end(evidence: Evidence, event: Answered) -> Iterator[str]:
    if event.how != "typed" or event.text != Text.CODE_UNKNOWN:
        return
    tries, now = evidence.wrong_tries[event.at], evidence.now
    lately = sum(at > now - POLICY.guess_window_s for at in tries[-1 - DAY_TRIES :])
    today = sum(at > now - DAY_S for at in tries[-1 - DAY_TRIES :])
    if lately > POLICY.guess_lockout_tries or today > DAY_TRIES:
        yield f"{event.of} is wrong code {lately} in ten minutes, {today} in a day"


@invariant("I25", "Whoever knows a code and not the phone has few tries.", Answered)
def phones_end(evidence: Evidence, event: Answered) -> Iterator[str]:
    right = event.how == "typed" and event.what == "code"
    if right and _rests(evidence, event) and event.text not in ALIKE["typed"]:
        yield f"{event.of} was taken after {len(evidence.wrong_phones[event.of])} wrong phones"


@invariant("I25", "No number of wrong tries keeps a scanned code out.", Answered)
def never_locked_out(_evidence: Evidence, event: Answered) -> Iterator[str]:
    if event.how == "qr" and event.text == Text.TOO_MANY_TRIES:
        yield f"{event.of} was scanned and told to wait"


def _is_served(evidence: Evidence, code: str) -> bool:
    """Somebody is here for its order, at another kiosk."""
    order, _ = evidence.codes.get(code, ("", ""))
    return any(order == each for each, _ in evidence.sessions.values())


def _is_of_this(evidence: Evidence, event: Answered) -> bool:
    """Nobody else has held a code before the scanner meanwhile."""
    held = evidence.held.get(event.at)
    return held is not None and (held.what, held.of) == (event.what, event.of)


def _stood_still(evidence: Evidence, event: Answered) -> bool:
    """The whole machine, meanwhile."""
    return evidence.frozen_at > evidence.now - event.after_s - NOISE_S


def _rests(evidence: Evidence, event: Answered) -> bool:
    """Its digits were typed with wrong phones too often."""
    since = evidence.now - POLICY.code_rest_s
    wrong = sum(at > since for at in evidence.wrong_phones[event.of])
    return event.how == "typed" and wrong >= POLICY.code_tries

"""What the kiosk can say: keys and the names of their values. The words are the pages' affair."""

from enum import StrEnum
from typing import Final


class Screen(StrEnum):
    IDLE = "idle"
    WORKING = "working"
    CONFIRM = "confirm"
    TAKE = "take"
    CLOSE = "close"
    RATING = "rating"
    DONE = "done"
    REFUSED = "refused"
    TROUBLE = "trouble"
    LOAD = "load"


class Button(StrEnum):
    CODE = "code"
    CONFIRM = "confirm"
    TAKEN = "taken"
    AGAIN = "again"
    PROBLEM = "problem"
    HELP = "help"
    LANGUAGE = "language"
    RATE = "rate"
    SKIP = "skip"
    END = "end"


class Text(StrEnum):
    STARTING = "starting"
    OUT_OF_SERVICE = "out_of_service"
    START = "start"
    HELP = "help"
    CHECKING = "checking"
    # to somebody with a code
    CODE_UNKNOWN = "code_unknown"
    CODE_OTHER_SITE = "code_other_site"
    CODE_NOT_READY = "code_not_ready"
    NOT_A_CODE = "not_a_code"
    TOO_MANY_TRIES = "too_many_tries"
    CONFIRM = "confirm"
    STILL_THERE = "still_there"
    OPENING = "opening"
    PUSH = "push"
    TAKE = "take"
    CLOSE = "close"
    STILL_OPEN = "still_open"
    ITEM_LEFT = "item_left"
    DID_YOU_TAKE = "did_you_take"
    STUCK = "stuck"
    LOCK_GIVEN_UP = "lock_given_up"
    WRONG_DOOR = "wrong_door"
    DOOR_OUT_OF_USE = "door_out_of_use"
    UNSURE = "unsure"
    PRINTING = "printing"
    TAKE_LICENCE = "take_licence"
    LICENCE_WAITS = "licence_waits"
    LICENCE_RETRACTED = "licence_retracted"
    MACHINE_RESTS = "machine_rests"
    RATE = "rate"
    ALL_TAKEN = "all_taken"
    SOME_LEFT = "some_left"
    # to somebody with a badge
    BADGE_UNKNOWN = "badge_unknown"
    LOAD_NEXT = "load_next"
    LOAD_OPEN = "load_open"
    LOAD_CLOSE = "load_close"
    LOAD_CONFIRM = "load_confirm"
    LOAD_STUCK = "load_stuck"
    LOADED = "loaded"
    NOTHING_PUT_IN = "nothing_put_in"
    LABEL_UNKNOWN = "label_unknown"
    LABEL_LOADED = "label_loaded"
    NO_COMPARTMENT = "no_compartment"
    LOADING_RESTS = "loading_rests"


# `compartment` is a door's sign (A07); `items` are item kinds joined by commas, which the pages
# put into words; `tel` may be empty; `machine`, `site` and `case` are shown as they are.
VALUES: Final[dict[Text, frozenset[str]]] = {text: frozenset() for text in Text} | {
    Text.CODE_OTHER_SITE: frozenset({"site"}),
    Text.TOO_MANY_TRIES: frozenset({"seconds"}),
    Text.CONFIRM: frozenset({"company", "items"}),
    Text.OPENING: frozenset({"compartment"}),
    Text.PUSH: frozenset({"compartment"}),
    Text.TAKE: frozenset({"compartment", "number", "of"}),
    Text.CLOSE: frozenset({"compartment"}),
    Text.ITEM_LEFT: frozenset({"compartment"}),
    Text.DID_YOU_TAKE: frozenset({"compartment"}),
    Text.STUCK: frozenset({"compartment", "tel", "case"}),
    Text.STILL_OPEN: frozenset({"compartment", "tel", "case"}),
    Text.LOCK_GIVEN_UP: frozenset({"compartment", "tel", "case"}),
    Text.WRONG_DOOR: frozenset({"compartment", "tel", "case"}),
    Text.DOOR_OUT_OF_USE: frozenset({"compartment", "tel", "case"}),
    Text.UNSURE: frozenset({"tel", "case"}),
    Text.PRINTING: frozenset({"machine"}),
    Text.TAKE_LICENCE: frozenset({"machine"}),
    Text.LICENCE_WAITS: frozenset({"machine"}),
    Text.LICENCE_RETRACTED: frozenset({"tel", "case"}),
    Text.MACHINE_RESTS: frozenset({"tel", "case"}),
    Text.LOAD_NEXT: frozenset({"loaded"}),
    Text.LOAD_OPEN: frozenset({"compartment"}),
    Text.LOAD_CLOSE: frozenset({"compartment"}),
    Text.LOAD_CONFIRM: frozenset({"compartment"}),
    Text.LOAD_STUCK: frozenset({"compartment", "tel", "case"}),
    Text.LOADED: frozenset({"compartment", "loaded"}),
    Text.NOTHING_PUT_IN: frozenset({"compartment"}),
}

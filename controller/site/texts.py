"""What the kiosk can say: keys and the names of their values. The words are the pages' affair."""

from enum import StrEnum
from typing import Final


class Screen(StrEnum):
    IDLE = "idle"
    WORKING = "working"
    CONFIRM = "confirm"
    SECOND_FACTOR = "second_factor"
    TAKE = "take"
    CLOSE = "close"
    RATING = "rating"
    DONE = "done"
    REFUSED = "refused"
    TROUBLE = "trouble"
    LOAD = "load"
    STAFF = "staff"


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
    CHOOSE = "choose"  # one of the choices, by its value
    BIGGER = "bigger"
    UNDO = "undo"
    END = "end"


class Offer(StrEnum):
    """What a choice is about."""

    SETTLE_PLACE = "settle_place"
    SETTLE_ITEM = "settle_item"
    ADOPT = "adopt"
    CLOCK = "clock"
    ALARMS = "alarms"
    ALARM = "alarm"
    RETURNS = "returns"
    TAKE_BACK = "take_back"
    TAKE_ALL_BACK = "take_all_back"
    EMERGENCY = "emergency"
    OPEN_ONE = "open_one"
    OPEN_ALL = "open_all"
    NOTHING_INSIDE = "nothing_inside"
    MAINTENANCE = "maintenance"
    END_MAINTENANCE = "end_maintenance"
    CABINET = "cabinet"
    FOR_MINUTES = "for_minutes"
    # what staff do at a cabinet
    REPAIR = "repair"
    CLEANING = "cleaning"
    CHECK = "check"
    OTHER_WORK = "other_work"
    # where an item is that was doubtful
    INSIDE = "inside"
    WITH_RECIPIENT = "with_recipient"
    IN_HAND = "in_hand"
    TO_WINDOW = "to_window"
    MISSING = "missing"


OFFER_VALUES: Final[dict[Offer, frozenset[str]]] = {offer: frozenset() for offer in Offer} | {
    Offer.SETTLE_PLACE: frozenset({"compartment", "why"}),
    Offer.SETTLE_ITEM: frozenset({"items", "place"}),
    Offer.ADOPT: frozenset({"machine"}),
    Offer.ALARMS: frozenset({"count"}),
    Offer.ALARM: frozenset({"place", "why"}),
    Offer.RETURNS: frozenset({"count"}),
    Offer.TAKE_BACK: frozenset({"compartment", "items"}),
    Offer.OPEN_ONE: frozenset({"compartment"}),
    Offer.END_MAINTENANCE: frozenset({"place"}),
    Offer.CABINET: frozenset({"place"}),
    Offer.FOR_MINUTES: frozenset({"count"}),
}


class Text(StrEnum):
    STARTING = "starting"
    OUT_OF_SERVICE = "out_of_service"
    FIRE = "fire"
    ANSWER_FOR = "answer_for"
    START = "start"
    START_SERVICED = "start_serviced"
    HELP = "help"
    CHECKING = "checking"
    # to somebody with a code
    CODE_UNKNOWN = "code_unknown"
    CODE_OTHER_SITE = "code_other_site"
    CODE_NOT_READY = "code_not_ready"
    SERVICED = "serviced"
    NOT_A_CODE = "not_a_code"
    TOO_MANY_TRIES = "too_many_tries"
    ASK_PHONE4 = "ask_phone4"
    PHONE4_WRONG = "phone4_wrong"
    ASK_ID_CARD = "ask_id_card"
    ASK_CARD_OR_PHONE = "ask_card_or_phone"
    ID_CARD_OTHER = "id_card_other"
    PHONE4_NOT_ENOUGH = "phone4_not_enough"
    ASK_CLERK = "ask_clerk"
    CONFIRM = "confirm"
    STILL_THERE = "still_there"
    OPENING = "opening"
    PUSH = "push"
    TAKE = "take"
    CLOSE = "close"
    TAKE_ALL = "take_all"
    CLOSE_ALL = "close_all"
    STILL_OPEN = "still_open"
    ITEM_LEFT = "item_left"
    DID_YOU_TAKE = "did_you_take"
    STUCK = "stuck"
    LOCK_GIVEN_UP = "lock_given_up"
    WRONG_DOOR = "wrong_door"
    DOOR_OUT_OF_USE = "door_out_of_use"
    UNSURE = "unsure"
    OPENED_FROM_AFAR = "opened_from_afar"
    PRINTING = "printing"
    BRINGING = "bringing"
    MACHINE_BUSY = "machine_busy"
    TAKE_LICENCE = "take_licence"
    LICENCE_WAITS = "licence_waits"
    LICENCE_RETRACTED = "licence_retracted"
    MACHINE_RESTS = "machine_rests"
    RATE = "rate"
    ALL_TAKEN = "all_taken"
    SOME_LEFT = "some_left"
    # to somebody with a badge
    BADGE_UNKNOWN = "badge_unknown"
    ASK_PIN = "ask_pin"
    PIN_WRONG = "pin_wrong"
    LOAD_NEXT = "load_next"
    LOAD_OPEN = "load_open"
    LOAD_CLOSE = "load_close"
    LOAD_CONFIRM = "load_confirm"
    LOAD_STUCK = "load_stuck"
    LOADED = "loaded"
    NOTHING_PUT_IN = "nothing_put_in"
    LABEL_UNKNOWN = "label_unknown"
    LABEL_LOADED = "label_loaded"
    SEALS_NOT_FILED = "seals_not_filed"
    NO_COMPARTMENT = "no_compartment"
    LOADING_RESTS = "loading_rests"
    LOADING_SERVICED = "loading_serviced"
    LAY_IN = "lay_in"
    TAKEN_IN = "taken_in"
    NOTHING_TAKEN_IN = "nothing_taken_in"
    NO_SLOT = "no_slot"
    CABINET_FULL = "cabinet_full"
    MACHINE_FULL = "machine_full"
    PUT_ELSEWHERE = "put_elsewhere"
    TAKE_OUT = "take_out"
    TAKE_OUT_CONFIRM = "take_out_confirm"
    STILL_INSIDE = "still_inside"
    UNDONE = "undone"
    MACHINE_UNDONE = "machine_undone"
    RETURNS = "returns"
    NO_RETURNS = "no_returns"
    RETURNED = "returned"
    MACHINE_RETURNED = "machine_returned"
    MACHINE_KEEPS = "machine_keeps"
    # to staff
    STAFF_MENU = "staff_menu"
    DOOR_NOT_OPENED = "door_not_opened"
    LOOK_INSIDE = "look_inside"
    BELONGS_ELSEWHERE = "belongs_elsewhere"
    WHERE_IS_IT = "where_is_it"
    SENSOR_DISAGREES = "sensor_disagrees"
    SETTLED = "settled"
    NOT_SETTLED = "not_settled"
    ADOPT = "adopt"
    ALARMS = "alarms"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    CLOCK_CONFIRMED = "clock_confirmed"
    WHICH_DOOR = "which_door"
    SECOND_BADGE = "second_badge"
    DOOR_STANDS_OPEN = "door_stands_open"
    ALL_OPENED = "all_opened"
    MAINTENANCE_WHERE = "maintenance_where"
    MAINTENANCE_WHY = "maintenance_why"
    MAINTENANCE_HOW_LONG = "maintenance_how_long"
    MAINTENANCE_BEGUN = "maintenance_begun"
    MAINTENANCE_OVER = "maintenance_over"


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
    Text.TAKE_ALL: frozenset({"compartments"}),
    Text.CLOSE_ALL: frozenset({"compartments"}),
    Text.STILL_OPEN: frozenset({"compartment", "tel", "case"}),
    Text.LOCK_GIVEN_UP: frozenset({"compartment", "tel", "case"}),
    Text.WRONG_DOOR: frozenset({"compartment", "tel", "case"}),
    Text.DOOR_OUT_OF_USE: frozenset({"compartment", "tel", "case"}),
    Text.UNSURE: frozenset({"tel", "case"}),
    Text.OPENED_FROM_AFAR: frozenset({"compartment", "tel", "case"}),
    Text.PRINTING: frozenset({"machine"}),
    Text.BRINGING: frozenset({"machine"}),
    Text.MACHINE_BUSY: frozenset({"machine"}),
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
    Text.LAY_IN: frozenset({"machine"}),
    Text.TAKEN_IN: frozenset({"machine", "loaded"}),
    Text.NOTHING_TAKEN_IN: frozenset({"machine"}),
    Text.CABINET_FULL: frozenset({"places"}),
    Text.MACHINE_FULL: frozenset({"places"}),
    Text.PUT_ELSEWHERE: frozenset({"compartment", "tel", "case"}),
    Text.TAKE_OUT: frozenset({"compartment"}),
    Text.TAKE_OUT_CONFIRM: frozenset({"compartment"}),
    Text.STILL_INSIDE: frozenset({"compartment"}),
    Text.UNDONE: frozenset({"compartment"}),
    Text.MACHINE_UNDONE: frozenset({"machine"}),
    Text.RETURNS: frozenset({"count"}),
    Text.RETURNED: frozenset({"compartment"}),
    Text.MACHINE_RETURNED: frozenset({"machine"}),
    Text.MACHINE_KEEPS: frozenset({"machine"}),
    Text.DOOR_NOT_OPENED: frozenset({"compartment", "tel", "case"}),
    Text.LOOK_INSIDE: frozenset({"compartment"}),
    Text.BELONGS_ELSEWHERE: frozenset({"compartment"}),
    Text.WHERE_IS_IT: frozenset({"items", "place"}),
    Text.SENSOR_DISAGREES: frozenset({"compartment"}),
    Text.SETTLED: frozenset({"place"}),
    Text.NOT_SETTLED: frozenset({"place"}),
    Text.ADOPT: frozenset({"machine"}),
    Text.ALARMS: frozenset({"count"}),
    Text.CLOCK_AHEAD: frozenset({"clock", "record"}),
    Text.CLOCK_BEHIND: frozenset({"clock", "record"}),
    Text.CLOCK_CONFIRMED: frozenset({"clock"}),
    Text.DOOR_STANDS_OPEN: frozenset({"compartment"}),
    Text.ALL_OPENED: frozenset({"count"}),
    Text.START_SERVICED: frozenset({"until"}),
    Text.SERVICED: frozenset({"until", "tel"}),
    Text.LOADING_SERVICED: frozenset({"until"}),
    Text.MAINTENANCE_WHY: frozenset({"place"}),
    Text.MAINTENANCE_HOW_LONG: frozenset({"place"}),
    Text.MAINTENANCE_BEGUN: frozenset({"place", "until"}),
    Text.MAINTENANCE_OVER: frozenset({"place"}),
}

"""Refusals: the rules say no. Expected, shown to the person, never logged as an error."""

from enum import StrEnum


class Reason(StrEnum):
    # at the kiosk; CODE_UNKNOWN stands for wrong, spent, expired, replaced and foreign alike
    CODE_UNKNOWN = "code_unknown"
    CODE_OTHER_SITE = "code_other_site"
    CODE_NOT_READY = "code_not_ready"
    NOT_A_CODE = "not_a_code"
    TOO_MANY_TRIES = "too_many_tries"
    BUSY = "busy"
    BUTTON_NOT_OFFERED = "button_not_offered"
    BADGE_UNKNOWN = "badge_unknown"
    LABEL_UNKNOWN = "label_unknown"
    LABEL_LOADED = "label_loaded"
    SEALS_NOT_FILED = "seals_not_filed"  # the order names no seal codes, and the policy wants them
    NO_COMPARTMENT = "no_compartment"
    NO_SLOT = "no_slot"  # of a machine that could take a licence in
    LOADING_RESTS = "loading_rests"  # what was begun is finished, nothing new is loaded
    MAINTENANCE = "maintenance"  # its cabinet is in the hands of staff for a while
    FIRE = "fire"  # the building's alarm: nobody is kept here, and nothing opens
    DOOR_OUT_OF_USE = "door_out_of_use"
    REOPEN_NOT_OFFERED = "reopen_not_offered"
    STALE_DECISION = "stale_decision"
    # to the district, which wanted a door or compartment otherwise
    REMOTE_CAP = "remote_cap"  # so many doors an hour, and no more
    NEEDS_TWO = "needs_two"  # different people, since something lies there
    TIME_DOUBTED = "time_doubted"
    PLACE_UNKNOWN = "place_unknown"
    DOOR_OPEN = "door_open"
    SENSOR_DISAGREES = "sensor_disagrees"
    OUT_OF_SERVICE = "out_of_service"
    COMMAND_EXPIRED = "command_expired"
    # at the district
    BAD_FIELD = "bad_field"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    KEY_REUSED = "key_reused"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"


class Refused(Exception):
    """Carries values for the text that a person reads; never a secret."""

    def __init__(self, reason: Reason, **values: str | int) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.values = values


class FieldsRefused(Refused):
    """A body with bad fields: every one of them, by its dotted name."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__(Reason.BAD_FIELD)
        self.errors = errors

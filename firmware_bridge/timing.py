"""What a line asks of its master."""

from dataclasses import dataclass
from typing import Final

SILENCE_CHARS: Final = 3.5
SILENCE_BITS: Final = 11  # the standard counts characters of 11 bits, whatever the line sends
SILENCE_FAST_S: Final = 0.00175  # above 19200 baud
FAST_BAUD: Final = 19_200
# A device server in the network may hold a late answer longer than any tty does; what it still
# holds from before we connected comes within the first half second.
SERIAL_REST_S: Final = 0.25
SERVER_REST_S, SERVER_SETTLE_S = 0.6, 0.6


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    gap_s: float  # silence before a request
    reply_s: float  # patience for an answer's first byte, from the end of the request
    rest_s: float  # after a doubt, before anything is asked
    settle_s: float = 0.0  # after connecting: what a device server still holds is dropped
    floor_s: float | None = None  # patience is learnt down to this; None: it is not learnt


def silence_s(baud: int) -> float:
    """Return the 3.5 characters that separate two RTU frames."""
    return SILENCE_CHARS * SILENCE_BITS / baud if baud <= FAST_BAUD else SILENCE_FAST_S

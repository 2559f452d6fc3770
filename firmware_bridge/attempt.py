"""One try of one exchange."""

from dataclasses import dataclass

from firmware_bridge.exchange import Request


@dataclass(frozen=True, slots=True)
class Reply:
    """The frame that answers a request, or refuses it."""

    body: bytes
    refused: bool


@dataclass(slots=True)
class Attempt:
    """Whether anything of a request may have left."""

    device: str
    reply_s: float | None
    probe: Request | None
    on: int
    optional: bool = False  # a board may carry the order out and say nothing
    sent: bool = False


class SilentAsAllowed(Exception):
    """No answer to a request that need not have one."""

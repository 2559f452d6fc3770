"""One try of one exchange."""

from dataclasses import dataclass
from math import inf

from controller.faults import NotMoved
from firmware_bridge.exchange import Request, Verdict


@dataclass(frozen=True, slots=True)
class Reply:
    """The frame that answers a request, or refuses it."""

    body: bytes
    verdict: Verdict = Verdict.ANSWER

    @property
    def refused(self) -> bool:
        return self.verdict is not Verdict.ANSWER


@dataclass(slots=True)
class Attempt:
    """Whether anything of a request may have left."""

    device: str
    reply_s: float | None
    probe: Request | None
    on: int
    optional: bool = False  # a board may carry the order out and say nothing
    by: float = inf  # elapsed time after which it is not sent any more
    sent_at: float = inf  # until it is: not a byte has left

    @property
    def sent(self) -> bool:
        return self.sent_at < inf

    def check(self, at: float) -> None:
        """NotMoved where sending at that time would be too late."""
        if at > self.by:
            raise NotMoved(self.device, "not asked to move: the line was not free in time")


class SilentAsAllowed(Exception):
    """No answer to a request that need not have one."""

"""How often a line that is gone is opened again for polling, however many boards are on it."""

from typing import Final

# A cable that was touched is back at once; one that is away for good costs six tries a minute.
PAUSES_S: Final = (1.0, 2.0, 5.0, 10.0)


class Reopening:
    """Counts failures in a row. A person's wish does not wait for it."""

    def __init__(self) -> None:
        self.due_at = 0.0
        self.why = ""
        self._failures = 0

    def failed(self, now: float, why: str) -> None:
        self.due_at = now + PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self.why = why
        self._failures += 1

    def succeeded(self) -> None:
        self.due_at = 0.0
        self._failures = 0

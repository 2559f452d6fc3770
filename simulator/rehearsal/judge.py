"""Asks every invariant after every event it is about, and tells the story that led to a breach."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controller.settings import PolicyTable
from simulator.rehearsal.events import Event, EventLog
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants import REGISTRY, Invariant

STORY_LINES: Final = 30
NAME: Final = re.compile(r"[A-Z]+[-/]?\d[\w/-]*|[A-Z]+:\S+")  # a door, order, intent, thing


@dataclass(frozen=True, slots=True)
class Violation:
    """What did not hold, where in the story, and what led there."""

    invariant: str
    sentence: str
    flaw: str
    number: int  # of the event
    at_s: float
    story: tuple[str, ...]

    def words(self) -> str:
        day, rest_s = divmod(self.at_s, 86_400)
        when = f"day {int(day) + 1}, {timedelta(seconds=round(rest_s))}, event {self.number}"
        head = f"{self.invariant} does not hold ({when}): {self.flaw}"
        return "\n".join([head, f"  {self.sentence}", *(f"    {line}" for line in self.story)])


class Judge:
    """Listens to the log. The first violations are kept; `violated` says that there is one."""

    def __init__(self, log: EventLog, start: datetime, policy: PolicyTable | None = None) -> None:
        self.evidence = Evidence(start, policy or PolicyTable())
        self.checked: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self._log = log
        self._by_kind: defaultdict[type, list[Invariant]] = defaultdict(list)
        for each in REGISTRY:
            for kind in each.on:
                self._by_kind[kind].append(each)
        log.listeners.append(self._weigh)

    def _weigh(self, event: Event) -> None:
        number, at, _ = self._log.tail[-1]
        self.evidence.take(event, at)
        for each in self._by_kind[type(event)]:
            self.checked[each.id] += 1
            for flaw in each.check(self.evidence, event):
                self.violations.append(
                    Violation(each.id, each.sentence, flaw, number, at, self._story(flaw))
                )

    def _story(self, flaw: str) -> tuple[str, ...]:
        """The newest events that name what the flaw names."""
        said = (word.strip(":,.") for word in flaw.split())
        names = {word for word in said if NAME.fullmatch(word)}
        lines = [
            f"{number:>7} {timedelta(seconds=round(at, 3))!s:<20} {words}"
            for number, at, words in self._log.tail
            if names & set(_names(words))
        ]
        return tuple(lines[-STORY_LINES:])


def _names(text: str) -> list[str]:
    for mark in '{}[]",:()':
        text = text.replace(mark, " ")
    return text.split()

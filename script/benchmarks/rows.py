"""What a benchmark gives: figures beside their limit or peer, from the same run."""

import operator
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Progress = Callable[[str], None]  # told in a few words what is being done now

_GOAL = re.compile(r"(>=|<=|<|>|==) ?(-?\d+(?:\.\d+)?)")
_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `goal` is like `>= 0.95`, empty where a figure is only told."""

    name: str
    value: float
    unit: str
    goal: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        if not self.goal:
            return True
        found = _GOAL.fullmatch(self.goal)
        assert found, f"{self.name}: goal {self.goal!r} is no comparison"
        compare: Callable[[float, float], bool] = _COMPARE[found[1]]
        return compare(self.value, float(found[2]))

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}

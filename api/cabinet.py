"""Where the doors of a cabinet are, seen from the front: for drawings on kiosk and ops pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controller.entries import CompartmentPlan

COLUMN_WIDTH = 66
UNIT_HEIGHT: Final = {"S": 22, "M": 44, "L": 66}
EDGE = 6
GAP = 3


@dataclass(frozen=True, slots=True)
class Box:
    where: str  # `A/7`
    label: str  # `A07`
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Front:
    letter: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def label(where: str) -> str:
    """`A/7` as it stands on the door: A07. Any other place keeps its name."""
    letter, slash, number = where.partition("/")
    return f"{letter}{int(number):02d}" if slash and number.isdecimal() else where


def fronts(plan: Iterable[CompartmentPlan]) -> list[Front]:
    """One front per cabinet. Compartments are numbered down each column, so that a handle
    higher than the one before begins the next column.
    """
    cabinets: dict[str, list[CompartmentPlan]] = {}
    for each in sorted(plan, key=lambda each: (each["cabinet"], each["no"])):
        cabinets.setdefault(each["cabinet"], []).append(each)
    return [_front(letter, boxes) for letter, boxes in cabinets.items()]


def _front(letter: str, compartments: list[CompartmentPlan]) -> Front:
    x = y = EDGE
    boxes: list[Box] = []
    before: CompartmentPlan | None = None
    for each in compartments:
        if before is not None and each["height_cm"] > before["height_cm"]:
            x, y = x + COLUMN_WIDTH + GAP, EDGE
        height = UNIT_HEIGHT[each["size"]]
        where = f"{letter}/{each['no']}"
        boxes.append(Box(where, label(where), x, y, COLUMN_WIDTH, height))
        y += height + GAP
        before = each
    bottom = max(box.y + box.height for box in boxes)
    return Front(letter, x + COLUMN_WIDTH + EDGE, bottom + EDGE, tuple(boxes))

"""How much a site's process holds: tasks, open files, and all that its objects keep in mind."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, Final

OURS: Final = ("controller.", "firmware_bridge.")
OPEN_FILES: Final = Path("/proc/self/fd")


def tasks() -> int:
    return len(asyncio.all_tasks())


def open_files() -> int:
    """None are counted where the system does not tell."""
    return len(list(OPEN_FILES.iterdir())) if OPEN_FILES.is_dir() else 0


def kept(root: object) -> int:
    """Entries of all tables, lists and queues that are reached from there over our own objects."""
    seen: set[int] = set()
    left: list[Any] = [root]
    count = 0
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            count += len(each)
            left += each.values()
        elif isinstance(each, list | set | tuple | frozenset | deque):
            count += len(each)
            left += each
        elif type(each).__module__.startswith(OURS):
            left += _held_by(each)
    return count


def _held_by(each: object) -> list[Any]:
    names = (name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ()))
    held = [getattr(each, name, None) for name in names]
    return [*held, *vars(each).values()] if hasattr(each, "__dict__") else held

"""What a walk through all doors found, kept beside the site's settings."""

import json
from pathlib import Path
from typing import Any


class NotPassed(Exception):
    """The site may not go into service; one line says why."""


def record_of(config: Path) -> Path:
    """Where the record of a site's walk stands."""
    return config.with_suffix(".walk.json")


def write_record(config: Path, told: dict[str, Any]) -> None:
    """It is there whole, or the one before it still is."""
    record = record_of(config)
    beside = record.with_suffix(".json.new")
    beside.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    beside.replace(record)


def check_record(config: Path) -> None:
    """NotPassed if the last walk found doors or boards that must not go into service."""
    record = record_of(config)
    if not record.exists():
        return
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        passed, problems = bool(told["passed"]), list(told["problems"])
    except (ValueError, KeyError, TypeError):
        raise NotPassed(f"{record} cannot be read; walk again: onewindow bus walk") from None
    if not passed:
        found = problems[0] if problems else "no reason is written"
        raise NotPassed(f"not in service: the walk found: {found}. Mend it and walk again")

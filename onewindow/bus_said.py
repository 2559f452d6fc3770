"""How `onewindow bus` speaks: tables for people, JSON lines for scripts."""

import json
import sys

from rich.console import Console


def screen() -> Console:
    """Standard output, with tables as wide as it is."""
    return Console(highlight=False)


def say_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()

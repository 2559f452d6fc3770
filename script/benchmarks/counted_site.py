"""A site whose database notes the moment of each sync, for counting; else as `onewindow site`."""

import asyncio
import sys
import time
from functools import partial
from pathlib import Path

import onewindow.site
from controller.store import open_store
from onewindow.settings_file import load_site
from simulator.rehearsal.failing_disk import Driver
from simulator.rehearsal.power import Mains

NOTES = "syncs"  # beside site.toml: a moment of the machine's monotonic clock for each sync


class Counting(Mains):
    """Power that never fails, and counts what reaches the disk."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self._notes = notes.open("w", buffering=1, encoding="ascii")

    def wrote(self, *_: object) -> None:
        """Nothing is ever undone here."""

    def synced(self, _name: str) -> None:
        self._notes.write(f"{time.monotonic()}\n")


def main() -> None:
    config = Path(sys.argv[sys.argv.index("--config") + 1])
    driver = Driver(Counting(config.with_name(NOTES)))
    # The one place that opens the store takes a driver; only the command line offers no choice.
    onewindow.site.open_store = partial(open_store, module=driver)  # type: ignore[attr-defined]
    asyncio.run(onewindow.site.run(load_site(config)))


if __name__ == "__main__":
    main()

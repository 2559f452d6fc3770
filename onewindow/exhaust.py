"""`onewindow rehearse --exhaust small`: every order of events in a small world."""

import os
import time

from rich.console import Console
from rich.table import Table

from simulator.rehearsal.exhaust import SMALL, explore


def exhaust(console: Console) -> bool:
    """Explore each small world, with item sensors and without. True if all held."""
    workers = os.cpu_count() or 1
    table = Table(title="Every order of events", title_justify="left")
    for heading in ("world", "sensors", "states", "ways", "depth", "violations", "s"):
        table.add_column(heading, justify="left" if heading in ("world", "sensors") else "right")
    violations = []
    for name, budget in SMALL.items():
        for sensors in (True, False):
            shown = f"{name}, {'with' if sensors else 'without'} item sensors"
            with console.status(f"{shown} ..."):
                began = time.perf_counter()
                seen = explore(budget, sensors=sensors, workers=workers)
            took = f"{time.perf_counter() - began:.0f}"
            counts = (f"{each:,}" for each in (seen.states, seen.ways, seen.deepest))
            bad = str(int(bool(seen.violation)))
            table.add_row(name, "yes" if sensors else "no", *counts, bad, took)
            if seen.violation:
                violations.append(f"{shown}: {seen.violation}")
    console.print(table)
    for each in violations:
        console.print(each, highlight=False, markup=False)
    return not violations

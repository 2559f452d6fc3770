"""Runs the benchmarks of this folder: every one, or those named. Writes bench.json."""

import importlib
import json
import os
import pkgutil
import platform
import sqlite3
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

import script.benchmarks
from script.benchmarks.rows import Row

BENCH_JSON = Path("bench.json")
NOT_BENCHMARKS = {
    "__main__",
    "counted_site",
    "crowded_line",
    "far_end",
    "paced",
    "rows",
    "running_site",
    "tcp_boards",
}
# One name for what is asked of a site.
GROUPS: Final = {"site": ("pickup", "site_start", "site_writer")}


def names() -> list[str]:
    """Modules here with a `run(progress) -> list[Row]`."""
    modules = pkgutil.iter_modules(script.benchmarks.__path__)
    return sorted(each.name for each in modules if each.name not in NOT_BENCHMARKS)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    processor = platform.processor() or platform.machine()
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else processor,
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": round(os.getloadavg()[0], 2),
    }


def table(rows: list[Row]) -> Table:
    found = Table(title="Benchmarks", title_justify="left")
    for heading in ("name", "value", "unit", "goal", "met"):
        found.add_column(heading, justify="right" if heading == "value" else "left")
    for row in rows:
        met = "" if not row.goal else "[green]yes" if row.met else "[red]no"
        found.add_row(row.name, f"{row.value:.4g}", row.unit, row.goal, met)
    return found


def main(
    chosen: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    output: Annotated[Path, typer.Option(help="Where the figures are written.")] = BENCH_JSON,
    *,
    long: Annotated[
        bool,
        typer.Option("--long", help="Ten minutes of memory, ten million cases of fuzz, years."),
    ] = False,
) -> None:
    """Measure, print a table, write bench.json. Exit 1 if a goal is missed, 2 for a wrong name."""
    known = names()
    wanted = [each for name in chosen or known for each in GROUPS.get(name, (name,))]
    for name in wanted:
        if name not in known:
            there = ", ".join((*known, *GROUPS))
            sys.stderr.write(f"no benchmark {name}; there are {there}\n")
            raise typer.Exit(2)
    console = Console()
    before = machine()
    if before["load"] > before["cores"] / 2:
        console.print(f"The machine is busy (load {before['load']}): what is measured suffers.")
    rows: list[Row] = []
    for name in wanted:
        with console.status(f"{name} ...") as status:
            module = importlib.import_module(f"script.benchmarks.{name}")
            run = getattr(module, "run_long", module.run) if long else module.run
            rows += run(lambda doing, name=name, status=status: status.update(f"{name}: {doing}"))
        if not console.is_terminal:
            console.print(f"{name}: done")
    console.print(table(rows))
    words = {"machine": before, "rows": [row.as_json() for row in rows]}
    output.write_text(json.dumps(words, indent=1) + "\n", "utf-8")
    raise typer.Exit(0 if all(row.met for row in rows) else 1)


typer.run(main)

"""Breaks the product on purpose, one patch at a time, and sees whether a test notices.

A patch in tests/sabotage/ is a unified diff under two comment lines:

    # test: tests/controller/test_journal.py -k "chain or head"
    # expect: red

`expect: green` is for the one patch that changes nothing, so that a test that is always red is
found out too.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
PATCHES = ROOT / "tests" / "sabotage"
SIDE_BY_SIDE = 2
TEST_S = 300
PYTEST_RED = 1  # tests ran and failed; anything else red is no proof


@dataclass(frozen=True, slots=True)
class Sabotage:
    name: str
    path: Path
    test: list[str]
    expect: str


@dataclass(frozen=True, slots=True)
class Verdict:
    sabotage: Sabotage
    seen: str
    good: bool
    words: str


def read(path: Path) -> Sabotage:
    """A patch with what stands above it. ValueError where a line is missing."""
    words = {}
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("# "):
            break
        key, _, value = line[2:].partition(": ")
        words[key] = value.strip()
    if "test" not in words or words.get("expect") not in {"red", "green"}:
        raise ValueError(f"{path.name}: needs '# test: ...' and '# expect: red|green' at its top")
    return Sabotage(path.stem, path, shlex.split(words["test"]), words["expect"])


def all_of(folder: Path = PATCHES) -> list[Sabotage]:
    return [read(path) for path in sorted(folder.glob("*.patch"))]


def applies(sabotage: Sabotage, tree: Path, *, check: bool = False) -> str:
    """Empty where the patch applies to `tree`, else what git says."""
    if "\n--- " not in sabotage.path.read_text("utf-8"):
        return "" if sabotage.expect == "green" else "changes nothing"
    command = ["git", "apply", *(["--check"] if check else []), str(sabotage.path)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def tracked() -> Iterator[Path]:
    """Files in git and those on their way into it, relative."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield Path(name)


def copy_to(tree: Path) -> None:
    for name in tracked():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)


def attempt(sabotage: Sabotage) -> Verdict:
    """Copy the tree, break it, run the one test there."""
    with tempfile.TemporaryDirectory(prefix="onewindow-sabotage-") as place:
        tree = Path(place)
        copy_to(tree)
        if said := applies(sabotage, tree):
            return Verdict(sabotage, "does not apply", good=False, words=said)
        environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"},
            "PYTHONPATH": place,  # before the checkout that the environment knows
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:xdist",
            "-p",
            "no:cacheprovider",
        ]
        try:
            done = subprocess.run(
                [*command, *sabotage.test],
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Verdict(sabotage, "did not end", good=False, words="")
    seen = {0: "green", PYTEST_RED: "red"}.get(done.returncode, f"pytest exit {done.returncode}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    words = lines[0] if lines else (done.stdout.strip().splitlines() or [done.stderr.strip()])[-1]
    return Verdict(sabotage, seen, good=seen == sabotage.expect, words=words)


def main(
    chosen: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
) -> None:
    """Apply each patch of tests/sabotage to a copy and run the test that must notice.

    NAME is a part of a patch's name. Exit 1 if a sabotage survives or a patch no longer applies.
    """
    sabotages = [
        each for each in all_of() if not chosen or any(name in each.name for name in chosen)
    ]
    if not sabotages:
        sys.stderr.write(f"no such patch in {PATCHES.relative_to(ROOT)}\n")
        raise typer.Exit(2)
    console = Console()
    table = Table(title="Sabotages", title_justify="left")
    for heading in ("patch", "expected", "seen", "", "what pytest says"):
        table.add_column(heading)
    with (
        console.status(f"0 of {len(sabotages)} ...") as status,
        ThreadPoolExecutor(SIDE_BY_SIDE) as pool,
    ):
        verdicts = []
        for verdict in pool.map(attempt, sabotages):
            verdicts.append(verdict)
            status.update(f"{len(verdicts)} of {len(sabotages)} ...")
            mark = "[green]as it should" if verdict.good else "[red]NOT NOTICED"
            expected = verdict.sabotage.expect
            table.add_row(verdict.sabotage.name, expected, verdict.seen, mark, verdict.words[:200])
    console.print(table)
    raise typer.Exit(0 if all(verdict.good for verdict in verdicts) else 1)


if __name__ == "__main__":
    typer.run(main)

"""Breaks the product on purpose, one patch at a time, and sees whether anybody notices.

A patch in tests/sabotage/ is a unified diff under comment lines:

    # test: tests/controller/test_journal.py -k "chain or head"
    # expect: red
    # rehearsal: I3 I8
    # link: whole

`expect: green` is for the one patch that changes nothing, so that a test that is always red is
found out too. `rehearsal` names the invariants of which one must be seen to break; `link: whole`
has the rehearsal play the link and the district at its other end, which costs time.

What tests import from elsewhere is imported once, and each test runs in a fork of that: so a patch
costs its test and the product's own modules, and not pytest, SQLAlchemy and the rest anew.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

ROOT: Final = Path(__file__).parent.parent
PATCHES: Final = ROOT / "tests" / "sabotage"
TEST_S: Final = 300
RED: Final = 1  # of pytest: tests ran and failed; anything else but 0 is no proof
BROKE: Final = 3
TOWN: Final = ("--sites", "1", "--orders", "20")  # of a rehearsal: small, and much goes on there
LIBRARIES: Final = (
    "aiomqtt",
    "alembic",
    "asyncio",
    "cryptography.fernet",
    "fastapi",
    "hypothesis",
    "jinja2",
    "pydantic",
    "pydantic_settings",
    "pymodbus.pdu",
    "pytest",
    "sqlalchemy.dialects.sqlite",
    "structlog",
)
CLAIM: Final = re.compile(r"\b(I\d+) does not hold.*")


@dataclass(frozen=True, slots=True)
class Sabotage:
    name: str
    path: Path
    test: list[str]
    expect: str
    breaks: frozenset[str] = frozenset()  # invariants, as the rehearsal names them
    link: str = "down"


@dataclass(frozen=True, slots=True)
class Verdict:
    sabotage: Sabotage
    seen: str
    good: bool
    words: str
    seconds: float = 0.0


@dataclass(slots=True)
class Running:
    """A child at work in a tree that this sabotage has broken."""

    sabotage: Sabotage
    tree: Path
    log: Path
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done in a broken tree, for how long, and what its end and its words mean."""

    work: Callable[[Sabotage], int]
    limit_s: int
    judge: Callable[[Sabotage, int, str], tuple[str, bool, str]]


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
    breaks = frozenset(words.get("rehearsal", "").split())
    link = words.get("link", "down")
    return Sabotage(path.stem, path, shlex.split(words["test"]), words["expect"], breaks, link)


def all_of(folder: Path = PATCHES) -> list[Sabotage]:
    return [read(path) for path in sorted(folder.glob("*.patch"))]


def applies(sabotage: Sabotage, tree: Path, *options: str) -> str:
    """Empty where the patch applies to `tree`, else what git says."""
    if "\n--- " not in sabotage.path.read_text("utf-8"):
        return "" if sabotage.expect == "green" else "changes nothing"
    command = ["git", "apply", "--unidiff-zero", *options, str(sabotage.path)]
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


def touched(sabotage: Sabotage) -> list[str]:
    return re.findall(r"^\+\+\+ b/(\S+)", sabotage.path.read_text("utf-8"), re.MULTILINE)


def mend(sabotage: Sabotage, tree: Path, whole: Path) -> None:
    """As if the patch had never been applied."""
    for name in touched(sabotage):
        shutil.copy2(whole / name, tree / name)
    forget_bytecode(sabotage, tree)


def forget_bytecode(sabotage: Sabotage, tree: Path) -> None:
    """A patch may leave a file's size and second as they were."""
    for name in touched(sabotage):
        file = tree / name
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
            compiled.unlink()


# what is done in a tree


def run_test(sabotage: Sabotage) -> int:
    """The one test that must notice."""
    pytest = import_module("pytest")
    # pytest warns that its plugins were imported before it could rewrite them: they are ours.
    quiet = ["-q", "-x", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*quiet, "-p", "no:xdist", "-p", "no:cacheprovider", *sabotage.test]))


def judge_test(sabotage: Sabotage, code: int, text: str) -> tuple[str, bool, str]:
    seen = {0: "green", RED: "red", -signal.SIGALRM: "did not end"}.get(code, f"exit {code}")
    lines = text.strip().splitlines() or [""]
    named = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return seen, seen == sabotage.expect, (named or lines[-1:])[0]


def rehearse(days: int, seeds: int, sabotage: Sabotage) -> int:
    """One seed after the other, until an invariant is broken; the canary has one seed only."""
    app = import_module("onewindow.cli").app
    for seed in range(1, 2 if sabotage.name.endswith("canary") else seeds + 1):
        sys.stdout.write(f"seed {seed}\n")
        asked = ["rehearse", "--days", str(days), "--seed", str(seed), *TOWN]
        asked += ["--link", sabotage.link]
        if app(asked, standalone_mode=False):
            return RED
    return 0


def judge_rehearsal(sabotage: Sabotage, code: int, text: str) -> tuple[str, bool, str]:
    """Red is a breach of an invariant that was named; any will do where none was."""
    seeds = re.findall(r"^seed (\d+)$", text, re.MULTILINE)
    claims = list(CLAIM.finditer(text))
    names = {claim[1] for claim in claims}
    after = f"seed {seeds[-1]}" if seeds else "no seed"
    if code == 0:
        return f"green, {after}", sabotage.expect == "green", ""
    if code == -signal.SIGALRM:
        return f"time is over, {after}", sabotage.expect == "green", ""
    if not claims:
        return f"broke down, {after}", False, text.strip().splitlines()[-1]
    good = sabotage.expect == "red" and (not sabotage.breaks or bool(names & sabotage.breaks))
    return f"red, {after}", good, claims[0][0]


# how it is done


def fork(running: Running, trial: Trial) -> int:
    """A child that works in the tree and writes into the log; its number."""
    number = os.fork()
    if number == 0:
        _be_child(running, trial)
    return number


def _be_child(running: Running, trial: Trial) -> NoReturn:
    code = BROKE
    try:
        signal.alarm(trial.limit_s)
        written = os.open(running.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.chdir(running.tree)
        sys.path.insert(0, str(running.tree))  # before the checkout that the environment knows
        os.environ["PYTHONPATH"] = str(running.tree)
        os.environ.pop("PYTEST_ADDOPTS", None)
        code = trial.work(running.sabotage)
    except BaseException:  # noqa: BLE001 - whatever it is, it must not go on as if it were the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def attempts(wanted: list[Sabotage], trial: Trial, at_once: int) -> Iterator[Verdict]:
    """Break, try, mend; so many side by side, each in a tree of its own."""
    for library in LIBRARIES:
        import_module(library)
    with ExitStack() as places:
        trees = []
        for _ in range(1 + min(at_once, len(wanted))):
            place = tempfile.TemporaryDirectory(prefix="onewindow-sabotage-")
            trees.append(Path(places.enter_context(place)))
            copy_to(trees[-1])
        whole = trees.pop()
        running: dict[int, Running] = {}
        waiting = list(reversed(wanted))
        while waiting or running:
            while waiting and trees:
                sabotage, tree = waiting.pop(), trees.pop()
                if said := applies(sabotage, tree):
                    trees.append(tree)
                    mend(sabotage, tree, whole)
                    yield Verdict(sabotage, "does not apply", good=False, words=said)
                    continue
                forget_bytecode(sabotage, tree)
                started = Running(sabotage, tree, tree / "said.txt")
                running[fork(started, trial)] = started
            if running:
                number, status = os.wait()
                done = running.pop(number)
                yield _end(done, trial, os.waitstatus_to_exitcode(status))
                mend(done.sabotage, done.tree, whole)
                trees.append(done.tree)


def _end(done: Running, trial: Trial, code: int) -> Verdict:
    text = done.log.read_text("utf-8", "replace")
    seen, good, words = trial.judge(done.sabotage, code, text)
    return Verdict(done.sabotage, seen, good, words, time.monotonic() - done.began)


def main(
    chosen: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    *,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="The rehearsal must notice, instead of the test.")
    ] = False,
    seeds: Annotated[int, typer.Option(help="How many seeds the rehearsal has at most.")] = 50,
    days: Annotated[int, typer.Option(help="How long each seed's rehearsal is.")] = 2,
    minutes: Annotated[int, typer.Option(help="How long one patch may be rehearsed.")] = 10,
    at_once: Annotated[int, typer.Option(min=1, help="Patches tried side by side.")] = (
        os.cpu_count() or 1
    ),
) -> None:
    """Apply each patch of tests/sabotage to a copy and run the test that must notice.

    NAME is how a patch's name begins. Exit 1 if a sabotage survives or a patch no longer applies.
    """
    wanted = [each for each in all_of() if not chosen or each.name.startswith(tuple(chosen))]
    trial = Trial(run_test, TEST_S, judge_test)
    if rehearsal:
        wanted = [each for each in wanted if each.breaks or each.expect == "green"]
        trial = Trial(partial(rehearse, days, seeds), minutes * 60, judge_rehearsal)
    if not wanted:
        sys.stderr.write(f"no such patch in {PATCHES.relative_to(ROOT)}\n")
        raise typer.Exit(2)
    console, began = Console(), time.monotonic()
    verdicts = []
    for verdict in attempts(wanted, trial, at_once):
        verdicts.append(verdict)
        told = f"{len(verdicts)} of {len(wanted)}: {verdict.sabotage.name}: {verdict.seen}"
        console.print(told, highlight=False)
    console.print(_table(verdicts))
    good = sum(verdict.good for verdict in verdicts)
    took_s = time.monotonic() - began
    console.print(f"{good} of {len(wanted)} as they should be, in {took_s:.0f} s")
    raise typer.Exit(0 if good == len(wanted) else 1)


def _table(verdicts: list[Verdict]) -> Table:
    table = Table(title="Sabotages", title_justify="left")
    for heading in ("patch", "expected", "seen", "s", "", "what was said"):
        table.add_column(heading)
    for verdict in sorted(verdicts, key=lambda each: each.sabotage.name):
        mark = "[green]as it should" if verdict.good else "[red]NOT NOTICED"
        said = verdict.words[:200].replace("[", r"\[")
        name, expected = verdict.sabotage.name, verdict.sabotage.expect
        table.add_row(name, expected, verdict.seen, f"{verdict.seconds:.1f}", mark, said)
    return table


if __name__ == "__main__":
    typer.run(main)

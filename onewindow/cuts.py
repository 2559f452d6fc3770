"""`onewindow rehearse --cut`: the power cut at every step of ten stories, or once more at one."""

import os
from importlib.util import find_spec
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from onewindow.simulate import plan_of

EVERY: Final = "every"
KINDS: Final = "of the site's box alone, and of all; what was not synced lost, kept, or some of it"
NO_DISK: Final = (
    "this needs the package apsw, which puts a failing disk under SQLite; requirements-test.lock"
    " pins it: pip install -r requirements-test.lock"
)


class BadCut(typer.BadParameter):
    """What --cut names cannot be played; the text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(why, param_hint="--cut")


def cut(console: Console, what: str) -> bool:
    """Play `every` story, one with all its cuts, or one cut of one. True if all held."""
    if find_spec("apsw") is None:
        raise BadCut(NO_DISK)
    from simulator.rehearsal.cut_stories import BY_NAME  # noqa: PLC0415 - apsw may be missing

    name, _, where = what.partition(":")
    if name != EVERY and name not in BY_NAME:
        raise BadCut(f"there is no story {name}, but {', '.join(BY_NAME)}, and {EVERY}")
    if where:
        return _once(console, name, where)
    return _all(console, list(BY_NAME) if name == EVERY else [name])


def _once(console: Console, name: str, where: str) -> bool:
    from simulator.rehearsal.cut_stories import BY_NAME  # noqa: PLC0415 - as above
    from simulator.rehearsal.cuts import Cut, play_one  # noqa: PLC0415 - as above

    try:
        cuts = Cut.parse(where)
    except ValueError as error:
        raise BadCut(
            f"{where}: {error}; a cut is a step, a loss and a reach: {name}:12:lost:all"
        ) from error
    violation = play_one(BY_NAME[name], plan_of, cuts)
    console.print(violation or f"{name}:{where} held", highlight=False, markup=False)
    return not violation


def _all(console: Console, names: list[str]) -> bool:
    from simulator.rehearsal.cut_stories import BY_NAME  # noqa: PLC0415 - as above
    from simulator.rehearsal.cuts import play_cuts  # noqa: PLC0415 - as above

    table = Table(title="The power cut at every step", title_justify="left", caption=KINDS)
    for heading in ("story", "steps", "cuts", "of these again", "different", "violations", "s"):
        table.add_column(heading, justify="left" if heading == "story" else "right")
    violations = []
    for name in names:
        story = BY_NAME[name]
        with console.status(f"{name}: {story.words} ...") as status:

            def told(step: int, name: str = name, words: str = story.words) -> None:
                status.update(f"{name}: {words}: step {step}")

            played = play_cuts(story, plan_of, workers=os.cpu_count() or 1, told=told)
        seen = played.seen
        counts = (f"{each:,}" for each in (played.steps, seen.cuts, seen.again, seen.states))
        bad = str(int(bool(seen.violation)))
        table.add_row(name, *counts, bad, f"{played.seconds:.0f}")
        if seen.violation:
            violations.append(seen.violation)
    console.print(table)
    for each in violations:
        console.print(each, highlight=False, markup=False)
    return not violations

"""`onewindow rehearse`: days of a district's sites in virtual time, from one seed."""

import hashlib
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from controller.settings import SiteSettings
from onewindow.cuts import cut as cut_everywhere
from onewindow.demo_settings import toml
from onewindow.exhaust import exhaust as visit_all
from onewindow.layout import TEL
from onewindow.settings_file import BadSettings
from onewindow.simulate import plan_of
from simulator.rehearsal.link_storm import LINK_NAMES
from simulator.rehearsal.play import Outcome, Part, play_site
from simulator.rehearsal.shapes import (
    BRANCH,
    BRISK,
    COMMUNITY,
    HALL,
    HOUR_S,
    STREET,
    TRYING,
    YEAR_DAYS,
    Profile,
    Shares,
)
from simulator.rehearsal.weather import ALL, NAMES

FUTIAN: Final = (HALL, STREET, COMMUNITY, BRANCH, *[STREET] * 9, *[COMMUNITY] * 91)
BOARD_DOORS: Final = 24  # of a board of 32, so that a cabinet of 48 has two alike
SIZES: Final = {
    48: "S" * 36 + "M" * 10 + "L" * 2,
    32: "S" * 24 + "M" * 6 + "L" * 2,
    12: "S" * 9 + "M" * 3,
}
WHOLE_BOARD: Final = 32


Policy = dict[str, str | bool | int]
CARDS: Final = 0.2  # of sites ask for identity cards
HASTY: Final = 0.25
CODE_VALID_S: Final = 43_200  # there


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a site has beside its cabinets."""

    kiosks: int = 1
    machines: str = "print"  # their kind
    cards: bool = False  # readers of them
    hasty: bool = False  # what is not collected on its day is taken back at once


PLAIN: Final = Equipment()


class Worlds(StrEnum):
    SMALL = "small"


class Links(StrEnum):
    WHOLE = "whole"
    DOWN = "down"  # only what the district says, and it always arrives


def settings_of(
    profile: Profile,
    site: str,
    seed: str,
    folder: Path,
    policy: Policy | None = None,
    equipment: Equipment = PLAIN,
) -> SiteSettings:
    """A site of this profile with secrets made from the seed."""
    secrets = {
        name: hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
        for name in ("key", "code_key", "typed_salt")
    }
    lines, cabinets, compartments = [], [], []
    for number in range(profile.cabinets):
        letter = chr(ord("A") + number)
        url = f"modbus+rtu:///L{number + 1}?baud=19200&parity=N"
        lines.append({"name": f"L{number + 1}", "url": url})
        cabinets.append({"letter": letter, "boards": _boards(url, profile.doors)})
        compartments += [
            _compartment(letter, no, size) for no, size in enumerate(SIZES[profile.doors], 1)
        ]
    machines = [
        {
            "name": f"M{n}",
            "url": f"modbus+tcp://127.0.0.1:{n}?unit=1&profile=licence-machine",
            "kind": equipment.machines,
        }
        for n in range(1, profile.machines + 1)
    ]
    tables = {
        "site": {
            "id": site,
            "name": site,
            "address": profile.name,
            "tel": TEL,
            "data": str(folder),
        },
        "line": lines,
        "cabinet": cabinets,
        "compartment": compartments,
        "machine": machines,
        **_at_kiosks(equipment),
        "link": secrets,
        "policy": policy or {},
    }
    return SiteSettings(**tomllib.loads(toml(tables)))


def _at_kiosks(equipment: Equipment) -> dict[str, list[dict[str, str]]]:
    """Each has a scanner, and a reader of cards where cards are asked for."""
    numbers = range(1, equipment.kiosks + 1)
    tables = {
        "kiosk": [{"name": f"K{n}"} for n in numbers],
        "scanner": [
            {"name": f"S{n}", "url": f"scanner+serial:///S{n}?baud=9600", "kiosk": f"K{n}"}
            for n in numbers
        ],
    }
    if equipment.cards:
        tables["card_reader"] = [
            {"name": f"C{n}", "url": f"idcard+serial:///C{n}?baud=115200", "kiosk": f"K{n}"}
            for n in numbers
        ]
    return tables


def equipment_of(seed: str) -> Equipment:
    """What stands at the seed's site."""
    dice = Random(f"{seed}/equipment")  # noqa: S311 - nothing secret comes of it
    return Equipment(
        kiosks=dice.choice((1, 1, 1, 2)),
        machines=dice.choice(("print", "print", "store")),
        cards=dice.random() < CARDS,
        hasty=dice.random() < HASTY,
    )


def policy_of(seed: str, equipment: Equipment = PLAIN) -> Policy:
    """What the seed's site asks of people."""
    dice = Random(f"{seed}/policy")  # noqa: S311 - nothing secret comes of it
    policy: Policy = {
        "second_factor": dice.choice(("none", "none", "phone4", "clerk")),
        "confirm_pickup": dice.random() < 3 / 4,
        "emergency_two_badges": dice.random() < 1 / 2,
    }
    if equipment.hasty:
        policy["overdue_return_s"] = 0
        policy["code_valid_s"] = CODE_VALID_S
    if equipment.cards:
        policy["second_factor"] = "id_card"
        policy["second_factor_no_reader"] = dice.choice(("clerk", "phone4"))
    return policy


def _boards(url: str, doors: int) -> list[str]:
    each = BOARD_DOORS if doors > WHOLE_BOARD else doors
    return [
        f"{url}&unit={1 + 3 * n}&profile=waveshare-relay-32&doors={each}"
        for n in range(doors // each)
    ]


def _compartment(cabinet: str, no: int, size: str) -> dict[str, str | int]:
    reach = ("high", "mid", "mid", "low")[no % 4]
    return {"cabinet": cabinet, "no": no, "size": size, "height_cm": 100 + no % 80, "reach": reach}


def parts(
    days: int,
    seed: int,
    sites: int,
    faults: tuple[str, ...],
    orders: int = 0,
    *,
    linked: bool = False,
) -> list[Part]:
    """The first so many sites of Futian; each has its own chance."""
    found = []
    for number, profile in enumerate(FUTIAN[:sites], 1):
        site = f"FT-{number:04d}"
        own = f"{seed}/{site}"
        if orders:
            profile = replace(BRISK, orders_a_year=orders * YEAR_DAYS)  # noqa: PLW2901 - in its place
        equipment = equipment_of(own) if orders else PLAIN
        policy = policy_of(own, equipment) if orders else None
        made = partial(settings_of, profile, site, own, policy=policy, equipment=equipment)
        shares = TRYING if orders else Shares()
        found.append(Part(made, plan_of, profile, own, days, faults, linked, shares))
    return found


def rehearse(
    wanted: list[Part],
    told: Callable[[int], None] = lambda _days: None,
    workers: int = 1,
    over: Callable[[Part, Outcome], None] = lambda _part, _outcome: None,
) -> list[Outcome]:
    """Play every part, several at once.

    `told` hears how many days are over in all, `over` of each part that is played.
    """
    if workers == 1 or len(wanted) == 1:
        outcomes = []
        for number, part in enumerate(wanted):
            outcomes.append(play_site(part, partial(_told_so_far, told, number * part.days)))
            over(part, outcomes[-1])
        return outcomes
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(play_site, part): part for part in wanted}
        done = 0
        for job in as_completed(jobs):
            over(jobs[job], job.result())
            done += jobs[job].days
            told(done)
        return [job.result() for job in jobs]


def _told_so_far(told: Callable[[int], None], before: int, day: int) -> None:
    told(before + day)


def digest(outcomes: list[Outcome]) -> str:
    """Of all sites' events, in the order of the sites."""
    return hashlib.sha256("".join(each.digest for each in outcomes).encode()).hexdigest()


def command(
    *,
    days: Annotated[int, typer.Option(min=1, help="How many days are played.")] = 1,
    seed: Annotated[int, typer.Option(help="Of everything that happens.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="So many, from that one on.")] = 1,
    sites: Annotated[
        int, typer.Option(min=1, max=len(FUTIAN), help="The hall, a street, a community ...")
    ] = 1,
    orders: Annotated[
        int, typer.Option(min=0, help="A day at each site, each fetched soon; 0: as in a year.")
    ] = 0,
    faults: Annotated[str, typer.Option(help="all, none, or names: power,kill,silent")] = "all",
    link: Annotated[
        Links,
        typer.Option(help="whole: both ways, over a broker that may lie, to a real district."),
    ] = Links.WHOLE,
    workers: Annotated[int, typer.Option(min=1, help="Processes that play sites at once.")] = 1,
    exhaust: Annotated[
        Worlds | None, typer.Option(help="Every order of events in small worlds instead of days.")
    ] = None,
    cut: Annotated[
        str | None,
        typer.Option(help="every: the power cut at each step of ten stories; or one of them."),
    ] = None,
) -> None:
    """Play days of people, vendors and faults in virtual time, and check what must hold.

    Exit 1 where something did not hold, with what led there and how to repeat it.
    """
    if exhaust is not None:
        if not visit_all(Console()):
            raise typer.Exit(1)
        return
    if cut is not None:
        if not cut_everywhere(Console(), cut):
            raise typer.Exit(1)
        return
    strokes = _faults(faults)
    wanted = [
        part
        for each in range(seed, seed + seeds)
        for part in parts(days, each, sites, strokes, orders, linked=link is Links.WHOLE)
    ]
    again = f"--days {days} --sites {sites} --orders {orders} --faults {faults} --link {link}"
    if not _play(Console(), wanted, workers, again):
        raise typer.Exit(1)


def _play(console: Console, wanted: list[Part], workers: int, again: str) -> bool:
    """Play all of it and say what came of it; whether all held. `again` repeats it with a seed."""
    began = time.perf_counter()

    def over(part: Part, outcome: Outcome) -> None:
        if outcome.violations:
            words = "\n".join(violation.words() for violation in outcome.violations)
            command = f"onewindow rehearse --seed {part.seed.partition('/')[0]} {again}"
            text = f"{outcome.site}: {words}\nAgain: {command}\n"
            console.print(text, highlight=False, soft_wrap=True)

    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("days", total=sum(part.days for part in wanted))
        outcomes = rehearse(wanted, lambda done: bar.update(task, completed=done), workers, over)
    text = summary(outcomes, time.perf_counter() - began)
    console.print(text, highlight=False, soft_wrap=True)
    return not any(each.violations for each in outcomes)


def _faults(text: str) -> tuple[str, ...]:
    names = tuple(each for each in text.split(",") if each not in ("", "none"))
    for name in names:
        if name not in (ALL, *NAMES, *LINK_NAMES):
            raise BadSettings(
                f"--faults: {name} is none; there are all, none, {', '.join(NAMES + LINK_NAMES)}"
            )
    return names


def summary(outcomes: list[Outcome], seconds: float) -> str:
    """What all sites' days came to, in words."""
    kinds: Counter[str] = sum((each.kinds for each in outcomes), Counter())
    refusals: Counter[str] = sum((each.refusals for each in outcomes), Counter())
    entries = sum(each.entries for each in outcomes)
    cpu_s = sum(each.seconds for each in outcomes)
    rows = [
        ("orders", f"{sum(each.orders for each in outcomes):,}"),
        ("releases", f"{kinds['movement.intended']:,}"),
        ("journal entries", f"{entries:,}"),
        ("done", _counted(sum((each.done for each in outcomes), Counter()))),
        ("refusals", _counted(refusals)),
        ("faults", _counted(sum((each.faults for each in outcomes), Counter()))),
        ("checked", _counted(sum((each.checked for each in outcomes), Counter()))),
        ("waited in the queue", f"{sum(each.waited_s for each in outcomes) / HOUR_S:.1f} h"),
        ("speed", f"{entries / cpu_s:,.0f} entries per second and core, {seconds:.1f} s in all"),
        ("events", f"{sum(each.events for each in outcomes):,}, hash {digest(outcomes)}"),
    ]
    return "\n".join(f"{name:20} {value}" for name, value in rows)


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counter.items())) or "none"

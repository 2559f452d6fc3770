"""`onewindow rehearse`: days of a district's sites in virtual time, from one seed."""

import hashlib
import tomllib
from functools import partial
from pathlib import Path
from typing import Final

from controller.settings import SiteSettings
from onewindow.demo_settings import toml
from onewindow.layout import TEL
from onewindow.simulate import plan_of
from simulator.rehearsal.play import Outcome, Part, play_site
from simulator.rehearsal.shapes import BRANCH, COMMUNITY, HALL, STREET, Profile

FUTIAN: Final = (HALL, STREET, COMMUNITY, BRANCH, *[STREET] * 9, *[COMMUNITY] * 91)
BOARD_DOORS: Final = 24  # of a board of 32, so that a cabinet of 48 has two alike
SIZES: Final = {
    48: "S" * 36 + "M" * 10 + "L" * 2,
    32: "S" * 24 + "M" * 6 + "L" * 2,
    12: "S" * 9 + "M" * 3,
}


def settings_of(profile: Profile, site: str, seed: str, folder: Path) -> SiteSettings:
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
            {
                "cabinet": letter,
                "no": no,
                "size": size,
                "height_cm": 100 + no % 80,
                "reach": _reach(no),
            }
            for no, size in enumerate(SIZES[profile.doors], 1)
        ]
    machines = [
        {"name": f"M{n}", "url": f"modbus+tcp://127.0.0.1:{n}?unit=1&profile=licence-machine"}
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
        "scanner": [{"name": "S1", "url": "scanner+serial:///S1?baud=9600"}],
        "link": secrets,
    }
    return SiteSettings(**tomllib.loads(toml(tables)))


def _boards(url: str, doors: int) -> list[str]:
    each = BOARD_DOORS if doors > 32 else doors
    return [
        f"{url}&unit={1 + 3 * n}&profile=waveshare-relay-32&doors={each}"
        for n in range(doors // each)
    ]


def _reach(no: int) -> str:
    return ("high", "mid", "mid", "low")[no % 4]


def parts(days: int, seed: int, sites: int, faults: tuple[str, ...]) -> list[Part]:
    """The first so many sites of Futian; each has its own chance."""
    found = []
    for number, profile in enumerate(FUTIAN[:sites], 1):
        site = f"FT-{number:04d}"
        own = f"{seed}/{site}"
        made = partial(settings_of, profile, site, own)
        found.append(Part(made, plan_of, profile, own, days, faults))
    return found


def rehearse(days: int, seed: int, sites: int, faults: tuple[str, ...]) -> list[Outcome]:
    return [play_site(part) for part in parts(days, seed, sites, faults)]

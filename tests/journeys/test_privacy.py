"""Names, phones, codes, tokens and keys of a busy day are searched for wherever they may not be."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest
from stage import FAST, Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("privacy")]

PEOPLE = 100
FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
GIVEN = "梓涵浩宇欣怡子轩诗琪俊杰雨桐思远嘉禾晓"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("private"), *FAST, LOG_LEVEL="debug") as opened:
        yield opened


def people(dice: Random) -> Iterator[dict[str, str | None]]:
    for _ in range(PEOPLE):
        name = dice.choice(FAMILY) + "".join(dice.choices(GIVEN, k=3))
        phone = f"+861{dice.choice('3589')}{dice.randrange(10**9):09}"
        yield {"name": name, "phone": phone, "id_number": None, "role": "agent"}


def found_in(text: bytes, secrets: dict[str, str]) -> set[str]:
    return {what for secret, what in secrets.items() if secret.encode() in text}


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


def test_nothing_leaks(stage: Stage):
    secrets: dict[str, str] = {}
    for number, person in enumerate(people(Random(20261124))):
        order = f"44030420261128{number:04}"
        stage.place(order, recipients=[person])
        secrets[str(person["name"])] = "name"
        secrets[str(person["phone"])[3:]] = "phone"
    until(lambda: f"44030420261128{PEOPLE - 1:04}" in stage.journal_text("site"), "all at the site")

    ordered = [f"44030420261128{number:04}" for number in range(3)]
    for order in ordered:
        stage.load_order(order)
        code = stage.code(order)
        secrets[code["qr_text"].rpartition(":")[2]] = "QR secret"
        secrets[code["typed_code"]] = "typed code"
        secrets[code["url"].rpartition("/")[2]] = "token"
        httpx.get(code["url"], trust_env=False)
    stage.collect(ordered[0])
    stage.home()
    stage.press("code", stage.code(ordered[1])["typed_code"] + "9999")
    stage.screen("refused")

    demo = stage.demo
    for badge in demo["badges"].values():
        secrets[badge.rpartition(":")[2]] = "badge"
    secrets[demo["api_key"]] = "API key"
    for login in demo["logins"].values():
        secrets[login["password"]] = "password"
    assert len(secrets) >= 2 * PEOPLE

    places = {
        "journals": stage.journal_text("site").encode() + stage.journal_text("district").encode(),
        "MQTT": repr(stage.mqtt.messages).encode()
        + b"".join(payload for _, payload in stage.mqtt.messages),
        "site metrics": httpx.get(f"{demo['kiosk']}/metrics", trust_env=False).content,
        "district metrics": httpx.get(f"{demo['district']}/metrics", trust_env=False).content,
    }
    databases = {kind: Path(path) for kind, path in demo["databases"].items()}
    places |= {
        f"site disk: {name}": body
        for name, body in files(databases["site"].parent)
        if name.startswith(databases["site"].name)
    }
    places |= {
        f"district disk: {name}": body
        for name, body in files(databases["district"].parent)
        if name.startswith(databases["district"].name)
    }
    logs = {f"log: {name}": body for name, body in files(stage.folder) if name.endswith(".log")}
    assert logs
    places |= {name: body for name, body in logs.items() if name != "log: demo.log"}

    leaks = {place: found for place, body in places.items() if (found := found_in(body, secrets))}
    assert leaks == {}
    assert re.search(rb"order\.placed", places["journals"]), "the search would find nothing at all"
    assert json.dumps(ordered[0]).encode() in places["journals"]

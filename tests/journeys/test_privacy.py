"""Names, phones, codes, tokens and keys of a busy day are searched for wherever they may not be."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest
from stage import FAST, Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("privacy")]

PEOPLE = 100
DAY = "44030420261128"  # order numbers of this day begin with it
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


def busy_day(stage: Stage) -> dict[str, str]:
    """A hundred people order, a few come, one types a wrong number; every secret by its name."""
    secrets: dict[str, str] = {}
    for number, person in enumerate(people(Random(20261124))):
        stage.place(f"{DAY}{number:04}", recipients=[person])
        secrets[str(person["name"])] = "name"
        secrets[str(person["phone"])[3:]] = "phone"
    last = f"{DAY}{PEOPLE - 1:04}"
    until(lambda: last in stage.journal_text("site"), "all orders to be at the site")

    ordered = [f"{DAY}{number:04}" for number in range(3)]
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
    secrets |= {badge.rpartition(":")[2]: "badge" for badge in demo["badges"].values()}
    secrets |= {login["password"]: "password" for login in demo["logins"].values()}
    secrets[demo["api_key"]] = "API key"
    return secrets


def places(stage: Stage) -> dict[str, bytes]:
    """Everything that is written, published or shown without a log-in."""
    demo = stage.demo
    said = b"".join(topic.encode() + payload for topic, payload in stage.mqtt.messages)
    found = {
        "journals": stage.journal_text("site").encode() + stage.journal_text("district").encode(),
        "MQTT": said,
        "site metrics": httpx.get(f"{demo['kiosk']}/metrics", trust_env=False).content,
        "district metrics": httpx.get(f"{demo['district']}/metrics", trust_env=False).content,
    }
    for tier, database in demo["databases"].items():
        for name, body in files(Path(database).parent):
            found[f"{tier} disk: {name}"] = body
    for name, body in files(stage.folder / "logs"):
        found[f"log: {name}"] = body
    return found


def test_nothing_leaks(stage: Stage):
    secrets = busy_day(stage)
    assert len(secrets) >= 2 * PEOPLE
    looked = places(stage)
    assert {"log: site.log", "log: district.log", "site disk: site.db"} <= set(looked)
    assert all(f"{DAY}0000".encode() in looked[place] for place in ("journals", "MQTT"))
    assert {
        place: found for place, body in looked.items() if (found := found_in(body, secrets))
    } == {}

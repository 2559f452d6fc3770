"""`onewindow simulate --replay DB`: a journal as a film, on real HTTP."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.clock import ManualClock
from controller.entries import Up
from controller.journal import Stream
from controller.site import schema
from controller.store import StoreRefused, open_store
from onewindow.replay import film_of
from tests.controller.story_cases import CASES, MORNING

COMPARTMENTS = [
    {"cabinet": "A", "no": no, "size": "S", "height_cm": 100, "reach": "mid"} for no in range(1, 9)
]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A site's journal: its start, and one order's whole life at A/7."""
    path = tmp_path / "site.db"
    life = CASES["collected, as the sensor says"]()
    clock = ManualClock(MORNING)
    with open_store(path, schema.journal, clock) as store:
        with store.write() as transaction:
            schema.metadata.create_all(transaction.connection)
        started = {"version": "1", "compartments": COMPARTMENTS, "machines": []}
        entries: list[tuple[Stream, str, dict[str, Any]]] = [
            (Stream.UP, Up.SITE_STARTED.value, started),
            *((e.stream, e.kind, e.data) for e in (*life.down_entries, *life.up_entries)),
        ]
        for stream, kind, data in entries:
            clock.jump(60.0)
            with store.write() as transaction:
                items = [item | {"label": "OWL:1"} for item in data.get("items", [])]
                transaction.append(
                    "FT-0001", stream, kind, data | ({"items": items} if items else {})
                )
    return path


def door(film: Any) -> dict[str, Any]:
    return dict(film.world.door("A", 7).memory())


def test_doors_are_as_the_journal_tells_at_every_entry(db: Path):
    film = film_of(db, None)
    seen = []
    for position in range(1, len(film.frames) + 1):
        film.seek(position)
        now = door(film)
        look = (now["open"], tuple(now["contents"]))
        if not seen or seen[-1] != look:
            seen.append(look)
    box = ("OWL:1",)
    assert seen == [
        (False, ()),
        (True, ()),
        (False, ()),
        (False, box),
        (True, box),
        (False, box),
        (False, ()),
    ]


def test_winding_back_shows_what_winding_on_showed(db: Path):
    film = film_of(db, None)
    looks = []
    for position in range(len(film.frames) + 1):
        film.seek(position)
        looks.append((film.state()["words"], door(film)))
    for position in reversed(range(len(film.frames) + 1)):
        film.seek(position)
        assert (film.state()["words"], door(film)) == looks[position]


async def test_it_plays_to_the_end_and_stops_there(db: Path):
    film = film_of(db, None)
    ended = asyncio.Event()

    def told() -> None:
        if film.position == len(film.frames):
            ended.set()

    async with asyncio.TaskGroup() as group:
        playing = group.create_task(film.run(told))
        film.turn(play=True, speed=10_000.0)
        await ended.wait()
        playing.cancel()
    assert not film.playing
    assert "collected" not in door(film)["contents"]


def test_what_cannot_be_shown_is_said_in_one_line(db: Path, tmp_path: Path):
    with pytest.raises(StoreRefused, match="knows FT-0001"):
        film_of(db, "FT-0009")
    (tmp_path / "x.db").write_bytes(b"no database at all, but long enough" * 99)
    with pytest.raises(StoreRefused, match="holds no journal"):
        film_of(tmp_path / "x.db", None)


@pytest.fixture
def served(db: Path) -> Iterator[str]:
    """The command as a user starts it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "onewindow", "simulate", "--replay", str(db)]
    with subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert "entries of" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_page_is_served_and_its_projector_turns(served: str):
    with httpx.Client(base_url=served) as client:
        assert client.get("/api/sim/film").json()["position"] == 0
        shown = client.post("/api/sim/film", json={"position": 7}).json()
        assert shown["words"]["en"].startswith("The seal set lies in A07")
        world = client.get("/api/sim").json()
        assert client.post("/api/sim/doors/A/7/pull").status_code in (404, 405)
        assert "film-play" in client.get("/").text
    assert world["cabinets"]["A"]["doors"]["7"]["contents"] == ["OWL:1"]

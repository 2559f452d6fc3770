"""The demo itself: what is written, what survives, what is left."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stage import Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("demo")]
PARTS = ("broker", "district", "simulator", "site")


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_demo_json_says_where_everything_is(stage: Stage):
    words = stage.demo
    assert set(words["pids"]) == set(PARTS)
    assert all(is_alive(pid) for pid in words["pids"].values())
    assert {os.getpgid(pid) for pid in words["pids"].values()} == {stage.supervisor_pid()}
    assert all(Path(path).is_file() for path in words["databases"].values())
    assert len(set(words["orders"])) == 3
    assert all(badge.startswith("OWB:") for badge in words["badges"].values())
    assert (stage.folder / "demo.json").stat().st_mode & 0o077 == 0
    for number in words["orders"]:
        assert stage.order(number)["state"] == "partly_loaded"


def test_a_part_that_dies_comes_back_and_demo_json_knows(stage: Stage):
    before = stage.demo["pids"]
    old = stage.kill("district")
    stage.restarted("district", old)
    after = stage.demo["pids"]
    assert {part for part in PARTS if before[part] != after[part]} == {"district"}
    assert stage.demo["restarts"]["district"] == 1


def test_a_second_demo_in_the_same_folder_is_refused_in_one_line(stage: Stage):
    command = [sys.executable, "-m", "onewindow", "demo", "--data", str(stage.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(stage.folder) in done.stderr
    assert is_alive(stage.pid("site"))


def test_taken_ports_are_named_before_anything_starts(stage: Stage, folder: Path):
    command = [sys.executable, "-m", "onewindow", "demo", "--data", str(folder)]
    for shift, name in enumerate(("district", "kiosk", "simulator", "MQTT")):
        done = subprocess.run(
            [*command, "--port", str(stage.port + shift)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 1
        assert f"port {stage.port + shift} (district) is taken" in done.stderr, name
        assert "--port" in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (folder / "logs").exists()


def test_the_same_folder_goes_on_where_it_stopped(folder: Path):
    with Stage(folder) as stage:
        first = stage.demo
    assert not any(is_alive(pid) for pid in first["pids"].values())
    with Stage(folder) as stage:
        second = stage.demo
        assert stage.order(first["orders"][0])["state"] == "partly_loaded"
    for key in ("api_key", "logins", "badges", "orders", "databases"):
        assert first[key] == second[key]
    assert first["pids"] != second["pids"]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(folder: Path, sign: signal.Signals):
    stage = Stage(folder)
    stage.start()
    pids = stage.demo["pids"]
    stage.signal(stage.supervisor_pid(), sign)
    until(lambda: not any(is_alive(pid) for pid in pids.values()), "the end of every process")
    stage.mqtt.close()
    assert stage._demo is not None
    code = stage._demo.wait(20)
    assert code == (0 if sign is signal.SIGINT else -signal.SIGKILL)
    assert json.loads((folder / "demo.json").read_text())["pids"] == pids

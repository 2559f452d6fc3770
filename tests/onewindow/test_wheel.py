"""The wheel holds all that the product needs, and runs away from the checkout."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import httpx
import pytest
from stage import free_ports, until

pytestmark = pytest.mark.xdist_group("wheel")

ROOT = Path(__file__).parent.parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that the checkout gets no build folder."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    target = tmp_path_factory.mktemp("wheel")
    offline = ["--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*PIP, "wheel", *offline, "--wheel-dir", str(target), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [built] = target.glob("*.whl")
    return built


def test_the_wheel_holds_everything_but_tests(wheel: Path):
    packed = set(zipfile.ZipFile(wheel).namelist())
    rooms = ("onewindow", "api", "firmware_bridge", "controller", "simulator", "migrations")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *rooms],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert wanted - packed == set()
    assert {name.partition("/")[0] for name in packed if ".dist-info" not in name} == set(rooms)
    assert any(name.endswith("licenses/LICENSE") for name in packed)


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; what it needs comes from the one that runs the tests."""
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place / "venv", with_pip=False)
    [packages] = (place / "venv").glob("lib/python*/site-packages")
    # A folder named in a .pth is searched, but the .pth files in it are not read: the checkout,
    # which the tests' own environment knows through one of those, stays out.
    (packages / "needs.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    install = [*PIP, "--python", str(place / "venv" / "bin" / "python"), "install"]
    done = subprocess.run(
        [
            *install,
            "--no-deps",
            "--no-index",
            "--force-reinstall",
            "--prefix",
            str(place / "venv"),
            str(wheel),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_nothing_of_it_comes_from_the_checkout(elsewhere: Path):
    look = (
        "import onewindow, api, controller, simulator, migrations, firmware_bridge as last;"
        "print(*(each.__file__ for each in"
        " (onewindow, api, controller, simulator, migrations, last)))"
    )
    done = subprocess.run(
        [str(elsewhere / "venv" / "bin" / "python"), "-P", "-c", look],
        cwd=elsewhere,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(path.startswith(str(elsewhere)) for path in done.stdout.split())


def group_members(group: int) -> list[str]:
    """Processes of a process group that still run."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(words[2]) == group and words[0] != "Z":
            members.append(stat.parent.name)
    return members


@pytest.mark.journey
def test_the_installed_wheel_runs_the_demo_and_leaves_nothing_behind(elsewhere: Path):
    folder, log = elsewhere / "demo folder", elsewhere / "demo.log"
    port = free_ports()
    program = str(elsewhere / "venv" / "bin" / "onewindow")
    with log.open("w") as output:
        demo = subprocess.Popen(
            [program, "demo", "--port", str(port), "--data", str(folder), "--lang", "en"],
            cwd=elsewhere,
            env=environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def ready() -> bool:
        assert demo.poll() is None, log.read_text()
        return (folder / "demo.json").exists()

    try:
        until(ready, f"demo.json: {log.read_text()}", 60)
        words = json.loads((folder / "demo.json").read_text())
        for page in (
            words["district"] + "/",
            words["district"] + "/ops",
            words["district"] + "/api/openapi.json",
            words["kiosk"] + "/kiosk",
            words["simulator"] + "/",
        ):
            assert httpx.get(page, follow_redirects=True, trust_env=False).status_code == 200, page
        assert len(group_members(demo.pid)) == 5
    finally:
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(30)
    assert code == 0
    assert group_members(demo.pid) == []
    assert words["district"] in log.read_text()

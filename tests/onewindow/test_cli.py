import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData
from stage import free_ports

from controller.clock import ManualClock
from controller.journal import Stream, journal_table
from controller.store import open_store
from onewindow.cli import main

CONSOLE = str(Path(sysconfig.get_path("scripts")) / "onewindow")


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process: a start of Python for each would take most of the time."""

    def run_here(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["onewindow", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run_here


def run_apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a user starts it."""
    command = [sys.executable, "-m", "onewindow", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("start", [[sys.executable, "-m", "onewindow"], [CONSOLE]])
def test_the_command_line_is_there_as_a_program_and_as_a_module(start: list[str]):
    done = subprocess.run([*start, "--help"], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in ("demo", "site", "district", "journal"))


@pytest.mark.parametrize(
    "command",
    [
        "",
        "demo",
        "site",
        "district",
        "simulate",
        "migrate",
        "backup",
        "restore",
        "journal",
        "journal verify",
        "journal show",
        "explain",
        "explain order",
        "explain door",
        "bus",
        "bus scan",
        "bus open",
        "bus check",
        "bus walk",
    ],
)
def test_every_command_has_help(run: Run, command: str):
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("open-everything", "No such command"),
        ("demo --port 99999", "--port"),
        ("demo --prt 1", "--prt"),
        ("demo --lang fr", "--lang"),
        ("site", "--config"),
        ("site --config /nowhere/site.toml", "/nowhere/site.toml"),
        ("district --config /nowhere/district.toml", "/nowhere/district.toml"),
        ("migrate --config /nowhere/x.toml", "/nowhere/x.toml"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(run: Run, arguments: str, words: str):
    done = run(*arguments.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "site.db"
    metadata = MetaData()
    table = journal_table(metadata)
    with open_store(path, table, ManualClock(datetime(2026, 11, 23, tzinfo=UTC))) as store:
        metadata.create_all(store.writer)
        with store.write() as transaction:
            for no in range(1, 4):
                transaction.append("FT-0001", Stream.UP, "item.loaded", {"item": f"[bold]{no}"})
            transaction.append("FT-0001", Stream.DOWN, "badge.revoked", {"badge": "b"})
    return path


def test_a_whole_journal_is_verified_with_its_length_and_head(run: Run, database: Path):
    done = run("journal", "verify", str(database))
    assert done.returncode == 0
    down, up = done.stdout.splitlines()
    assert down.startswith("FT-0001 down: 1 entries, intact, head ")
    assert up.startswith("FT-0001 up: 3 entries, intact, head ")
    assert len(up.rpartition(" ")[2]) == 64


def test_a_changed_journal_is_found_out(run: Run, database: Path):
    content = database.read_bytes()
    assert content.count(b'"item":"[bold]2"') == 1
    database.write_bytes(content.replace(b'"item":"[bold]2"', b'"item":"[bold]7"'))
    done = run("journal", "verify", str(database))
    assert done.returncode == 1
    assert "entry 2" in done.stderr or "entry 3" in done.stderr
    assert done.stderr.count("\n") == 1


def test_entries_are_shown_in_order_and_as_they_are(run: Run, database: Path):
    raw = run("journal", "show", "--raw", "--stream", "up", "--after", "1", str(database))
    assert [line.partition('"item":')[2][:9] for line in raw.stdout.splitlines()] == [
        '"[bold]2"',
        '"[bold]3"',
    ]
    shown = run("journal", "show", "--kind", "badge", str(database))
    assert "badge=b" in shown.stdout
    assert "item.loaded" not in shown.stdout


@pytest.mark.parametrize("command", ["verify", "show"])
def test_what_is_no_journal_is_named_in_one_line(run: Run, tmp_path: Path, command: str):
    (tmp_path / "x.db").write_text("hello")
    for path in (tmp_path / "none.db", tmp_path / "x.db"):
        done = run("journal", command, str(path))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert str(path) in done.stderr


def test_a_taken_port_is_one_line_that_names_port_and_option(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        first = max(port - 1, 1024)
        done = run_apart("demo", "--port", str(first), "--data", str(tmp_path))
    assert done.returncode == 1
    assert f"port {port} (kiosk) is taken" in done.stderr or f"port {first}" in done.stderr
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("logs/*")), "nothing was started"


BAD_SITE = """
[site]
id = "FT-0001"
name = "x"
address = "x"
data = "{data}"
[[cabinet]]
letter = "A"
boards = ["modbus+rtu:///dev/ttyS9?baud=19201&unit=1&profile=waveshare-relay-32"]
[[compartment]]
cabinet = "A"
no = 1
size = "S"
height_cm = 30
[link]
key = "00112233445566778899aabbccddeeff"
code_key = "10112233445566778899aabbccddeeff"
typed_salt = "20112233445566778899aabbccddeeff"
"""


@pytest.mark.parametrize("command", ["site", "simulate"])
def test_a_bad_device_address_is_one_line(tmp_path: Path, command: str):
    config = tmp_path / "site.toml"
    config.write_text(BAD_SITE.format(data=tmp_path / "data"))
    done = run_apart(command, "--config", str(config))
    assert done.returncode == 2
    assert "baud=19201" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_boards_that_nothing_here_can_play_are_one_line(tmp_path: Path):
    config = tmp_path / "site.toml"
    text = BAD_SITE.format(data=tmp_path / "data").replace("baud=19201", "baud=19200")
    text = text.replace("waveshare-relay-32", "unheard-of")
    text += '[[line]]\nname = "L1"\nurl = "modbus+rtu:///dev/ttyS9?baud=19200"\n'
    config.write_text(text)
    done = run_apart("simulate", "--port", "1", "--config", str(config))
    assert done.returncode == 2
    assert "unheard-of" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def small_hall(folder: Path) -> Path:
    """One board on a pty, for the simulator."""
    url = f"modbus+rtu://{folder}/L1?baud=19200"
    text = BAD_SITE.format(data=folder / "data")
    text = text.replace("modbus+rtu:///dev/ttyS9?baud=19201", url)
    config = folder / "site.toml"
    config.write_text(f'{text}[[line]]\nname = "L1"\nurl = "{url}"\n')
    return config


def test_the_simulator_says_where_its_page_is_once_it_answers(tmp_path: Path):
    port = str(free_ports(1))
    words = [
        sys.executable,
        "-m",
        "onewindow",
        "simulate",
        "--port",
        port,
        "--config",
        str(small_hall(tmp_path)),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        said = simulator.stdout.readline()
        with socket.create_connection(("127.0.0.1", int(port))):
            pass
        simulator.terminate()
    assert said == f"the machines of FT-0001: http://127.0.0.1:{port}  (Ctrl-C ends them)\n"
    assert simulator.returncode == 0


def test_a_port_that_is_taken_is_one_line_that_names_it(tmp_path: Path):
    config = small_hall(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_apart("simulate", "--port", port, "--config", str(config))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"cannot listen on 127.0.0.1, port {port}: ")
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_one_line_that_names_the_option(tmp_path: Path):
    (tmp_path / "file").write_text("")
    done = run_apart("demo", "--data", str(tmp_path / "file" / "demo"))
    assert done.returncode == 1
    assert str(tmp_path / "file" / "demo") in done.stderr
    assert "--data" in done.stderr
    assert done.stderr.count("\n") == 1


def test_migrate_says_what_it_did(run: Run, tmp_path: Path):
    config = tmp_path / "site.toml"
    config.write_text(BAD_SITE.format(data=tmp_path / "data"))
    assert run("migrate", "--config", str(config)).stdout.startswith("nothing -> ")
    assert run("migrate", "--config", str(config)).stdout.startswith("already at ")


def test_a_database_in_use_is_one_line(tmp_path: Path, run: Run, database: Path):
    config = tmp_path / "site.toml"
    config.write_text(BAD_SITE.format(data=tmp_path))
    table = journal_table(MetaData())
    with open_store(database, table, ManualClock(datetime(2026, 11, 23, tzinfo=UTC))):
        done = run("migrate", "--config", str(config))
    assert done.returncode == 1
    assert "in use by another process" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('{"passed": false, "problems": ["A/3 and A/4 share one pulse"]}', "share one pulse"),
        ("{", "cannot be read"),
    ],
)
def test_a_site_whose_walk_did_not_pass_does_not_go_into_service(
    run: Run, tmp_path: Path, told: str, said: str
):
    config = tmp_path / "site.toml"
    config.write_text(BAD_SITE.format(data=tmp_path / "data").replace("19201", "19200"))
    config.with_suffix(".walk.json").write_text(told)
    done = run("site", "--config", str(config))
    assert done.returncode == 1
    assert said in done.stderr
    assert "onewindow bus walk" in done.stderr or "walk again" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()

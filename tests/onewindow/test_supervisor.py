import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from controller.clock import SystemClock
from onewindow.supervisor import Program, StartFailed, Supervisor

SLEEPER = "import signal, time; open({ready!r}, 'w').write('x'); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


def sleeper(folder: Path, name: str, script: str = SLEEPER) -> Program:
    ready = folder / f"{name}.ready"

    async def is_ready() -> bool:
        return ready.exists()

    return Program(
        name,
        [sys.executable, "-c", script.format(ready=str(ready))],
        is_ready,
        folder / "logs" / f"{name}.log",
        dict(os.environ),
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_zombie(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    return False


async def test_who_dies_is_started_again_and_told_of(tmp_path: Path):
    told = asyncio.Event()
    supervisor = Supervisor(SystemClock(), changed=told.set)
    program = sleeper(tmp_path, "one")
    async with asyncio.TaskGroup() as group:
        await supervisor.start(program, within_s=20)
        keeping = group.create_task(supervisor.keep(program))
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        await told.wait()
        assert supervisor.pids["one"] != first
        assert supervisor.restarts == {"one": 1}
        assert is_running(supervisor.pids["one"])
        await supervisor.end(["one"])
        await keeping
    assert not is_running(supervisor.pids["one"])


async def test_who_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("onewindow.supervisor.END_S", 0.2)
    supervisor = Supervisor(SystemClock(), changed=lambda: None)
    await supervisor.start(sleeper(tmp_path, "stubborn", STUBBORN), within_s=20)
    await supervisor.end(["stubborn", "never started"])
    assert not is_running(supervisor.pids["stubborn"])


async def test_who_does_not_start_is_named_with_its_last_words(tmp_path: Path):
    supervisor = Supervisor(SystemClock(), changed=lambda: None)
    program = sleeper(tmp_path, "mute", "import sys; sys.exit('no such line')")
    with pytest.raises(StartFailed, match="the mute did not start: no such line"):
        await supervisor.start(program, within_s=20)
    await supervisor.end(["mute"])


PARENT = """
import asyncio, sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_supervisor import sleeper
from onewindow.supervisor import Supervisor
from controller.clock import SystemClock

async def main():
    supervisor = Supervisor(SystemClock(), changed=lambda: None)
    await supervisor.start(sleeper(Path({folder!r}), "child"), within_s=20)
    print(supervisor.pids["child"], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_nobody_outlives_a_supervisor_that_was_killed(tmp_path: Path):
    here = str(Path(__file__).parent)
    script = PARENT.format(path=[here, *sys.path], folder=str(tmp_path))
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(20):
        while is_running(child):
            if is_zombie(child):
                break  # dead, and nobody has looked at it yet
            await asyncio.sleep(0.02)

"""The scripts say in one line what a machine lacks, and what to do about it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TOOLS = ("sh", "flock", "sha256sum", "cut", "cat", "rm", "sed", "grep", "tail", "dirname", "env")
NO_VENV = """#!/bin/sh
case "$*" in
*_base_executable*) echo "$0" ;;
*ensurepip*) exit 1 ;;
*) exec {python} "$@" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing installed, on a machine with nothing but its base tools."""
    place = tmp_path / "checkout"
    shutil.copytree(ROOT / "script", place / "script", ignore=shutil.ignore_patterns("*.py"))
    for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, place / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return place


def run(checkout: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent), **variables}
    return subprocess.run(
        [str(checkout / "script" / script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def give_python(checkout: Path, text: str) -> None:
    program = checkout.parent / "bin" / "python3"
    program.write_text(text.format(python=os.path.realpath(sys.executable)))
    program.chmod(0o755)


@pytest.mark.parametrize("script", ["demo", "test", "bench", "sabotage"])
def test_no_python_is_one_line_with_what_to_install(checkout: Path, script: str):
    done = run(checkout, script)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Python 3.11" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_no_venv_module_is_one_line_with_what_to_install(checkout: Path):
    give_python(checkout, NO_VENV)
    done = run(checkout, "demo")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "python3-venv" in done.stderr


def test_no_package_index_is_told_and_what_to_do(checkout: Path):
    give_python(checkout, '#!/bin/sh\nexec {python} "$@"\n')
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_CONFIG_FILE": "/dev/null"}
    done = run(checkout, "demo", **nowhere)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("No package index can be reached")
    assert "PIP_INDEX_URL" in last
    assert not (checkout / ".venv" / "made-from").exists(), "the next start tries again"


def test_ci_lets_nothing_be_skipped():
    assert "CI=true" in (ROOT / ".ci" / "run").read_text()
    assert '[ "${CI:-}" != true ] || fail' in (ROOT / "script" / "test").read_text()

"""Rules about code that reviewers would otherwise have to remember."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("onewindow", "api", "firmware_bridge", "controller", "simulator", "migrations")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
CLOCKS = ("controller/clock.py", "simulator/clock.py")
ONLY_IN: dict[str, tuple[str, ...]] = {
    "datetime.now": CLOCKS,
    "datetime.datetime.now": CLOCKS,
    "datetime.utcnow": CLOCKS,
    "date.today": CLOCKS,
    "time.time": CLOCKS,
    "time.time_ns": CLOCKS,
    "time.monotonic": CLOCKS,
    "time.monotonic_ns": CLOCKS,
    "time.sleep": CLOCKS,
    "asyncio.sleep": CLOCKS,
    "asyncio.create_task": (),
    "asyncio.ensure_future": (),
    "print": (),
    "random.random": (),
    "random.choice": (),
    "random.randint": (),
}
MOVERS = ("controller/site/movements.py",)
NOT_OURS = re.compile(
    r"pypi\.|npmjs|crates\.io|/work/|googleapis|jsdelivr|unpkg|cdnjs|cloudflare|bootcdn",
    re.IGNORECASE,
)
LINK_OUT = re.compile(
    r"""(?:src|href|@import|url)\s*[=(]?\s*["'(]?\s*(?:https?:)?//""", re.IGNORECASE
)


def tracked(*under: str) -> list[Path]:
    """Files in git, and those on their way into it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *under],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [path for name in names if (path := ROOT / name).is_file()]


def python_files(*under: str) -> list[Path]:
    return [path for path in tracked(*under) if path.suffix == ".py"]


def untidy_lengths(name: str, source: str) -> Iterator[str]:
    lines = source.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{name}: {lines} lines, {FILE_LINES_MAX} are allowed"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines"


def untidy_calls(name: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call():
                called = ast.unparse(node.func)
                if called in ONLY_IN and name not in ONLY_IN[called]:
                    where = " or ".join(ONLY_IN[called]) or "nothing of ours"
                    yield f"{name}:{node.lineno}: {called} belongs in {where}"
            case ast.ExceptHandler(type=None):
                yield f"{name}:{node.lineno}: a bare except"
            case ast.ExceptHandler(type=ast.expr() as caught):
                wide = {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(caught)))
                if wide and name != "controller/keep.py":
                    yield f"{name}:{node.lineno}: except {wide.pop()} belongs in controller/keep.py"


def untidy_moves(name: str, source: str) -> Iterator[str]:
    """Only movements asks a port to move anything."""
    if not name.startswith(("controller/", "api/", "onewindow/")) or name in MOVERS:
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Await(
                value=ast.Call(func=ast.Attribute(attr="present" | "take_in" | "retract") as func)
            ):
                yield f"{name}:{node.lineno}: {ast.unparse(func)} belongs in {MOVERS[0]}"
            case ast.Await(value=ast.Call(func=ast.Attribute(attr="release") as func)):
                yield f"{name}:{node.lineno}: {ast.unparse(func)} belongs in {MOVERS[0]}"


@pytest.mark.parametrize("room", [*ROOMS, "tests", "script"])
def test_files_and_functions_are_short(room: str):
    found = [
        flaw
        for path in python_files(room)
        for flaw in untidy_lengths(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("rule", [untidy_calls, untidy_moves])
def test_calls_stand_where_they_may(room: str, rule):
    found = [
        flaw
        for path in python_files(room)
        for flaw in rule(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


def test_the_rules_see_what_they_forbid():
    assert list(untidy_calls("controller/x.py", "import time\ntime.sleep(1)"))
    assert list(untidy_calls("api/x.py", "try:\n    f()\nexcept (OSError, Exception):\n    g()"))
    assert list(untidy_moves("api/x.py", "async def f():\n    await x.boards[1].release(3)"))
    assert not list(untidy_moves("controller/site/movements.py", "await machine.present(1, 2)"))
    assert list(untidy_lengths("x.py", "def f():\n" + "    pass\n" * 50))
    assert not list(untidy_lengths("x.py", "def f():\n" + "    pass\n" * 49))


def test_nothing_names_an_index_or_a_folder_of_one_machine():
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if name == "tests/test_tidy.py" or path.suffix in {".png", ".woff2", ".lock"}:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if NOT_OURS.search(line):
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)


def test_pages_load_nothing_from_elsewhere():
    found = []
    for path in tracked("api", "simulator"):
        if path.suffix not in {".html", ".css", ".js", ".svg", ".jinja"}:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if LINK_OUT.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)


def test_every_pinned_package_is_pinned_exactly():
    for lock in ("requirements.lock", "requirements-test.lock"):
        for line in (ROOT / lock).read_text().splitlines():
            assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line), f"{lock}: {line}"

"""What holds for every test: loopback only, no task left behind."""

import asyncio
import ipaddress
import os
import socket
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent

# On a shared machine an example may be slow for no fault of its own, so no deadline; pytest-timeout
# still ends a test that hangs. In CI the examples are the same for the same commit, so a red run is
# a change's fault; at a desk they are new each time, and a found failure is kept and tried first.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


class Together(LoadScopeScheduling):
    """A file that names an `xdist_group` stays on one worker; of others each test goes anywhere.

    xdist's own `loadgroup` writes the group into a test's id, which pytest no longer lets it do:
    then each worker would make its own of what is slow to make.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self.config.option.loadscopereorder = False  # they come in the order that was collected

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _stays_together(file) else nodeid


@cache
def _stays_together(file: str) -> bool:
    return "mark.xdist_group" in (ROOT / file).read_text("utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest starts first, so that no worker is left with it at the end."""
    items.sort(key=_begins)


def _begins(item: pytest.Item) -> int:
    """Those that were given more time than others, then those that start processes, then all."""
    if item.get_closest_marker("timeout"):
        return 0
    return 1 if item.get_closest_marker("journey") else 2


_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


class NotLoopback(Exception):
    """A test tried to reach another machine."""


def _refuse_others(address: Any) -> None:
    if not isinstance(address, tuple) or address[0] == "localhost":
        return
    if not ipaddress.ip_address(address[0].split("%")[0]).is_loopback:
        raise NotLoopback(f"tests reach loopback only, not {address[0]}")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _refuse_others(address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _refuse_others(address)
    return _connect_ex(self, address)


@pytest.fixture(autouse=True, scope="session")
def loopback_only():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect)
        patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
        yield


@pytest.fixture(autouse=True)
async def no_task_is_left_behind() -> AsyncIterator[None]:
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"still running: {left}"

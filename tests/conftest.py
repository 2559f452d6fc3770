"""What holds for every test: loopback only, no task left behind."""

import asyncio
import ipaddress
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# On a shared machine an example may be slow for no fault of its own, so no deadline; pytest-timeout
# still ends a test that hangs. In CI the examples are the same for the same commit, so a red run is
# a change's fault; at a desk they are new each time, and a found failure is kept and tried first.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what is slow to make stay together on one of the two workers."""
    for item in items:
        if {"stage", "wheel"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


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

"""The late-answer trial on real lines: we take nothing stale where every peer does.

The same slave with the same troubles for all: frames lost, late, doubled and cut, and questions
cancelled where a master can be. A value is stale when the slave gave it before it was asked for, a
confirmation when the slave did not carry the order out.
"""

import asyncio
from collections import Counter
from random import Random

import pytest

from firmware_bridge.bus import Bus
from tests.peers.masters import (
    REPLY_S,
    TROUBLES,
    Minimalmodbus,
    Ours,
    PymodbusAsync,
    PymodbusSync,
)
from tests.peers.misbehaving_slave import PtyEnd, Slave, TcpEnd

LINES, CASES = 32, 17  # at the same time, and on each: 544 on ttys and 544 in TCP
PEER_LINES, PEER_CASES = 16, 60  # they do not stand back and are through sooner
ROUNDS_MAX = 5  # until a peer has taken a stale value and a stale confirmation
CANCELLED = 0.1
ASKED_AGAIN = 0.7  # of what had no answer
PEERS = [
    ("pty", PymodbusAsync),
    ("pty", PymodbusSync),
    ("pty", Minimalmodbus),
    ("tcp", PymodbusAsync),
    ("tcp", PymodbusSync),
]


class Trial:
    """One master on one line; `found` counts what came of its questions and orders."""

    def __init__(self, make_master, seed: int) -> None:
        self._make_master = make_master
        self._seed = seed
        self._dice = Random(seed)
        self._next = None  # what is asked again: an exchange and its value
        self.found = Counter()

    async def play(self, line: str, cases: int) -> None:
        self._slave = Slave(self._seed, REPLY_S)
        end = PtyEnd(self._slave) if line == "pty" else await TcpEnd.listening(self._slave)
        try:
            self._master = self._make_master(self._slave, end.address)
            try:
                for _ in range(cases):
                    await self._case()
            finally:
                await self._master.close()
        finally:
            await end.close()
        self.found.update(self._slave.trouble.happened)

    async def _case(self) -> None:
        self.found["cases"] += 1
        cut_s = self._dice.uniform(0.001, 2 * REPLY_S)
        cancelled = self._dice.random() < CANCELLED and self._master.may_be_cancelled
        exchange, value = self._next or self._thrown()
        self._next = None
        try:
            async with asyncio.timeout(cut_s if cancelled else None):
                await exchange(value)
        except TROUBLES:  # a time-out among them
            self.found["unanswered"] += 1
            if self._dice.random() < ASKED_AGAIN:
                self._next = exchange, value

    def _thrown(self):
        exchange = self._read if self._dice.random() < 0.5 else self._write
        return exchange, self._dice.randint(1, 2)

    async def _read(self, _) -> None:
        before = self._slave.far.stamp
        value = await self._master.read()
        self.found["values"] += 1
        self.found["stale values"] += value <= before

    async def _write(self, value: int) -> None:
        before = self._slave.far.carried_out
        await self._master.write(value)
        self.found["confirmations"] += 1
        self.found["stale confirmations"] += self._slave.far.carried_out == before


async def tried(make_master, line: str, seeds: range, cases: int) -> Counter:
    trials = [Trial(make_master, seed) for seed in seeds]
    async with asyncio.TaskGroup() as tasks:
        for trial in trials:
            tasks.create_task(trial.play(line, cases))
    return sum((trial.found for trial in trials), Counter())


@pytest.mark.parametrize("line", ["pty", "tcp"])
async def test_we_take_no_stale_value_and_no_stale_confirmation(line):
    found = await tried(Ours, line, range(LINES), CASES)
    assert found["cases"] == LINES * CASES
    assert found["stale values"] == found["stale confirmations"] == 0, found
    assert min(found["values"], found["confirmations"]) > LINES * CASES / 10, found
    assert min(found[each] for each in ("lost", "late", "doubled", "cut")) > LINES, found


async def until_stale(make_master, line: str) -> Counter:
    found = Counter()
    for first in range(0, ROUNDS_MAX * PEER_LINES, PEER_LINES):
        found += await tried(make_master, line, range(first, first + PEER_LINES), PEER_CASES)
        if found["stale values"] and found["stale confirmations"]:
            break
    return found


@pytest.mark.parametrize(("line", "peer"), PEERS)
async def test_every_peer_takes_stale_ones_in_the_same_trial(line, peer):
    found = await until_stale(peer, line)
    assert found["stale values"] > 0, found
    assert found["stale confirmations"] > 0, found


async def test_so_would_we_without_standing_back(monkeypatch):
    async def nothing(*_):
        pass

    monkeypatch.setattr(Bus, "_stand_back_s", lambda *_: 0.0)
    monkeypatch.setattr(Bus, "_doubt", lambda _: None)
    monkeypatch.setattr(Bus, "_dispel", nothing)
    found = await until_stale(Ours, "pty")
    assert found["stale values"] > 0, found
    assert found["stale confirmations"] > 0, found

"""The journal: a chain over stored bytes, append-only, whole or refused."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, create_engine, text
from sqlalchemy.exc import IntegrityError

from controller.journal import (
    EMPTY,
    GENESIS,
    BrokenChain,
    Stream,
    append,
    chains,
    entries,
    head,
    journal_table,
    read_entry,
    receive,
    verify,
)

NOON = datetime(2026, 11, 24, 12, 0, 0, 123_456, tzinfo=UTC)
SITE = "FT-0001"


@pytest.fixture
def table():
    return journal_table(MetaData())


@pytest.fixture
def connection(table):
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        table.metadata.create_all(opened)
        yield opened
    engine.dispose()


def write(connection, table, *kinds, site=SITE, stream=Stream.UP):
    return [append(connection, table, site, stream, kind, {"n": 1}, NOON) for kind in kinds]


def test_a_chain_begins_with_64_zeros_and_follows_by_hash(connection, table):
    first, second = write(connection, table, "door.opened", "door.closed")
    assert (first.seq, first.prev) == (1, GENESIS)
    assert (second.seq, second.prev) == (2, first.hash)
    assert json.loads(second.body)["at"] == "2026-11-24T12:00:00.123Z"


def test_an_empty_journal_verifies_as_empty(connection, table):
    assert verify(connection, table, SITE, Stream.UP) == EMPTY


def test_chains_of_sites_and_directions_do_not_touch(connection, table):
    write(connection, table, "a", "b")
    write(connection, table, "c", stream=Stream.DOWN)
    write(connection, table, "d", site="FT-0002")
    assert chains(connection, table) == [
        ("FT-0001", Stream.DOWN, 1),
        ("FT-0001", Stream.UP, 2),
        ("FT-0002", Stream.UP, 1),
    ]
    assert [entry.kind for entry in entries(connection, table, SITE, Stream.UP, after=1)] == ["b"]


@pytest.mark.parametrize("statement", ["UPDATE journal SET kind = 'x'", "DELETE FROM journal"])
def test_nothing_stored_can_be_changed_or_removed(connection, table, statement):
    write(connection, table, "a")
    with pytest.raises(IntegrityError, match="append-only"):
        connection.execute(text(statement))


@given(st.lists(st.dictionaries(st.text(), st.floats(allow_nan=False) | st.text()), max_size=5))
def test_any_data_verifies_from_its_stored_bytes(bodies):
    table = journal_table(MetaData())
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.metadata.create_all(connection)
        for data in bodies:
            append(connection, table, SITE, Stream.UP, "any", data, NOON)
        assert verify(connection, table, SITE, Stream.UP).seq == len(bodies)
    engine.dispose()


@pytest.mark.parametrize("before", [b'"prev":"', b'"n":', b'"at":"2026', b'"kind":"'])
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_one_flipped_bit_anywhere_is_found(connection, table, seq, before):
    write(connection, table, "a", "b", "c")
    connection.execute(text("DROP TRIGGER journal_no_update"))
    body = bytearray(list(entries(connection, table, SITE, Stream.UP))[seq - 1].body)
    body[body.index(before) + len(before)] ^= 1
    connection.execute(
        table.update().where(table.c.seq == seq).values(body=bytes(body)),
    )
    with pytest.raises(BrokenChain) as broken:
        verify(connection, table, SITE, Stream.UP)
    assert broken.value.seq == seq


def test_a_removed_entry_is_found(connection, table):
    write(connection, table, "a", "b", "c")
    connection.execute(text("DROP TRIGGER journal_no_delete"))
    connection.execute(table.delete().where(table.c.seq == 2))
    with pytest.raises(BrokenChain, match="entry 2"):
        verify(connection, table, SITE, Stream.UP)


def test_a_copy_takes_only_what_follows(connection, table):
    first, second, third = write(connection, table, "a", "b", "c")
    copy = create_engine("sqlite://")
    with copy.begin() as other:
        table.metadata.create_all(other)
        with pytest.raises(BrokenChain, match="expected entry 1"):
            receive(other, table, second)
        receive(other, table, first)
        with pytest.raises(BrokenChain, match="expected entry 2"):
            receive(other, table, third)
        forged = read_entry(SITE, second.body.replace(first.hash.encode(), GENESIS.encode()))
        with pytest.raises(BrokenChain, match="does not follow"):
            receive(other, table, forged)
        receive(other, table, second)
        assert head(other, table, SITE, Stream.UP).hash == second.hash
    copy.dispose()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"seq": 0}', b"\xff", b'{"stream":"sideways"}']
)
def test_what_is_no_entry_is_refused(body):
    with pytest.raises(ValueError, match=r".*"):
        read_entry(SITE, body)


@pytest.mark.parametrize(
    "data",
    ['{"b":1,"a":2}', '{"a":1e2}', '{"company":"\u6df1\u5733"}', '{"a": 1}', '{"a":1,"a":2}'],
)
def test_a_hash_is_over_the_bytes_as_they_came(data):
    body = (
        f'{{"stream":"up","seq":1,"at":"2026-11-24T12:00:00.123Z","kind":"any","data":{data},'
        f'"prev":"{GENESIS}"}}'
    ).encode()
    assert read_entry(SITE, body).hash == hashlib.sha256(body).hexdigest()


def test_the_bytes_of_an_entry_are_pinned(tmp_path: Path, connection, table):
    (entry,) = write(connection, table, "door.opened")
    assert entry.body == (
        b'{"stream":"up","seq":1,"at":"2026-11-24T12:00:00.123Z","kind":"door.opened",'
        b'"data":{"n":1},"prev":"' + GENESIS.encode() + b'"}'
    )

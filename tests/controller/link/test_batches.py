"""Batches and acknowledgements: what was sealed comes out, and nothing else does."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.journal import EMPTY, Head, Stream
from controller.link.batches import (
    BYTES_MAX,
    ENTRIES_MAX,
    LinkKeys,
    Untrusted,
    open_ack,
    open_batch,
    seal_ack,
    seal_batch,
    take_batch,
)

SITE = "FT-0001"
AT = datetime(2026, 11, 24, 7, 0, 0, 123000, tzinfo=UTC)
KEYS = LinkKeys.of(b"k" * 32)
HEAD = Head(7, "ab" * 32)
bodies = st.lists(
    st.text(alphabet=st.characters(exclude_characters="\n", codec="utf-8"), max_size=200).map(
        str.encode
    ),
    min_size=1,
    max_size=ENTRIES_MAX,
)


@given(bodies)
def test_what_was_sealed_comes_out_byte_by_byte(sent):
    assert open_batch(seal_batch(SITE, Stream.UP, KEYS, sent), SITE, Stream.UP, KEYS) == sent


def test_the_form_of_a_batch_is_the_one_agreed():
    sealed = json.loads(seal_batch(SITE, Stream.DOWN, KEYS, [b'{"a":1}', '{"b":"门"}'.encode()]))
    words = f'FT-0001\ndown\n{sealed["key"]}\n{{"a":1}}\n{{"b":"门"}}'
    assert sealed == {
        "site": "FT-0001",
        "stream": "down",
        "key": KEYS.current,
        "entries": ['{"a":1}', '{"b":"门"}'],
        "mac": hmac.new(b"k" * 32, words.encode(), hashlib.sha256).hexdigest(),
    }


def test_the_form_of_an_acknowledgement_is_the_one_agreed():
    sealed = json.loads(seal_ack(SITE, Stream.UP, KEYS, HEAD, AT))
    words = f"FT-0001\nup\n{sealed['key']}\n7\n{'ab' * 32}\n2026-11-24T07:00:00.123Z"
    assert sealed == {
        "seq": 7,
        "hash": "ab" * 32,
        "at": "2026-11-24T07:00:00.123Z",
        "key": KEYS.current,
        "mac": hmac.new(b"k" * 32, words.encode(), hashlib.sha256).hexdigest(),
    }


@pytest.mark.parametrize("head", [EMPTY, HEAD])
def test_an_acknowledgement_says_where_and_when(head):
    told = open_ack(seal_ack(SITE, Stream.UP, KEYS, head, AT), SITE, Stream.UP, KEYS)
    assert (told.head, told.at) == (head, AT)


@given(bodies, st.data())
def test_an_altered_batch_never_comes_out_as_another(sent, data):
    sealed = bytearray(seal_batch(SITE, Stream.UP, KEYS, sent))
    spot = data.draw(st.integers(0, len(sealed) - 1))
    sealed[spot] ^= data.draw(st.integers(1, 255))
    try:
        came = open_batch(bytes(sealed), SITE, Stream.UP, KEYS)
    except Untrusted:
        return
    assert came == sent  # the change was one that JSON does not see


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_noise_is_refused_by_name(noise):
    for read in (open_batch, open_ack):
        with pytest.raises(Untrusted):
            read(noise, SITE, Stream.UP, KEYS)


def sealed_with(**changes):
    batch = json.loads(seal_batch(SITE, Stream.UP, KEYS, [b"{}"]))
    return json.dumps(batch | changes).encode()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"[" * 60_000, "not JSON"),
        (b" " * (BYTES_MAX + 1), "65537 bytes"),
        (b"null", "not a batch"),
        (sealed_with(site="FT-0002"), "another journal"),
        (sealed_with(stream="down"), "another journal"),
        (sealed_with(key="k2"), "not this site's"),
        (sealed_with(mac="0" * 64), "does not fit"),
        (sealed_with(mac="门"), "does not fit"),
        (sealed_with(mac=1), "not a batch"),
        (sealed_with(entries=[]), "0 entries"),
        (sealed_with(entries=["{}"] * 101), "101 entries"),
        (sealed_with(entries=[{}]), "not one line of text"),
        (sealed_with(entries=["{}\n{}"]), "not one line of text"),
        (sealed_with(entries=["\ud800"]), "not UTF-8"),
        (sealed_with(entries="{}"), "not a batch"),
    ],
)
def test_each_flaw_of_a_batch_has_its_words(payload, why):
    with pytest.raises(Untrusted, match=why):
        open_batch(payload, SITE, Stream.UP, KEYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": -1},
        {"seq": True},
        {"seq": 7.0},
        {"seq": 8},
        {"seq": "7"},
        {"hash": "cd" * 32},
        {"hash": "AB" * 32},
        {"at": "2026-11-24T07:00:00.124Z"},
        {"at": "门"},
        {"at": None},
        {"key": "other"},
        {"mac": "0" * 64},
    ],
)
def test_an_altered_acknowledgement_is_refused(changes):
    sealed = json.loads(seal_ack(SITE, Stream.UP, KEYS, HEAD, AT))
    with pytest.raises(Untrusted):
        open_ack(json.dumps(sealed | changes).encode(), SITE, Stream.UP, KEYS)


def test_a_seal_is_good_for_one_site_and_one_direction():
    batch = seal_batch(SITE, Stream.UP, KEYS, [b"{}"])
    ack = seal_ack(SITE, Stream.UP, KEYS, HEAD, AT)
    for site, stream in ((SITE, Stream.DOWN), ("FT-0002", Stream.UP)):
        with pytest.raises(Untrusted):
            open_batch(batch, site, stream, KEYS)
        with pytest.raises(Untrusted):
            open_ack(ack, site, stream, KEYS)


def test_an_old_key_still_opens_and_the_new_one_seals():
    old, new = LinkKeys.of(b"o" * 32), LinkKeys.of(b"n" * 32, b"o" * 32)
    assert open_batch(seal_batch(SITE, Stream.UP, old, [b"{}"]), SITE, Stream.UP, new) == [b"{}"]
    with pytest.raises(Untrusted):
        open_batch(seal_batch(SITE, Stream.UP, new, [b"{}"]), SITE, Stream.UP, old)


def test_keys_do_not_show_themselves():
    assert "k" * 8 not in repr(KEYS)


@given(st.lists(st.text(alphabet='"\\门a', max_size=9_000).map(str.encode), min_size=1))
def test_a_batch_takes_what_fits_and_no_more(waiting):
    taken = take_batch(waiting)
    assert taken == waiting[: len(taken)]
    assert len(seal_batch(SITE, Stream.UP, KEYS, taken)) <= BYTES_MAX
    assert len(taken) <= ENTRIES_MAX


def test_a_batch_stops_at_a_hundred_entries():
    assert len(take_batch([b"{}"] * 250)) == ENTRIES_MAX


def test_an_entry_that_fits_into_no_batch_is_named():
    with pytest.raises(Untrusted, match="larger than a batch"):
        take_batch([b"x" * BYTES_MAX])

"""What a scanner may read, and how codes are made and kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.codes import (
    CROCKFORD,
    Badge,
    Foreign,
    Label,
    PickupCode,
    keyed_hash,
    mint_secret,
    mint_typed,
    qr_text,
    read_scan,
    read_typed,
    typed_hash,
)

SECRET = "0123456789ABCDEFGHJKMNPQRS"
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_a_qr_text_names_its_site_and_stays_in_the_alphanumeric_mode():
    text = qr_text("FT-0001", mint_secret())
    assert read_scan(text) == PickupCode("FT-0001", text[-26:])
    assert len(text) == 38
    assert set(text) <= ALPHANUMERIC


@pytest.mark.parametrize(
    ("text", "scanned"),
    [
        ("OWL:Ab_9-x", Label("OWL:Ab_9-x")),
        (f"OWB:{SECRET}", Badge(SECRET)),
        (f"OW1:FT-0001:{SECRET}", PickupCode("FT-0001", SECRET)),
    ],
)
def test_each_kind_is_told_from_the_others(text, scanned):
    assert read_scan(text) == scanned


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OWL:",
        f"OW1::{SECRET}",
        f"ow1:FT-0001:{SECRET}",
        f"OW1:FT-0001:{SECRET}\n",
        f"OW1:FT-0001:{SECRET[:-1]}",
        f"OW1:FT-0001:{SECRET[:-1]}U",
        "https://example.invalid/?q=OW1",
        "'; DROP TABLE codes; --",
        "🙂",
        "x" * 4096,
    ],
)
def test_anything_else_is_foreign_and_only_its_length_is_kept(text):
    assert read_scan(text) == Foreign(len(text))


@given(st.text(max_size=200))
def test_no_text_upsets_the_reader(text):
    assert read_scan(text) is not None
    read_typed(text)


@given(st.integers(0, 2**128 - 1))
def test_a_secret_carries_all_its_bits(number):
    secret = mint_secret(lambda _bits: number)
    value = 0
    for sign in secret:
        value = value * 32 + CROCKFORD.index(sign)
    assert value == number


def test_no_two_secrets_are_alike():
    minted = sorted(mint_secret() for _ in range(1000))
    assert all(one != other for one, other in pairwise(minted))


def test_typed_codes_keep_leading_zeros():
    assert mint_typed(lambda _below: 42) == "00000042"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456780000", "123456780000"),
        ("1234 5678 0000", "123456780000"),
        ("1234-5678-0000", "123456780000"),
        ("12345678", None),
        ("1234567800001", None),
        ("12345678000x", None),
        ("１２３４５６７８００００", None),
    ],
)
def test_a_typed_code_is_twelve_digits_however_they_are_grouped(typed, read):
    assert read_typed(typed) == read


def test_hashes_depend_on_key_salt_and_phone():
    assert keyed_hash(b"a", SECRET) != keyed_hash(b"b", SECRET)
    assert typed_hash(b"a", "12345678", "0000") != typed_hash(b"a", "12345678", "0001")
    assert len(keyed_hash(b"a", SECRET)) == len(typed_hash(b"a", "12345678", "0000")) == 64

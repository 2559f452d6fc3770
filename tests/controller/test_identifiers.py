from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.identifiers import (
    USCC_SIGNS,
    NotAnIdentifier,
    id_number,
    is_sole_trader,
    mask_name,
    mask_phone,
    order_no,
    phone,
    resident_id,
    uscc,
)

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    "number",
    [
        "91440304MAEXAMP142",
        "92440304MAEXAMP22R",
        "91350100M000100Y43",
        "91440300MA5FXAM6PL",
    ],
)
def test_a_companys_number_with_a_fitting_check_digit_is_taken(number):
    assert uscc(number) == number


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("91350100M000100Y4Z", "character 18 cannot be used in this number: Z"),
        ("91440304MAEXAMP124", "check digit does not fit"),
        ("91440304MAEXAMPI42", "character 16 cannot be used in this number: I"),
        ("9144O304MAEXAMP142", "character 5 cannot be used in this number: O"),
        ("9144A304MAEXAMP142", "character 5 must be a digit"),
        ("91440304MAEXAMP1\n2", "character 17 cannot be used in this number$"),
        ("91440304MAEXAMP14", "must have 18 characters, has 17"),
        ("", "must have 18 characters, has 0"),
    ],
)
def test_a_wrong_companys_number_is_refused_by_its_sign(number, why):
    with pytest.raises(NotAnIdentifier, match=why):
        uscc(number)


def test_a_companys_number_may_be_typed_small_and_wide():
    assert uscc(" ９1440304maexamp142 ") == "91440304MAEXAMP142"


@given(st.integers(0, 17), st.sampled_from(USCC_SIGNS))
def test_one_wrong_sign_never_fits(position, sign):
    right = "91440304MAEXAMP142"
    wrong = right[:position] + sign + right[position + 1 :]
    if wrong == right:
        assert uscc(wrong) == right
    else:
        with pytest.raises(NotAnIdentifier):
            uscc(wrong)


def test_a_sole_trader_is_known_by_the_second_sign():
    assert is_sole_trader("92440304MAEXAMP22R")
    assert not is_sole_trader("91440304MAEXAMP142")


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "34052419800101001X", "810000199001010019"]
)
def test_a_resident_id_is_taken(number):
    assert resident_id(number, TODAY) == number
    assert id_number(number.lower(), TODAY) == number


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("440304209912310011", "day of birth that cannot be"),
        ("110105194912310021", "check digit does not fit"),
        ("110105194913310020", "."),
        ("11010519491231002", "18 digits"),
    ],
)
def test_a_wrong_resident_id_is_refused(number, why):
    with pytest.raises(NotAnIdentifier, match=why):
        resident_id(number, TODAY)


def test_other_papers_are_taken_as_they_are():
    assert id_number("ｅ12345678", TODAY) == "E12345678"
    with pytest.raises(NotAnIdentifier):
        id_number("E12 34", TODAY)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("+8613800000000", "+8613800000000"),
        ("138 0000 0000", "+8613800000000"),
        ("+86 17012345678", "+8617012345678"),
        ("＋８５２ 9123 4567", "+85291234567"),
        ("+853 6612 3456", "+85366123456"),
    ],
)
def test_a_phone_is_stored_one_way(written, stored):
    assert phone(written) == stored


@pytest.mark.parametrize(
    "written",
    ["", "110", "+8675588888888", "+8612800000000", "+1 212 555 0100", "13800000000 ext 5", "x"],
)
def test_what_is_no_mobile_is_refused(written):
    with pytest.raises(NotAnIdentifier):
        phone(written)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text):
    for check in (uscc, phone, order_no, lambda number: id_number(number, TODAY)):
        with suppress(NotAnIdentifier):
            assert check(text)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("欧阳某某", "欧***"), ("John Smith", "J***"), ("𠮷田", "𠮷*"), ("", "***")],
)
def test_a_masked_name_keeps_its_first_sign(name, masked):
    assert mask_name(name) == masked


def test_a_masked_phone_keeps_its_ends():
    assert mask_phone("+8613812345678") == "138****5678"
    assert mask_phone("+85291234567") == "+852 ****4567"

import pytest
import town
from hypothesis import given
from hypothesis import strategies as st

from controller.district.district import District
from controller.district.plan import BadgePlan
from controller.district.seal import Seal, SealBroken
from controller.entries import Down
from controller.store import StoreRefused

KEY = bytes(range(32))


def granted(store):
    return [kind for kind, _ in town.told(store)]


def test_a_badge_of_the_settings_is_granted_to_its_site_for_thirty_days(district, store):
    ((kind, words),) = town.told(store)
    assert kind == Down.BADGE_GRANTED
    assert words == {
        "badge": "B1",
        "hash": "a" * 64,
        "role": "vendor",
        "vendor_id": "V01",
        "valid_until": "2026-12-24T02:00:00.000Z",
    }


def test_starting_again_tells_a_site_nothing_new(district, store, clock):
    town.district_on(store, clock)
    assert granted(store) == [Down.BADGE_GRANTED]


def test_a_badge_is_renewed_in_time(district, store, clock):
    clock.jump(14 * 86_400)
    district.tick()
    assert len(granted(store)) == 1
    clock.jump(2 * 86_400)
    district.tick()
    assert granted(store) == [Down.BADGE_GRANTED] * 2
    assert town.told(store)[1][1]["valid_until"] == "2027-01-09T02:00:00.000Z"


def test_a_badge_that_left_the_settings_is_revoked_once(district, store, clock):
    for _ in range(2):
        town.district_on(store, clock, badges=())
    assert granted(store) == [Down.BADGE_GRANTED, Down.BADGE_REVOKED]


def test_a_badge_with_another_secret_is_granted_anew(district, store, clock):
    changed = BadgePlan("B1", "vendor", "V01", {"FT-0001": "b" * 64})
    town.district_on(store, clock, badges=(changed,))
    assert town.told(store)[1][1]["hash"] == "b" * 64


def test_a_badge_that_got_a_pin_is_granted_anew_with_its_hash(district, store, clock):
    changed = BadgePlan("B1", "vendor", "V01", {"FT-0001": "a" * 64}, {"FT-0001": "d" * 64})
    for _ in range(2):
        town.district_on(store, clock, badges=(changed,))
    assert granted(store) == [Down.BADGE_GRANTED] * 2
    assert town.told(store)[1][1]["pin"] == "d" * 64


def test_a_key_that_left_the_settings_opens_nothing(district, store, clock):
    assert district.client("all").name == "bureau"
    assert district.client("nonsense") is None
    assert town.district_on(store, clock, api_keys=()).client("all") is None


def test_a_database_under_another_key_is_refused_in_one_clear_line(district, store, clock):
    with pytest.raises(StoreRefused, match=r"district\.seal_key is not the key"):
        District(store, clock, Seal(bytes(32)), town.plan())


@given(st.text(), st.text())
def test_what_is_sealed_opens_only_where_it_belongs(text, context):
    seal = Seal(KEY)
    sealed = seal.close(text, context)
    assert seal.open(sealed, context) == text
    with pytest.raises(SealBroken):
        seal.open(sealed, context + "x")
    with pytest.raises(SealBroken):
        Seal(bytes(32)).open(sealed, context)


@given(st.binary(max_size=60))
def test_a_broken_seal_is_never_opened(noise):
    with pytest.raises(SealBroken):
        Seal(KEY).open(noise, "x")

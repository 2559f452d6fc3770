"""Bad orders: each is a problem that names its field, and nothing is stored."""

import json

import pytest
import town
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from controller.district import schema as s

SEALS = {"kind": "seal_set", "holder": "cabinet", "vendor_id": "V01"}
JSON = {"content-type": "application/json"}


def without(name):
    body = town.order()
    del body[name]
    return body


BAD = {
    "wrong check character": (
        town.order(company={"name": "某某", "uscc": "91440300MA5FXAM6PA"}),
        "company.uscc",
    ),
    "a sign that no number has": (
        town.order(company={"name": "某某", "uscc": "91440300MA5FXAM6PO"}),
        "company.uscc",
    ),
    "unknown site": (town.order(site_id="FT-9999"), "site_id"),
    "no items": (town.order(items=[]), "items"),
    "items missing": (without("items"), "items"),
    "two items of one id": (
        town.order(items=[SEALS | {"item_id": "a"}, SEALS | {"item_id": "a"}]),
        "items[1].item_id",
    ),
    "unknown kind": (
        town.order(items=[SEALS, {"kind": "gift", "holder": "cabinet"}]),
        "items[1].kind",
    ),
    "unknown vendor": (town.order(items=[SEALS | {"vendor_id": "V99"}]), "items[0].vendor_id"),
    "wrong phone": (
        town.order(recipients=[{"name": "张三", "phone": "12", "role": "agent"}]),
        "recipients[0].phone",
    ),
    "number as a number": (town.order(order_no=1), "order_no"),
    "items as a text": (town.order(items="two"), "items"),
    "company as a list": (town.order(company=[]), "company"),
    "name as null": (town.order(company={"name": None, "uscc": "x"}), "company.name"),
    "a list": ([], "body"),
    "null": (None, "body"),
    "a field that is none": (town.order(price=310), "price"),
}


def stored(store):
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(s.orders)).scalar()


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_order_is_refused_by_its_field(api, store, name):
    body, field = BAD[name]
    answer = await api.post("/orders", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:onewindow:problem:bad_field"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert field in [error["field"] for error in problem["errors"]]
    assert stored(store) == 0


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"x" * 1_000_000, JSON, 413),
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b'{"order_no": NaN}', JSON, 400),
        (b'{"order_no": "\\ud800"}', JSON, 400),
        (b"[" * 60_000, JSON, 400),
        (b"9" * 5_000, JSON, 400),
        (json.dumps(town.ORDER).encode(), {"content-type": "text/plain"}, 415),
        (json.dumps(town.ORDER).encode(), {}, 415),
    ],
)
async def test_a_body_that_is_no_order_is_refused(api, store, content, headers, status):
    answer = await api.post("/orders", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert stored(store) == 0


async def test_a_large_body_in_pieces_is_refused_too(api, store):
    async def pieces():
        for _ in range(70):
            yield b" " * 1_000

    answer = await api.post("/orders", content=pieces(), headers=JSON)
    assert (answer.status_code, answer.json()["title"]) == (413, "Too large")
    assert stored(store) == 0


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/orders?limit=0", "limit"),
        ("/orders?limit=x", "limit"),
        ("/orders?state=lost", "state"),
        ("/orders?since=yesterday", "since"),
        ("/orders?since=0001-01-01T00:00:00%2B08:00", "since"),
        ("/orders?cursor=x", "cursor"),
        ("/sites/FT-0001/journal?after=-1", "after"),
        ("/sites/FT-0001/journal?after=99999999999999999999", "after"),
        ("/sites/FT-0001/journal?stream=sideways", "stream"),
        ("/alarms?standing=perhaps", "standing"),
    ],
)
async def test_a_bad_question_is_refused_by_its_field(api, path, field):
    answer = await api.get(path)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt_orders(draw):
    """The order with one part of it, anywhere, replaced by something else."""
    body = town.order()
    at = body
    while True:
        key = draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], dict | list) and at[key] and draw(st.booleans()):
            at = at[key]
            continue
        at[key] = draw(json_values)
        return body


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(json_values | spoilt_orders())
async def test_no_body_is_a_mistake_of_ours(api, store, body):
    before = stored(store)
    answer = await api.post("/orders", json=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code not in (200, 201):
        assert answer.headers["content-type"] == "application/problem+json"
        assert stored(store) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=300))
async def test_no_bytes_are_a_mistake_of_ours(api, noise):
    answer = await api.post("/orders", content=noise, headers=JSON)
    assert answer.status_code in (400, 422)

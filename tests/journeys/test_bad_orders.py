"""Orders that cannot be taken: each refused by the field that is wrong, and nothing is stored."""

from typing import Any

import pytest
from stage import Stage, order_body

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("bad-orders")]

SEALS = {"kind": "seal_set", "holder": "cabinet", "vendor_id": "V01", "seals": ["official"]}
PERSON = {"name": "张三", "phone": "+8613800000000", "id_number": None, "role": "agent"}
USCC = {"name": "深圳市某某科技有限公司", "uscc": "91440304MAEXAMP124"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"company": USCC}, "company.uscc"),
        ({"site_id": "FT-9999"}, "site_id"),
        ({"items": []}, "items"),
        ({"items": [{**SEALS, "item_id": "1"}, {**SEALS, "item_id": "1"}]}, "items[1].item_id"),
        ({"items": [{**SEALS, "vendor_id": "V77"}]}, "items[0].vendor_id"),
        ({"items": [{**SEALS, "kind": "gold"}]}, "items[0].kind"),
        ({"recipients": [{**PERSON, "phone": "12345"}]}, "recipients[0].phone"),
        ({"recipients": 7}, "recipients"),
        ({"order_no": "../../etc"}, "order_no"),
    ],
)
def test_the_wrong_field_is_named(stage: Stage, number: str, changes: dict[str, Any], field: str):
    answer = stage.api("POST", "/orders", json=order_body(number, **changes))
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert stage.api("GET", f"/orders/{number}").status_code == 404


def test_a_megabyte_is_too_much(stage: Stage, number: str):
    body = order_body(number, company={"name": "x" * 2**20, "uscc": "91440300MA5FXAM6PL"})
    assert stage.api("POST", "/orders", json=body).status_code == 413
    assert stage.api("GET", f"/orders/{number}").status_code == 404


def test_the_same_number_with_another_body_is_a_conflict(stage: Stage, number: str):
    stage.place(number)
    assert stage.api("POST", "/orders", json=order_body(number)).status_code == 200
    other = order_body(number, items=[SEALS])
    assert stage.api("POST", "/orders", json=other).status_code == 409
    assert len(stage.order(number)["items"]) == 2


def test_no_key_and_a_wrong_key_learn_nothing(stage: Stage, number: str):
    for key in ("", "Bearer nonsense", "Basic b3BzOm9wcw=="):
        answer = stage.api(
            "POST", "/orders", json=order_body(number), headers={"Authorization": key}
        )
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert stage.api("GET", f"/orders/{number}").status_code == 404

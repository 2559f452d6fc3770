"""Who may do what: every operation by every kind of key."""

import asyncio

import pytest
import town

NO = town.ORDER["order_no"]
SCOPES = {  # a new operation fails until somebody decides here what it needs
    ("post", "/api/v1/orders"): "orders",
    ("get", "/api/v1/orders"): "orders",
    ("get", "/api/v1/orders/{order_no}"): "orders",
    ("get", "/api/v1/orders/{order_no}/pickup-code"): "codes",
    ("get", "/api/v1/sites"): "fleet:read",
    ("get", "/api/v1/sites/{site_id}"): "fleet:read",
    ("get", "/api/v1/sites/{site_id}/journal"): "fleet:read",
    ("get", "/api/v1/alarms"): "fleet:read",
    ("post", "/api/v1/alarms/{alarm_id}/ack"): "fleet:operate",
    ("get", "/api/v1/sites/{site_id}/doubts"): "fleet:read",
    ("post", "/api/v1/sites/{site_id}/doubts/{item_id}/settle"): "fleet:operate",
    ("get", "/api/v1/commands/{command_id}"): "fleet:read",
}
BODIES = {
    "/api/v1/orders": town.order(),
    "/api/v1/alarms/{alarm_id}/ack": {"by": "p1"},
    "/api/v1/sites/{site_id}/doubts/{item_id}/settle": {
        "intent": "I7",
        "outcome": "inside",
        "reason": "camera",
        "requested_by": "p1",
        "approved_by": "p2",
    },
}
OPEN = {("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics")}
KEY_OF = {"orders": "orders", "codes": "codes", "fleet:read": "fleet"}


def address(path, made):
    named = {"order_no": NO, "site_id": "FT-0001", "alarm_id": "L1"}
    return path.removeprefix("/api/v1").format(**named, **made)


def operations(app):
    return {
        (method, path) for path, methods in app.openapi()["paths"].items() for method in methods
    }


def test_somebody_has_decided_about_every_operation(app):
    assert operations(app) == set(SCOPES) | OPEN


@pytest.fixture
async def ready(api, site):
    await api.post("/orders", json=town.order())
    await asyncio.to_thread(site.starts)
    (_, (seals, where)) = await asyncio.to_thread(site.loads, NO)

    def trouble():
        site.moves("I7", "collect", where, seals)
        site.says("compartment.fault", where=where, reason="unexplained")
        since = "2026-11-24T02:00:00.000Z"
        words = {"alarm": "L1", "kind": "unexplained", "severity": "critical", "since": since}
        site.says("alarm.raised", where=where, **words)

    await asyncio.to_thread(trouble)
    settling = BODIES["/api/v1/sites/{site_id}/doubts/{item_id}/settle"]
    told = await api.post(f"/sites/FT-0001/doubts/{seals}/settle", json=settling)
    command = told.json()["command_id"]
    await asyncio.to_thread(site.says, "command.refused", command=command, reason="door_open")
    return {"item_id": seals, "command_id": command}


@pytest.mark.parametrize("operation", SCOPES, ids=" ".join)
async def test_an_operation_wants_a_key_with_its_scope(calling, ready, operation):
    method, path = operation

    async def status(key, **changes):
        client = calling(key)
        client.headers.update(changes)
        body = {"json": BODIES[path]} if method == "post" else {}
        answer = await client.request(method, address(path, ready), **body)
        if answer.is_error:
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    assert await status(None) == 401
    assert await status("") == 401
    assert await status("nonsense") == 401
    assert await status(None, authorization="Basic YWxsOg==") == 401
    wrong = {key for scope, key in KEY_OF.items() if scope != SCOPES[operation]}
    assert {await status(key) for key in wrong} == {403}
    assert await status("all") in {200, 202}


@pytest.mark.parametrize("path", ["/orders/{order_no}", "/orders/{order_no}/pickup-code"], ids=str)
async def test_anothers_order_is_not_there(calling, ready, path):
    foreign = await calling("other").get(address(path, ready))
    missing = await calling("other").get(address(path, ready).replace(NO, "1"))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() | {"request_id": ""} == missing.json() | {"request_id": ""}


async def test_anothers_orders_are_not_listed(calling, ready):
    assert (await calling("other").get("/orders")).json() == {"orders": [], "next": None}


async def test_anothers_number_cannot_be_taken(calling, ready, store):
    told = len(town.told(store))
    answer = await calling("other").post("/orders", json=town.order())
    assert answer.status_code == 409
    assert len(town.told(store)) == told


async def test_a_missing_key_says_how_to_bring_one(calling):
    answer = await calling(None).get("/orders")
    assert answer.headers["www-authenticate"] == "Bearer"

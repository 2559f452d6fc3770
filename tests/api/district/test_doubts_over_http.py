"""Doubts over HTTP: read, settled by two people, and what the site made of it."""

import asyncio

import pytest
import town

NO = town.ORDER["order_no"]
SETTLED = {
    "intent": "I7",
    "outcome": "with_recipient",
    "reason": "phoned",
    "requested_by": "p1",
    "approved_by": "p2",
}


@pytest.fixture
async def item(api, site):
    """A box of which nobody knows whether it was taken."""
    await api.post("/orders", json=town.order())

    def trouble():
        site.starts()
        (_, (seals, where)) = site.loads(NO)
        site.moves("I7", "collect", where, seals)
        site.says("compartment.fault", where=where, reason="unexplained")
        return seals

    return await asyncio.to_thread(trouble)


async def test_a_doubt_is_read_settled_and_its_end_read(api, site, item):
    (doubt,) = (await api.get("/sites/FT-0001/doubts")).json()["doubts"]
    assert (doubt["item_id"], doubt["intent"], doubt["where"]) == (item, "I7", "A/2")
    assert "with_recipient" in doubt["may_be"]
    told = await api.post(f"/sites/FT-0001/doubts/{item}/settle", json=SETTLED)
    command = told.json()
    assert (told.status_code, command["state"]) == (202, "accepted")
    assert (command["requested_by"], command["approved_by"]) == ("p1", "p2")
    address = f"/commands/{command['command_id']}"
    assert (await api.get(address)).json() == command
    await asyncio.to_thread(site.says, "command.refused", command=command["command_id"], reason="x")
    ended = (await api.get(address)).json()
    assert (ended["state"], ended["why"]) == ("refused", "x")


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"approved_by": "p1"}, 403, "needs_two"),
        ({"intent": "I8"}, 409, "stale_decision"),
        ({"outcome": "gone"}, 422, "bad_field"),
        ({"reason": "because"}, 422, "bad_field"),
        ({"approved_by": "Zhang San"}, 422, "bad_field"),
        ({"approved_by": None}, 422, "bad_field"),
        ({"more": "x"}, 422, "bad_field"),
    ],
)
async def test_what_is_wrong_is_a_problem_and_tells_the_site_nothing(
    api, item, store, changes, status, kind
):
    answer = await api.post(f"/sites/FT-0001/doubts/{item}/settle", json=SETTLED | changes)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:onewindow:problem:{kind}")
    if status == 422:
        assert [each["field"] for each in answer.json()["errors"]] == list(changes)
    assert "doubt.settle" not in [kind for kind, _ in town.told(store)]


async def test_a_key_settles_once_and_without_one_it_is_told_already(api, item):
    address, key = f"/sites/FT-0001/doubts/{item}/settle", {"idempotency-key": "k1"}
    first = await api.post(address, json=SETTLED, headers=key)
    again = await api.post(address, json=SETTLED, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    other = await api.post(address, json=SETTLED | {"outcome": "inside"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:onewindow:problem:key_reused")
    without = await api.post(address, json=SETTLED)
    assert (without.status_code, without.json()["type"]) == (409, "urn:onewindow:problem:conflict")


async def test_an_alarm_is_taken_on_by_the_first(api, site, store):
    def alarmed():
        site.starts()
        words = {"kind": "door_ajar", "where": "A/1", "severity": "warning"}
        site.says("alarm.raised", alarm="L4", since="2026-11-24T02:00:00.000Z", **words)

    await asyncio.to_thread(alarmed)
    for who in ("p1", "p2"):
        assert (await api.post("/alarms/L4/ack", json={"by": who})).status_code == 202
    (alarm,) = (await api.get("/alarms")).json()["alarms"]
    assert alarm["acknowledged_by"] == "p1"
    assert ("alarm.acknowledged", {"alarm": "L4", "by": "p1"}) in town.told(store)
    assert (await api.post("/alarms/L5/ack", json={"by": "p1"})).status_code == 404
    foreign = await api.post("/alarms/L4/ack", params={"site": "FT-0002"}, json={"by": "p1"})
    assert foreign.status_code == 404


async def test_of_a_site_or_command_that_there_is_not_nothing_is_said(api, item):
    assert (await api.get("/sites/XX-1/doubts")).status_code == 404
    answer = await api.post(f"/sites/XX-1/doubts/{item}/settle", json=SETTLED)
    assert answer.status_code == 404
    assert (await api.get("/commands/nothing")).status_code == 404

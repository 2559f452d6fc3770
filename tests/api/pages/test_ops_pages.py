import json
import re

import pytest

from api.district import words
from controller.entries import (
    AlarmKind,
    CompartmentState,
    Down,
    ItemState,
    OrderState,
    Up,
)


@pytest.fixture
def busy(hall):
    hall.starts()
    hall.order_seen = hall.order()
    hall.loads(hall.order_seen, "A/7")
    return hall


@pytest.fixture
async def ops(busy):
    return await busy.logged_in("ops")


async def see(browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200
    return answer.text


def box(page: str, name: str) -> str:
    """What the cabinet's drawing says about one door."""
    return re.search(rf"<title>{name}: (.*?)</title>", page)[1]


async def test_the_sites_are_listed_with_their_health(busy, ops):
    page = await see(ops, "/ops")
    assert "never heard of" in page
    busy.district.saw("FT-0001", busy.clock.now(), online=True)
    page = await see(ops, "/ops")
    assert ">online<" in page
    assert "10 of 11" in page
    busy.district.saw("FT-0001", busy.clock.now(), online=False)
    assert ">offline<" in await see(ops, "/ops")


async def test_the_cabinets_front_tells_each_door_in_words(busy, ops):
    page = await see(ops, "/ops/sites/FT-0001")
    number = busy.order_seen.order_no
    assert box(page, "A07") == f"occupied, door closed, order {number}"
    assert box(page, "A08") == "free, door closed"
    assert f'href="/ops/orders/{number}"' in page
    busy.says("door.opened", where="A/8", n=2)
    busy.says("door.unknown", where="A/9", n=2)
    busy.says("compartment.fault", where="A/10", reason="lock_jammed")
    page = await see(ops, "/ops/sites/FT-0001")
    assert box(page, "A08") == "open, door open"
    assert box(page, "A09") == "free, door unknown"
    assert box(page, "A10") == "fault, door closed"
    assert "Lock does not open" in page


async def test_an_alarm_says_what_where_since_when_how_bad_and_what_to_do(busy, ops):
    busy.says(
        "alarm.raised",
        alarm="x1",
        kind="door_ajar",
        where="A/7",
        severity="warning",
        since="2026-11-24T06:20:00.000Z",
    )
    for path in ("/ops", "/ops/alarms", "/ops/sites/FT-0001"):
        page = await see(ops, path)
        for said in (
            "Door left open",
            "A07",
            "24 Nov 14:20",
            "10 minutes ago",
            "warning",
            "push the door shut",
        ):
            assert said in page, (path, said)
    busy.says("alarm.cleared", alarm="x1")
    page = await see(ops, "/ops/alarms")
    assert "No alarm stands" in page
    assert "Ended" in page


async def test_the_worst_alarm_stands_first(busy, ops):
    for alarm, kind, severity in (("1", "door_forced", "critical"), ("2", "blanks_low", "warning")):
        busy.says(
            "alarm.raised",
            alarm=alarm,
            kind=kind,
            where="A/1",
            severity=severity,
            since=f"2026-11-24T06:2{alarm}:00.000Z",
        )
    page = await see(ops, "/ops/alarms")
    assert page.index("Door opened without a release") < page.index("Blank licences run out")


async def test_the_machine_shows_state_and_blanks(busy, ops):
    assert re.search(
        r"in service.*?188</span> sheets", await see(ops, "/ops/sites/FT-0001"), re.DOTALL
    )
    busy.says("machine.changed", machine="M1", state="fault", blanks=3, faults=["jam"])
    assert re.search(
        r">fault<.*?3</span> sheets.*?jam", await see(ops, "/ops/sites/FT-0001"), re.DOTALL
    )


async def test_the_journal_is_read_in_sentences_with_numbers_and_stored_bytes(busy, ops):
    page = await see(ops, "/ops/sites/FT-0001/journal")
    assert "Everything is here: the order can be collected." in page
    assert "↑16" in page
    raw = [json.loads(_unescape(each)) for each in re.findall(r"<code>(\{.*?\})</code>", page)]
    assert [each["seq"] for each in raw] == list(range(16, 0, -1))
    down = await see(ops, "/ops/sites/FT-0001/journal?stream=down")
    assert "The order was announced to the site; items: 2." in down


def _unescape(text: str) -> str:
    return text.replace("&#34;", '"').replace("&amp;", "&")


async def test_a_long_journal_is_paged_to_its_first_entry(busy, ops):
    for number in range(40):
        busy.says("door.opened", where="A/8", n=number + 2)
    seen, path = [], "/ops/sites/FT-0001/journal"
    while path:
        page = await see(ops, path)
        seen += [int(each) for each in re.findall(r"↑(\d+)</span>", page)]
        older = re.search(r'href="([^"]*before=\d+)"', page)
        path = older and _unescape(older[1])
    assert seen == list(range(56, 0, -1))


async def test_orders_are_listed_and_filtered_by_state(busy, ops):
    other = busy.order("另一家公司", licence=False)
    page = await see(ops, "/ops/orders")
    assert other.order_no in page
    assert busy.order_seen.order_no in page
    page = await see(ops, "/ops/orders?state=ready")
    assert other.order_no not in page
    assert busy.order_seen.order_no in page
    assert "No order here" in await see(ops, "/ops/orders?state=overdue")


async def test_an_order_is_found_by_its_number(ops):
    answer = await ops.get("/ops/orders?find=%20440304202611240001")
    assert answer.headers["location"] == "/ops/orders/440304202611240001"


async def test_more_orders_than_a_page_holds_are_all_reached(busy, ops, monkeypatch):
    monkeypatch.setattr("api.district.ops.ORDERS_A_PAGE", 3)
    for _ in range(4):
        busy.order(licence=False)
    page = await see(ops, "/ops/orders")
    first = set(re.findall(r'href="/ops/orders/(\d{18})"', page))
    more = re.search(r'href="(/ops/orders\?cursor=[^"]+)"', page)[1]
    second = set(re.findall(r'href="/ops/orders/(\d{18})"', await see(ops, _unescape(more))))
    assert len(first | second) == 5
    assert not first & second


async def test_an_orders_story_is_told_with_people_masked(busy, ops):
    order = busy.order_seen
    busy.says(
        "movement.intended",
        intent="i1",
        kind="collect",
        where="A/7",
        reason="pickup",
        order=order.order_no,
    )
    busy.says("door.opened", where="A/7", n=2)
    busy.says("movement.settled", intent="i1", outcome="moved", seen_by="door")
    busy.order("另一家公司")
    page = await see(ops, f"/ops/orders/{order.order_no}")
    story = re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)
    assert [each.strip() for each in story] == [
        "The order was announced to the site; items: 2.",
        "An item is in M1.",
        "An item is in A07.",
        "Everything is here: the order can be collected.",
        "A07 was to open for the recipient.",
        "It moved, as seen by the door&#39;s switch.",
    ]
    assert "Wednesday 9 December 24:00" in page
    assert "欧***" in page
    assert "138****5678" in page
    assert "欧阳示例" not in page
    assert "13812345678" not in page


async def test_no_code_and_no_link_is_shown_to_operations(busy, ops):
    code = busy.district.pickup_code(busy.order_seen.order_no)
    secrets = [code.qr_text.split(":")[2], code.typed_code, code.url.rpartition("/")[2]]
    for path in (
        "/ops",
        "/ops/orders",
        f"/ops/orders/{busy.order_seen.order_no}",
        "/ops/sites/FT-0001/journal?stream=down",
    ):
        page = await see(ops, path)
        assert not [each for each in secrets if each in page]


@pytest.mark.parametrize(
    "path", ["/ops/sites/XX-9999", "/ops/sites/XX-9999/journal", "/ops/orders/nothing"]
)
async def test_what_does_not_exist_is_a_page_too(ops, path):
    answer = await ops.get(path)
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


async def test_a_district_without_anything_has_pages_too(hall):
    browser = await hall.logged_in("ops")
    assert "The site has not told yet" in await see(browser, "/ops/sites/FT-0002")
    assert "No entry yet" in await see(browser, "/ops/sites/FT-0002/journal")
    assert "No order here" in await see(browser, "/ops/orders")


def test_every_state_and_every_alarm_has_a_word():
    assert set(words.ORDER) == set(OrderState)
    assert set(words.ITEM) == set(words.ITEM_FOR_COMPANY) == set(ItemState)
    assert set(words.COMPARTMENT) == set(CompartmentState)
    assert set(words.ALARM) == set(AlarmKind)


def test_every_kind_of_entry_has_a_sentence():
    from api.district.sentences import SENTENCES  # noqa: PLC0415 - beside what it is about

    assert {kind.partition("/")[0] for kind in SENTENCES} == {*Up, *Down}


SETTLED = {
    "intent": "I7",
    "outcome": "with_recipient",
    "reason": "phoned",
    "username": "mei",
    "password": "another-ops-example",
}
OURS = {"origin": "http://district.test"}


@pytest.fixture
def doubtful(busy):
    """The box in A/7 was perhaps taken; gives its item."""
    (seals,) = (each for each in busy.order_seen.items if each.holder == "cabinet")
    order, item = busy.order_seen.order_no, seals.item_id
    words = {"where": "A/7", "reason": "pickup", "order": order, "item": item}
    busy.says("movement.intended", intent="I7", kind="collect", **words)
    busy.says("movement.settled", intent="I7", outcome="moved", seen_by="door")
    busy.says("compartment.fault", where="A/7", reason="unexplained")
    return item


def told(hall, kind: str) -> list[dict]:
    page = hall.district.journal("FT-0001", stream="down", limit=1_000)
    found = [json.loads(each) for each in page.entries]
    return [each["data"] for each in found if each["kind"] == kind]


async def test_a_doubt_is_settled_by_two_people_and_the_site_says_how_it_ended(busy, ops, doubtful):
    address = f"/ops/sites/FT-0001/doubts/{doubtful}"
    assert f'href="{address}"' in await see(ops, "/ops/sites/FT-0001")
    form = await see(ops, address)
    assert "A07" in form
    assert "It is still inside" in form
    answer = await ops.post(address, data=SETTLED, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops/sites/FT-0001#doubts")
    (said,) = told(busy, "doubt.settle")
    assert (said["item"], said["intent"], said["outcome"]) == (doubtful, "I7", "with_recipient")
    people = (said["requested_by"], said["approved_by"])
    assert people == tuple(busy.district.alias(each) for each in ("ops", "mei"))
    page = await see(ops, "/ops/sites/FT-0001")
    assert "waits for the site" in page
    assert "ops and mei" in page
    busy.says("command.refused", command=said["command"], reason="sensor_disagrees")
    page = await see(ops, "/ops/sites/FT-0001")
    assert "refused by the site" in page
    assert "a sensor sees it otherwise" in page
    busy.says(
        "item.loaded", item=doubtful, order=busy.order_seen.order_no, where="A/7", by="person"
    )
    busy.says("compartment.restored", where="A/7", reason="unexplained")
    assert "Nothing is in doubt any more" in await see(ops, "/ops/sites/FT-0001")
    assert (await ops.get(address)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"username": "ops", "password": "an-ops-example"}, "somebody else of operations"),
        ({"username": "wu", "password": "a-vendor-example"}, "somebody else of operations"),
        ({"password": "wrong"}, "do not fit together"),
        ({"intent": "I6"}, "Read again what happened"),
        ({"outcome": ""}, "Choose what you know"),
        ({"reason": "because"}, "Choose what you know"),
    ],
)
async def test_one_person_alone_or_about_another_doubt_tells_the_site_nothing(
    busy, ops, doubtful, changes, says
):
    address = f"/ops/sites/FT-0001/doubts/{doubtful}"
    answer = await ops.post(address, data=SETTLED | changes, headers=OURS)
    assert (answer.status_code, told(busy, "doubt.settle")) == (422, [])
    assert says in answer.text
    assert "another-ops-example" not in answer.text
    kept = (SETTLED | changes)["outcome"]
    assert (f'value="{kept}" required checked' in answer.text) == bool(kept)


async def test_no_strange_page_and_no_vendor_settles_or_takes_anything_on(busy, ops, doubtful):
    vendor = await busy.logged_in("wu")
    for path in (f"/ops/sites/FT-0001/doubts/{doubtful}", "/ops/sites/FT-0001/alarms/x1/take-on"):
        strange = await ops.post(path, data=SETTLED, headers={"origin": "http://else.test"})
        assert strange.status_code == 403
        assert (await vendor.post(path, data=SETTLED, headers=OURS)).status_code == 403
        assert (await busy.browser().post(path, data=SETTLED, headers=OURS)).status_code == 303
    assert (await vendor.get(f"/ops/sites/FT-0001/doubts/{doubtful}")).status_code == 403
    assert told(busy, "doubt.settle") == told(busy, "alarm.acknowledged") == []


async def test_an_alarm_says_who_looks_after_it(busy, ops):
    words = {"kind": "door_ajar", "where": "A/7", "severity": "warning"}
    busy.says("alarm.raised", alarm="x1", since="2026-11-24T06:20:00.000Z", **words)
    path = "/ops/sites/FT-0001/alarms/x1/take-on"
    assert path in await see(ops, "/ops/alarms")
    answer = await ops.post(path, data={"goes": "alarms"}, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops/alarms")
    assert [each["alarm"] for each in told(busy, "alarm.acknowledged")] == ["x1"]
    for address in ("/ops", "/ops/alarms", "/ops/sites/FT-0001"):
        page = await see(ops, address)
        assert "ops looks after it" in page
        assert path not in page
    busy.says("alarm.acknowledged", alarm="x1", by="badge7")  # staff there were first
    assert "badge7 looks after it" in await see(ops, "/ops/alarms")

import asyncio

import town

NO = town.ORDER["order_no"]


async def test_an_order_is_placed_and_read_back(api):
    placed = await api.post("/orders", json=town.order())
    assert placed.status_code == 201
    body = placed.json()
    assert (body["order_no"], body["site_id"], body["state"]) == (NO, "FT-0001", "placed")
    assert body["expires_at"] is None
    assert [item["state"] for item in body["items"]] == ["expected"] * 2
    assert "machine" in body["items"][0]
    assert {"cabinet", "compartment"} <= set(body["items"][1])
    assert (await api.get(f"/orders/{NO}")).json() == body


async def test_the_same_order_again_is_200_and_another_of_its_number_409(api):
    first = await api.post("/orders", json=town.order())
    again = await api.post("/orders", json=town.order())
    assert (again.status_code, again.json()) == (200, first.json())
    other = await api.post("/orders", json=town.order(site_id="FT-0002"))
    assert other.status_code == 409
    assert other.json()["type"] == "urn:onewindow:problem:conflict"


async def test_a_reused_idempotency_key_is_409(api):
    key = {"idempotency-key": "abc-1"}
    assert (await api.post("/orders", json=town.order(), headers=key)).status_code == 201
    assert (await api.post("/orders", json=town.order(), headers=key)).status_code == 200
    reused = await api.post("/orders", json=town.order(order_no="2"), headers=key)
    assert reused.status_code == 409
    assert reused.json()["type"] == "urn:onewindow:problem:key_reused"
    assert (await api.get("/orders/2")).status_code == 404
    bad = await api.post("/orders", json=town.order(), headers={"idempotency-key": "a b"})
    assert bad.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_an_order_says_where_its_items_are(api, site):
    await api.post("/orders", json=town.order())
    places = await asyncio.to_thread(site.loads, NO)
    body = (await api.get(f"/orders/{NO}")).json()
    assert (body["state"], body["expires_at"]) == ("ready", "2026-12-09T16:00:00Z")
    assert body["items"][0]["machine"] == "M1"
    assert (body["items"][1]["cabinet"], body["items"][1]["compartment"]) == ("A", 2)
    assert [where for _, where in places] == ["M1", "A/2"]


async def test_the_pickup_code_is_there_between_ready_and_collected(api, site):
    await api.post("/orders", json=town.order())
    early = await api.get(f"/orders/{NO}/pickup-code")
    assert (early.status_code, early.json()["title"]) == (409, "Conflict")
    places = await asyncio.to_thread(site.loads, NO)
    code = (await api.get(f"/orders/{NO}/pickup-code")).json()
    assert set(code) == {"qr_text", "typed_code", "url", "expires_at"}
    assert code["url"].startswith("http://127.0.0.1:8000/p/")
    for item, where in places:
        await asyncio.to_thread(site.gives, NO, item, where)
    assert (await api.get(f"/orders/{NO}/pickup-code")).status_code == 409


async def test_lists_page_by_cursor_and_filter(api, clock):
    for number in ("1", "2", "3"):
        clock.jump(60)
        await api.post("/orders", json=town.order(order_no=number))
    first = (await api.get("/orders", params={"limit": 2})).json()
    assert [order["order_no"] for order in first["orders"]] == ["3", "2"]
    rest = (await api.get("/orders", params={"limit": 2, "cursor": first["next"]})).json()
    assert [order["order_no"] for order in rest["orders"]] == ["1"]
    assert rest["next"] is None

    async def numbers(**wanted):
        page = await api.get("/orders", params=wanted)
        return [order["order_no"] for order in page.json()["orders"]]

    assert await numbers(state="ready") == []
    assert await numbers(site="FT-0002") == []
    assert await numbers(since="2026-11-24T10:02:00+08:00") == ["3", "2"]
    assert await numbers(until="2026-11-24T02:02:00Z") == ["1"]


async def test_sixteen_orders_placed_at_once_are_all_there(api):
    async def place(number):
        return (await api.post("/orders", json=town.order(order_no=str(number)))).status_code

    assert await asyncio.gather(*map(place, range(16))) == [201] * 16
    assert len((await api.get("/orders")).json()["orders"]) == 16


async def test_sites_alarms_and_journals_are_read(api, site):
    await asyncio.to_thread(site.starts)
    alarm = {"kind": "door_ajar", "where": "A/1", "severity": "warning"}
    since = "2026-11-24T02:00:00.000Z"
    await asyncio.to_thread(lambda: site.says("alarm.raised", alarm="L2", since=since, **alarm))
    listed = (await api.get("/sites")).json()["sites"]
    assert [(each["site_id"], each["alarms"]) for each in listed] == [
        ("FT-0001", 1),
        ("FT-0002", 0),
    ]
    one = (await api.get("/sites/FT-0001")).json()
    assert [box["compartment"] for box in one["compartments"]] == [1, 2, 3]
    assert one["machines"][0]["machine"] == "M1"
    alarms = (await api.get("/alarms")).json()["alarms"]
    assert (alarms[0]["kind"], alarms[0]["where"]) == ("door_ajar", "A/1")
    journal = (await api.get("/sites/FT-0001/journal", params={"limit": 1})).json()
    assert (len(journal["entries"]), journal["next"], journal["head"]["seq"]) == (1, 1, 2)
    rest = (await api.get("/sites/FT-0001/journal", params={"after": 1})).json()
    assert (len(rest["entries"]), rest["next"]) == (1, None)
    down = (await api.get("/sites/FT-0001/journal", params={"stream": "down"})).json()
    assert "badge.granted" in down["entries"][0]
    assert (await api.get("/sites/FT-9999")).status_code == 404

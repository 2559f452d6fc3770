async def test_every_page_renders_with_things_in_it(hall):
    hall.starts()
    order = hall.order()
    hall.loads(order)
    other = hall.order("龘龘（深圳）𠮷祥国际文化传播控股集团股份有限公司")
    hall.says(
        "alarm.raised",
        alarm="a1",
        kind="door_ajar",
        where="A/7",
        severity="warning",
        since="2026-11-24T06:00:00.000Z",
    )
    if browser := await hall.logged_in("ops"):
        for way in (
            "/ops",
            "/ops/alarms",
            "/ops/sites/FT-0001",
            "/ops/sites/FT-0001/journal",
            "/ops/orders",
            f"/ops/orders/{order.order_no}",
        ):
            answer = await browser.get(way)
            assert answer.status_code == 200, answer.text
    if browser := await hall.logged_in("wu"):
        for way in ("/vendor", "/vendor/labels"):
            answer = await browser.get(way)
            assert answer.status_code == 200, answer.text
            assert other.company in answer.text
    if browser := hall.browser():
        answer = await browser.get(f"/p/{hall.token(order)}")
        assert answer.status_code == 200

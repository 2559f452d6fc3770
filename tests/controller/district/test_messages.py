import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import town
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from controller.district import schema as s
from controller.district.messages import (
    PART_MAX,
    NotSent,
    due,
    last_day,
    shorten,
    write_ready,
)
from controller.district.notices import DemoPhone, Outbox
from controller.district.seal import Seal
from controller.entries import Up
from controller.local_time import LOCAL

NO = town.ORDER["order_no"]
SEAL = Seal(town.SEAL_KEY)


class Gateway:
    def __init__(self):
        self.sent = []
        self.down = False

    def send(self, message_id, to, text):
        if self.down:
            raise NotSent
        self.sent.append((message_id, to, text))


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
def outbox(store, clock, gateway, district):
    return Outbox(store, clock, SEAL, gateway, district.changes)


def test_the_recipient_is_told_once_that_all_is_ready(district, site, outbox, gateway):
    district.place_order(town.order(), "bureau")
    assert outbox.send_due() == 0
    site.loads(NO)
    site.says(Up.PICKUP_READY, order=NO, expires_at="2026-12-10T16:00:00.000Z")
    assert outbox.send_due() == 1
    assert outbox.send_due() == 0
    code = district.pickup_code(NO)
    ((_, to, text),) = gateway.sent
    assert to == "+8613800000000"
    assert text == (
        "【一窗出】深圳市某某科技有限公司的营业执照和印章已到市民中心，12月9日前全天可取。"
        f"出示二维码即可：{code.url} 取件码{code.typed_code}"
    )


def test_a_message_is_never_queued_without_its_fact(district, site, store, outbox, gateway):
    district.place_order(town.order(), "bureau")
    ready = town.PlayedSite(district)

    class PowerCutError(Exception):
        pass

    real = district.apply

    def cut(tx, entry):
        real(tx, entry)
        raise PowerCutError

    district.apply = cut
    with pytest.raises(PowerCutError):
        ready.says(Up.PICKUP_READY, order=NO, expires_at="2026-12-09T16:00:00.000Z")
    district.apply = real
    assert outbox.send_due() == 0
    site.loads(NO)
    assert outbox.send_due() == 1


def test_a_message_waits_for_a_gateway_that_is_down(district, site, outbox, gateway):
    district.place_order(town.order(), "bureau")
    site.loads(NO)
    gateway.down = True
    assert outbox.send_due() == 0
    gateway.down = False
    assert outbox.send_due() == 1


def test_ready_in_the_night_waits_for_the_morning(district, site, clock, outbox, gateway):
    district.place_order(town.order(), "bureau")
    clock.jump(12 * 3600)  # ten in the evening
    site.loads(NO)
    assert outbox.send_due() == 0
    clock.jump(10 * 3600)
    assert outbox.send_due() == 1


def test_at_night_somebody_is_told_where_the_setting_says_so(store, clock, gateway):
    district = town.district_on(store, clock, notify_at_night=True)
    site = town.PlayedSite(district)
    district.place_order(town.order(), "bureau")
    clock.jump(12 * 3600)
    site.loads(NO)
    assert Outbox(store, clock, SEAL, gateway, district.changes).send_due() == 1


def test_what_was_collected_in_the_night_is_not_announced_in_the_morning(
    district, site, clock, outbox, gateway, store
):
    district.place_order(town.order(), "bureau")
    clock.jump(12 * 3600)
    for item, where in site.loads(NO):
        site.gives(NO, item, where)
    clock.jump(10 * 3600)
    assert outbox.send_due() == 1
    assert gateway.sent == []
    with store.read() as connection:
        assert connection.execute(select(s.messages.c.state)).scalars().all() == ["dropped"]


def test_the_demos_phone_shows_what_reached_it_once(district, site, store, clock):
    phone = DemoPhone(store, clock, SEAL)
    district.place_order(town.order(), "bureau")
    site.loads(NO)
    outbox = Outbox(store, clock, SEAL, phone, district.changes)
    assert outbox.send_due() == 1
    (shown,) = district.phone_messages("138 0000 0000")
    assert district.order_messages(NO) == [shown]
    assert district.pickup_code(NO).url in shown.text
    with store.read() as connection:
        message_id = connection.execute(select(s.messages.c.message_id)).scalar()
    phone.send(message_id, "+8613800000000", "again")
    assert district.phone_messages("+8613800000000") == [shown]
    assert district.phone_messages("nobody") == []


async def test_the_district_sends_by_itself_and_rings_for_its_pages(district, clock, gateway):
    rings = district.changes.listen()
    await anext(rings)
    await asyncio.to_thread(district.place_order, town.order(), "bureau")
    await asyncio.wait_for(anext(rings), 5)
    site = town.PlayedSite(district)
    await asyncio.to_thread(site.loads, NO)
    running = asyncio.ensure_future(district.run(gateway))
    while not gateway.sent:
        await clock.advance(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await rings.aclose()


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-24T20:59", "2026-11-24T20:59"),
        ("2026-11-24T21:00", "2026-11-25T08:00"),
        ("2026-11-25T07:59", "2026-11-25T08:00"),
        ("2026-11-25T08:00", "2026-11-25T08:00"),
        ("2026-12-31T23:30", "2027-01-01T08:00"),
    ],
)
def test_the_night_ends_at_eight(now, then):
    at = datetime.fromisoformat(now).replace(tzinfo=LOCAL)
    assert due(at, at_night=False) == datetime.fromisoformat(then).replace(tzinfo=LOCAL)
    assert due(at, at_night=True) == at


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - made aware below
def test_a_message_never_waits_longer_than_the_night_and_never_goes_back(naive):
    at = naive.replace(tzinfo=UTC)
    waits = due(at, at_night=False) - at
    assert timedelta(0) <= waits <= timedelta(hours=11)


@given(
    st.text("深圳市某公司 Ltd", min_size=1, max_size=100),
    st.sampled_from(["市民中心", "香蜜湖街道党群服务中心"]),
    st.sampled_from(["zh-CN", "en"]),
)
def test_without_its_link_a_text_fits_one_part(company, site, lang):
    text = write_ready(
        lang,
        company=company,
        kinds=["business_licence", "seal_set"],
        site=site,
        expires_at=datetime(2026, 12, 9, 16, tzinfo=UTC),
        url="",
        code="12345678",
    )
    assert len(text) <= PART_MAX[lang]
    assert company in text or "…" in text


def test_the_last_day_is_the_day_that_ends_at_the_deadline():
    midnight = datetime(2026, 12, 9, 16, tzinfo=UTC)  # 24:00 in Shenzhen
    assert (last_day("zh-CN", midnight), last_day("en", midnight)) == ("12月9日", "9 Dec")


def test_a_long_name_keeps_both_ends():
    assert shorten("深圳市前海某某科技有限公司", 9) == "深圳市前…有限公司"
    assert shorten("短", 9) == "短"


def test_a_district_that_went_back_to_an_earlier_state_says_it_under_the_same_id(
    district, site, outbox, gateway, store
):
    district.place_order(town.order(), "bureau")
    site.loads(NO)
    outbox.send_due()
    with store.write() as tx:
        tx.connection.execute(s.messages.delete())
    site.loads(NO)
    outbox.send_due()
    first, again = gateway.sent
    assert first == again

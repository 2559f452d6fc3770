import pytest
import structlog.testing
import town
from sqlalchemy import select

from controller.district import schema as s
from controller.district.district import QUIET_S
from controller.entries import AlarmKind, Up
from controller.refusals import Reason, Refused

NO = town.ORDER["order_no"]


@pytest.fixture
def placed(district, site):
    site.starts()
    return district.place_order(town.order(), "bureau")[0]


def box(district, no):
    return next(b for b in district.site("FT-0001").compartments if b.no == no)


def test_an_order_follows_its_site_from_placed_to_collected(district, site, placed):
    licence, seals = (item.item_id for item in placed.items)
    site.says(Up.ITEM_LOADED, item=licence, order=NO, where="M1", by="machine")
    assert district.order(NO).state == "partly_loaded"
    assert district.order(NO).items[0].machine == "M1"
    site.says(Up.ITEM_LOADED, item=seals, order=NO, where="A/2", by="door", badge="B1")
    assert (district.order(NO).items[1].cabinet, district.order(NO).items[1].compartment) == (
        "A",
        2,
    )
    site.says(Up.PICKUP_READY, order=NO, expires_at="2026-12-09T16:00:00.000Z")
    assert district.order(NO).state == "ready"
    assert district.order(NO).expires_at.isoformat() == "2026-12-09T16:00:00+00:00"
    site.gives(NO, seals, "A/2")
    assert district.order(NO).state == "partly_collected"
    assert district.order(NO).items[1].cabinet is None
    site.gives(NO, licence, "M1")
    site.says(Up.PICKUP_COMPLETED, order=NO, session="s", left=[])
    assert district.order(NO).state == "collected"
    assert {item.state for item in district.order(NO).items} == {"collected"}


def test_the_code_is_there_while_it_opens_something(district, site, placed):
    with pytest.raises(Refused, match=Reason.CONFLICT):
        district.pickup_code(NO)
    places = site.loads(NO)
    assert district.pickup_code(NO).qr_text.startswith("OW1:FT-0001:")
    for item, where in places:
        assert district.pickup_code(NO)
        site.gives(NO, item, where)
    with pytest.raises(Refused, match=Reason.CONFLICT):
        district.pickup_code(NO)


def test_the_page_behind_the_link_loses_its_code_after_the_pickup(district, site, placed):
    places = site.loads(NO)
    token = district.pickup_code(NO).url.rpartition("/")[2]
    page = district.page(token)
    assert page.code == district.pickup_code(NO)
    assert (page.company, page.site.name) == (placed.company, "市民中心")
    assert district.page(token) == page
    for item, where in places:
        site.gives(NO, item, where)
    assert district.page(token).code is None
    assert district.page(token).state == "collected"
    assert district.page("0" * 26) is None


def test_nothing_opens_a_collected_order_again(district, site, placed):
    for item, where in site.loads(NO):
        site.gives(NO, item, where)
    site.says(Up.PICKUP_READY, order=NO, expires_at="2026-12-09T16:00:00.000Z")
    assert district.order(NO).state == "collected"


def test_an_item_on_its_way_out_is_releasing_until_somebody_knows(district, site, placed):
    (_, licence_at), (_, seals_at) = site.loads(NO)
    words = {"kind": "collect", "where": seals_at, "reason": "pickup", "order": NO}
    site.says(Up.MOVEMENT_INTENDED, intent="1", **words)
    assert district.order(NO).items[1].state == "releasing"
    site.says(Up.MOVEMENT_SETTLED, intent="1", outcome="not_moved", seen_by=None)
    assert district.order(NO).items[1].state == "loaded"
    site.says(Up.MOVEMENT_INTENDED, intent="2", **words)
    site.says(Up.MOVEMENT_SETTLED, intent="2", outcome="unknown", seen_by=None)
    assert district.order(NO).items[1].state == "releasing"
    assert district.figures().doubtful == {"FT-0001": 1}
    assert district.order(NO).items[0].state == "loaded"
    assert licence_at == "M1"


def test_a_site_tells_nothing_of_another_sites_orders(district, placed):
    stranger = town.PlayedSite(district, "FT-0002")
    item = placed.items[1].item_id
    stranger.says(Up.ITEM_LOADED, item=item, order=NO, where="A/1", by="door")
    stranger.says(Up.PICKUP_READY, order=NO, expires_at="2026-12-09T16:00:00.000Z")
    stranger.says(Up.ITEM_COLLECTED, item=item, order=NO, where="A/1", by="door", code=None)
    stranger.says(Up.PICKUP_COMPLETED, order=NO, session="s", left=[])
    assert district.order(NO) == placed
    assert district.figures().messages == {}


def test_the_cabinet_is_shown_as_the_site_tells_it(district, site, placed):
    assert [b.no for b in district.site("FT-0001").compartments] == [1, 2, 3]
    assert (box(district, 1).state, box(district, 1).door) == ("free", "unknown")
    site.says(Up.DOOR_CLOSED, where="A/2", n=1)
    site.loads(NO)
    assert (box(district, 2).state, box(district, 2).door_n) == ("occupied", 1)
    assert box(district, 2).order_no == NO
    site.says(Up.DOOR_FORCED, where="A/2", n=2)
    assert (box(district, 2).state, box(district, 2).door) == ("open", "open")
    site.says(Up.DOOR_UNKNOWN, where="A/2", n=3)
    assert box(district, 2).door == "unknown"
    site.says(Up.COMPARTMENT_FAULT, where="A/2", reason="jammed")
    assert (box(district, 2).state, box(district, 2).reason) == ("fault", "jammed")
    site.says(Up.COMPARTMENT_RESTORED, where="A/2", reason="freed")
    assert box(district, 2).state == "occupied"
    summary = district.site("FT-0001").summary
    assert (summary.compartments, summary.free, summary.version) == (3, 2, "1.0")


def test_a_site_that_starts_with_another_layout_is_shown_with_it(district, site):
    site.starts(3)
    site.says(Up.DOOR_CLOSED, where="A/3", n=1)
    site.says(Up.MACHINE_CHANGED, machine="M1", state="idle", blanks=90, faults=["jam"])
    site.starts(2)
    view = district.site("FT-0001")
    assert [b.no for b in view.compartments] == [1, 2]
    assert [(m.machine, m.blanks, m.faults) for m in view.machines] == [("M1", 90, ("jam",))]
    site.says(Up.SITE_STARTED, version="2", compartments=[], machines=[])
    assert district.site("FT-0001").machines == ()


def test_alarms_stand_until_they_are_cleared(district, site):
    words = {"kind": "door_ajar", "where": "A/7", "severity": "warning"}
    site.says(Up.ALARM_RAISED, alarm="1", since="2026-11-24T02:00:00.000Z", **words)
    assert [(a.alarm_id, a.where) for a in district.alarms()] == [("1", "A/7")]
    assert district.figures().alarms == {("FT-0001", "door_ajar"): 1}
    assert district.site("FT-0001").summary.alarms == 1
    site.says(Up.ALARM_CLEARED, alarm="1")
    assert district.alarms() == []
    assert district.alarms(standing=False)[0].cleared_at is not None
    assert district.alarms("FT-0002", standing=False) == []


def test_what_the_district_notices_itself_is_one_standing_alarm(district):
    for _ in range(2):
        district.raise_alarm("FT-0001", AlarmKind.JOURNAL_BROKEN)
    (alarm,) = district.alarms("FT-0001")
    assert (alarm.kind, alarm.severity) == ("journal_broken", "critical")


async def test_an_alarm_of_the_district_itself_ends_once_nothing_more_comes(district, clock):
    await clock.advance(QUIET_S)
    district.raise_alarm("FT-0001", AlarmKind.JOURNAL_BROKEN)
    await clock.advance(QUIET_S * 0.8)
    district.raise_alarm("FT-0001", AlarmKind.JOURNAL_BROKEN)
    await clock.advance(QUIET_S * 0.8)
    district.tick()
    assert len(district.alarms("FT-0001")) == 1
    await clock.advance(QUIET_S * 0.3)
    district.tick()
    assert district.alarms("FT-0001") == []


def test_an_entry_of_a_newer_site_changes_nothing_and_stays(district, site, store):
    site.says("weather.changed", sky="blue")
    assert district.journal("FT-0001").head.seq == 1


def test_an_entry_that_cannot_be_read_is_logged_and_stops_nothing(district, site, placed):
    with structlog.testing.capture_logs() as logs:
        site.says(Up.ITEM_LOADED, order=NO, where="A/x", item=placed.items[1].item_id, by="door")
        site.says(Up.PICKUP_READY, order=NO)
    assert [log["event"] for log in logs] == ["inbox.unreadable"] * 2
    assert district.order(NO) == placed
    site.loads(NO)
    assert district.order(NO).state == "ready"


def test_an_order_past_its_last_day_is_overdue_and_still_collectable(district, site, clock):
    district.place_order(town.order(), "bureau")
    places = site.loads(NO)
    clock.jump(16 * 86_400)
    district.tick()
    assert district.order(NO).state == "overdue"
    assert district.pickup_code(NO)
    for item, where in places:
        site.gives(NO, item, where)
    assert district.order(NO).state == "collected"


def test_the_journal_is_read_in_pages(district, site):
    for _ in range(5):
        site.says(Up.DOOR_CLOSED, where="A/1", n=1)
    page = district.journal("FT-0001", after=0, limit=2)
    assert (len(page.entries), page.next, page.head.seq) == (2, 2, 5)
    page = district.journal("FT-0001", after=4, limit=2)
    assert (len(page.entries), page.next) == (1, None)
    with pytest.raises(Refused, match=Reason.NOT_FOUND):
        district.journal("FT-9999")


def test_vendors_see_their_own_boxes(district, site, placed):
    (waiting,) = district.to_load("V01")
    assert (waiting.kind, waiting.where, waiting.site.site_id) == ("seal_set", None, "FT-0001")
    assert district.to_load("V02") == []
    site.loads(NO)
    assert district.to_load("V01") == []
    assert [item.where for item in district.where_is("V01")] == ["A/2"]


def test_the_brokers_word_makes_a_site_online(district, clock):
    assert district.sites()[0].online is None
    district.saw("FT-0001", clock.now(), online=True)
    assert district.sites()[0].online is True
    assert district.figures().online == {"FT-0001": True, "FT-0002": False}


def test_movements_are_kept_as_the_site_tells_them(district, site, store, placed):
    site.loads(NO)
    site.gives(NO, placed.items[1].item_id, "A/2")
    with store.read() as connection:
        rows = connection.execute(select(s.site_movements)).all()
    assert [(row.kind, row.place, row.outcome) for row in rows] == [("collect", "A/2", "moved")]


def test_an_order_whose_last_box_was_taken_back_is_returned_and_its_code_dead(
    district, site, placed
):
    (seals, where) = site.loads(NO)[1]
    site.says(
        Up.ITEM_RETURNED,
        item=seals,
        order=NO,
        where=where,
        by="sensor",
        badge="B1",
        reason="overdue",
    )
    assert district.order(NO).state == "returned"
    assert district.order(NO).items[1].state == "returned"
    assert district.order(NO).items[1].cabinet is None
    with pytest.raises(Refused, match=Reason.CONFLICT):
        district.pickup_code(NO)


def test_a_box_that_is_undone_or_found_again_makes_its_order_wait_for_it(district, site, placed):
    (seals, where) = site.loads(NO)[1]
    site.says(Up.ITEM_MISSING, item=seals, order=NO, where=where, badge="B2")
    assert (district.order(NO).state, district.order(NO).items[1].state) == ("ready", "releasing")
    site.says(Up.ITEM_EXPECTED, item=seals, order=NO, where=where, badge="B2")
    assert district.order(NO).state == "partly_loaded"
    assert district.order(NO).items[1].state == "expected"
    with pytest.raises(Refused, match=Reason.CONFLICT):
        district.pickup_code(NO)
    site.says(Up.ITEM_LOADED, item=seals, order=NO, where="A/3", by="sensor", badge="B1")
    site.says(Up.PICKUP_READY, order=NO, expires_at="2026-12-09T16:00:00.000Z")
    assert district.pickup_code(NO)

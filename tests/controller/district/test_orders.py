import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import town
from sqlalchemy import func, select

from controller.codes import keyed_hash, read_typed, typed_hash
from controller.district import schema as s
from controller.district.views import OrderFilter
from controller.entries import Down
from controller.journal import Stream, verify
from controller.refusals import FieldsRefused, Reason, Refused


def refused_fields(district, body):
    with pytest.raises(FieldsRefused) as refused:
        district.place_order(body, "bureau")
    return dict(refused.value.errors)


def placed_entries(store):
    return [data for kind, data in town.told(store) if kind == Down.ORDER_PLACED]


def test_a_placed_order_stands_and_its_site_is_told(district, store):
    placed, new = district.place_order(town.order(), "bureau")
    assert new
    assert placed.state == "placed"
    (words,) = placed_entries(store)
    assert words["order"] == placed.order_no
    assert words["company"] == "深圳市某某科技有限公司"
    assert [item["item_id"] for item in words["items"]] == [i.item_id for i in placed.items]
    assert {item["label"][:4] for item in words["items"]} == {"OWL:"}
    assert words["retention_s"] == 15 * 86_400
    with store.read() as connection:
        assert verify(connection, s.journal, "FT-0001", Stream.DOWN).seq == 2


def test_the_site_knows_the_code_by_the_hashes_that_it_computes_itself(district, store, site):
    district.place_order(town.order(), "bureau")
    site.loads(town.ORDER["order_no"])
    code = district.pickup_code(town.ORDER["order_no"])
    (words,) = placed_entries(store)
    assert words["codes"][0]["qr"] == keyed_hash(b"k" * 16, town.secret_of(code.qr_text))
    assert read_typed(code.typed_code + "0000")
    assert words["codes"][0]["typed"] == [typed_hash(b"s" * 16, code.typed_code, "0000")]


def test_the_same_order_again_changes_nothing(district, store):
    first, _ = district.place_order(town.order(), "bureau")
    again, new = district.place_order(town.order(), "bureau", "key-1")
    assert (again, new) == (first, False)
    assert len(placed_entries(store)) == 1


def test_another_order_of_that_number_is_a_conflict(district, store):
    district.place_order(town.order(), "bureau")
    for client, body in (("bureau", town.order(site_id="FT-0002")), ("other", town.order())):
        with pytest.raises(Refused, match=Reason.CONFLICT):
            district.place_order(body, client)
    assert len(placed_entries(store)) == 1


def test_an_idempotency_key_belongs_to_one_body_of_one_client(district):
    district.place_order(town.order(), "bureau", "key-1")
    another = town.order(order_no="2")
    with pytest.raises(Refused, match=Reason.KEY_REUSED):
        district.place_order(another, "bureau", "key-1")
    assert district.place_order(another, "other", "key-1")[1]


def test_one_order_placed_by_eight_threads_at_once_is_placed_once(district, store):
    gate = threading.Barrier(8)

    def place(_):
        gate.wait()
        return district.place_order(town.order(), "bureau", "key-1")[1]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(place, range(8))) == [False] * 7 + [True]
    assert len(placed_entries(store)) == 1


def test_all_bad_fields_are_named_at_once(district, store):
    body = town.order(
        site_id="FT-9999",
        company={"name": "", "uscc": "91440300MA5FXAM6PA"},
        recipients=[{"name": "张\u202e三", "phone": "110", "role": "boss"}],
        items=[{"kind": "gift", "holder": "drawer", "vendor_id": "V99"}],
        colour="red",
    )
    assert set(refused_fields(district, body)) == {
        "site_id",
        "company.name",
        "company.uscc",
        "recipients[0].name",
        "recipients[0].phone",
        "recipients[0].role",
        "items[0].kind",
        "items[0].holder",
        "items[0].vendor_id",
        "colour",
    }
    assert placed_entries(store) == []


SEALS = {"kind": "seal_set", "holder": "cabinet", "vendor_id": "V01"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": []}, "items"),
        ({"recipients": []}, "recipients"),
        ({"items": [{**SEALS, "item_id": "a"}, {**SEALS, "item_id": "a"}]}, "items[1].item_id"),
        ({"items": [{"kind": "seal_set", "holder": "cabinet"}]}, "items[0].vendor_id"),
        ({"items": [{**SEALS, "holder": "machine"}]}, "items[0].holder"),
        ({"items": [{**SEALS, "seals": ["rubber"]}]}, "items[0].seals[0]"),
        ({"items": [{**SEALS, "seal_codes": ["440304000000"]}]}, "items[0].seal_codes[0]"),
        ({"items": [{**SEALS, "seal_codes": ["4403040000001"] * 2}]}, "items[0].seal_codes"),
        ({"order_no": "a b"}, "order_no"),
        ({"order_no": 7}, "order_no"),
        ({"needs": {"reach": "high"}}, "needs.reach"),
        ({"company": None}, "company"),
        ({"recipients": town.ORDER["recipients"] * 2}, "recipients[1].phone"),
    ],
)
def test_a_bad_field_is_named(district, change, field):
    assert list(refused_fields(district, town.order(**change))) == [field]


def test_a_site_hears_that_a_set_is_filed_and_no_seal_code(district, store):
    codes = ["4403040000001", "4403040000002"]
    sets = [{**SEALS, "seals": ["official", "finance"], "seal_codes": codes}, SEALS]
    district.place_order(town.order(items=sets), "bureau")
    (words,) = placed_entries(store)
    assert [each.get("filed") for each in words["items"]] == [True, None]
    assert not any(code in str(words) for code in codes)


def test_a_born_tomorrow_is_refused_and_a_passport_is_not(district):
    someone = town.ORDER["recipients"][0]
    tomorrow = {**someone, "id_number": "440304209912310011"}
    assert "recipients[0].id_number" in refused_fields(district, town.order(recipients=[tomorrow]))
    passport = {**someone, "id_number": "E12345678"}
    assert district.place_order(town.order(recipients=[passport]), "bureau")[1]


def test_a_site_without_machine_takes_no_item_for_one(district, site):
    site.says("site.started", version="1", compartments=[], machines=[])
    assert list(refused_fields(district, town.order())) == ["items[0].holder"]


def test_an_item_id_of_another_order_is_refused(district, store):
    mine = town.order(items=[{**SEALS, "item_id": "box-1"}])
    assert district.place_order(mine, "bureau")[0].items[0].item_id == "box-1"
    assert list(refused_fields(district, mine | {"order_no": "2"})) == ["items[0].item_id"]
    assert len(placed_entries(store)) == 1


def test_a_sole_traders_name_reaches_no_site_in_full(district, store):
    company = {"name": "李四便利店", "uscc": "92440304MAEXAMP22R"}
    placed, _ = district.place_order(town.order(company=company), "bureau")
    assert placed.company == "李四便利店"
    assert placed_entries(store)[0]["company"] == "李****"


def test_two_open_codes_of_a_site_never_share_their_digits(store, clock):
    district = town.district_on(store, clock)
    drawn = iter([11, 11, 11, 12])
    district._orders._mint = type(district._orders._mint)(below=lambda _: next(drawn))
    for number in ("1", "2"):
        district.place_order(town.order(order_no=number), "bureau")
    with store.read() as connection:
        keys = connection.execute(select(s.codes.c.typed_key)).scalars().all()
    assert len(set(keys)) == 2


def test_each_recipient_has_the_typed_code_with_the_own_phone(district, store):
    someone = town.ORDER["recipients"][0]
    agent = {**someone, "phone": "+85291234567", "role": "agent"}
    district.place_order(town.order(recipients=[someone, agent]), "bureau")
    assert len(placed_entries(store)[0]["codes"][0]["typed"]) == 2


def test_the_site_is_told_whose_phone_may_stand_for_a_card(district, store):
    someone = town.ORDER["recipients"][0]
    card = {**someone, "id_number": "11010519491231002X"}
    agent = {**someone, "phone": "+85291234567", "role": "agent"}
    for number, recipients in enumerate(([card, agent], [card], [agent])):
        district.place_order(town.order(order_no=f"N{number}", recipients=recipients), "bureau")
    mixed, one, none = (each["codes"][0] for each in placed_entries(store))
    assert mixed["without_card"] == [mixed["typed"][1], mixed["tails"][1]]
    assert (len(one["id_hashes"]), none["id_hashes"]) == (1, [])
    assert "without_card" not in one | none


def test_pages_of_orders_show_each_of_the_owners_once(district, store, clock):
    with store.write() as tx:
        for number in range(7):
            row = {"order_no": f"n{number}", "client": "other" if number == 3 else "bureau"}
            tx.connection.execute(
                s.orders.insert().values(
                    **row,
                    site_id="FT-0001",
                    company="c",
                    uscc="u",
                    body="b",
                    state="placed",
                    retention_s=1,
                    placed_at=f"2026-11-24T02:00:0{number // 2}.000Z",
                )
            )
    seen, cursor = [], None
    while True:
        page = district.orders(OrderFilter(client="bureau"), cursor, limit=2)
        seen += [order.order_no for order in page.orders]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ["n6", "n5", "n4", "n2", "n1", "n0"]
    assert district.orders(OrderFilter(state="ready")).orders == ()
    with pytest.raises(FieldsRefused):
        district.orders(OrderFilter(), "nonsense")


def test_another_clients_order_is_not_there(district):
    district.place_order(town.order(), "bureau")
    for ask in (district.order, district.pickup_code):
        with pytest.raises(Refused, match=Reason.NOT_FOUND):
            ask(town.ORDER["order_no"], "other")


def test_nobody_can_read_a_stored_person_or_code_without_the_key(district, store, site, tmp_path):
    paper = {**town.ORDER["recipients"][0], "id_number": "11010519491231002X"}
    district.place_order(town.order(recipients=[paper]), "bureau")
    site.loads(town.ORDER["order_no"])
    code = district.pickup_code(town.ORDER["order_no"])
    with store.write() as tx:
        assert tx.connection.execute(select(func.count()).select_from(s.messages)).scalar() == 1
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    secrets = [town.secret_of(code.qr_text), code.typed_code, code.url.rpartition("/")[2]]
    for text in ("张三", "13800000000", "11010519491231002X", *secrets):
        assert text
        assert text.encode() not in files

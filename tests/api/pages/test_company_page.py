import re
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from controller.codes import read_scan
from controller.district import schema as s
from controller.district.seal import Seal


@pytest.fixture
def token_of(store):
    """The link's token of any order, as the message will have it."""

    def find(order) -> str:
        with store.read() as connection:
            row = connection.execute(
                s.codes.select().where(s.codes.c.order_no == order.order_no)
            ).one()
        return Seal(bytes.fromhex("5" * 64)).open(row.token, f"token {row.code_id}")

    return find


@pytest.fixture
async def see(hall, token_of):
    async def look(order, lang="en"):
        answer = await hall.browser().get(f"/p/{token_of(order)}?lang={lang}")
        assert answer.status_code == 200
        return answer.text

    return look


def set_state(hall, order, state):
    with hall.district.store.write() as transaction:
        transaction.connection.execute(
            s.orders.update().where(s.orders.c.order_no == order.order_no).values(state=state)
        )


async def test_before_it_is_ready_there_is_nothing_to_scan_and_the_page_says_why(hall, see):
    order = hall.order()
    page = await see(order)
    assert "We are getting it ready" in page
    assert "We will text you" in page
    assert '<svg class="qr"' not in page
    assert page.count("On its way") == 2


async def test_half_loaded_is_not_ready_and_shows_what_is_here(hall, see):
    order = hall.order()
    seals = next(item for item in order.items if item.kind == "seal_set")
    hall.says("item.loaded", item=seals.item_id, order=order.order_no, where="A/7", by="sensor")
    page = await see(order)
    assert "Almost there" in page
    assert "Is here" in page
    assert "On its way" in page
    assert "Ready for you" not in page
    assert '<svg class="qr"' not in page


async def test_ready_shows_everything_that_one_needs(hall, see):
    order = hall.order()
    hall.loads(order)
    code = hall.district.pickup_code(order.order_no)
    page = await see(order)
    assert '<svg class="qr"' in page
    assert code.typed_code[:4] in page
    assert code.typed_code[4:] in page
    for words in (
        "深圳市某某科技有限公司",
        "the last four digits of your phone",
        "福田区政务服务中心",
        "福民路123号一楼北门",
        "北门进，右手边第二排",
        "Wednesday 9 December 24:00",
        "15 days left",
        "Any hour, day and night",
        "No forms, no app, no fee",
        "At the cabinet",
        "Is something wrong?",
        "0755-12345",
        order.order_no,
        "official seal, finance seal",
    ):
        assert words in page, words


async def test_the_picture_holds_the_code_that_the_kiosk_reads(hall, token_of):
    order = hall.order()
    hall.loads(order)
    answer = await hall.browser().get(f"/p/{token_of(order)}/qr.png")
    assert answer.headers["content-type"] == "image/png"
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(answer.content)))
    assert found.text == hall.district.pickup_code(order.order_no).qr_text
    assert read_scan(found.text).site == "FT-0001"


async def test_partly_collected_keeps_the_code_for_the_rest(hall, see):
    order = hall.order()
    hall.loads(order)
    hall.collects(order, "seal_set")
    page = await see(order)
    assert "Something is still here" in page
    assert '<svg class="qr"' in page
    assert "Ready for you" in page
    assert "Collected" in page


async def test_once_collected_the_code_is_gone_from_page_and_picture(hall, see, token_of):
    order = hall.order()
    hall.loads(order)
    code = hall.district.pickup_code(order.order_no)
    hall.collects(order)
    page = await see(order)
    assert "All collected" in page
    assert '<svg class="qr"' not in page
    assert code.typed_code[:4] + " " not in page
    assert code.typed_code[4:] not in page
    assert "At the cabinet" not in page
    assert (await hall.browser().get(f"/p/{token_of(order)}/qr.png")).status_code == 404


async def test_overdue_still_opens(hall, see):
    order = hall.order()
    hall.loads(order)
    set_state(hall, order, "overdue")
    page = await see(order)
    assert "Please come soon" in page
    assert "Wednesday 9 December" not in page
    assert '<svg class="qr"' in page


@pytest.mark.parametrize(
    ("state", "words"),
    [("cancelled", "This order was cancelled"), ("returned", "Moved to the hall window")],
)
async def test_a_cancelled_or_returned_order_has_no_code(hall, see, state, words):
    order = hall.order()
    hall.loads(order)
    set_state(hall, order, state)
    page = await see(order)
    assert words in page
    assert '<svg class="qr"' not in page


async def test_a_link_whose_code_was_replaced_says_so(hall, see):
    order = hall.order()
    hall.loads(order)
    with hall.district.store.write() as transaction:
        transaction.connection.execute(s.codes.update().values(state="spent"))
    page = await see(order)
    assert "This link is no longer good" in page
    assert '<svg class="qr"' not in page


WRONG = ["x", "0" * 26, "%00", "龘", "x" * 5000, "' OR 1=1 --", "{{7*7}}"]


@pytest.mark.parametrize("end", ["", "/qr.png", "/live"])
async def test_every_wrong_link_gets_the_same_page(hall, end):
    order = hall.order()
    hall.loads(order)
    browser = hall.browser()
    usual = await browser.get("/p/nothing")
    for token in WRONG:
        answer = await browser.get(f"/p/{token}{end}")
        assert answer.status_code == 404
        assert answer.text == usual.text
        assert "某某科技" not in answer.text


async def test_nobody_is_told_the_address_and_nothing_is_kept(hall, token_of):
    order = hall.order()
    hall.loads(order)
    for path in (f"/p/{token_of(order)}", f"/p/{token_of(order)}/qr.png", "/p/nothing"):
        answer = await hall.browser().get(path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


async def test_looking_three_times_by_get_and_head_changes_nothing(hall, store, token_of):
    order = hall.order()
    hall.loads(order)
    browser, token = hall.browser(), token_of(order)
    with store.read() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        for _ in range(3):
            for path in (f"/p/{token}", f"/p/{token}/qr.png"):
                seen, asked = await browser.get(path), await browser.head(path)
                assert (seen.status_code, asked.status_code) == (200, 200)
                assert asked.content == b""
        assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before
    assert hall.district.order(order.order_no).state == "ready"


async def test_nothing_can_be_written_through_the_link(hall, token_of):
    order = hall.order()
    for method in ("POST", "PUT", "DELETE"):
        answer = await hall.browser().request(method, f"/p/{token_of(order)}")
        assert answer.status_code == 405


async def test_the_page_speaks_chinese_and_english(hall, see, token_of):
    order = hall.order()
    hall.loads(order)
    chinese = await see(order, "zh-CN")
    assert "可以领取了" in chinese
    assert "12月9日 星期三 24:00" in chinese
    assert "公章、财务专用章" in chinese
    browser = hall.browser()
    browser.headers["accept-language"] = "zh-CN,zh;q=0.9,en;q=0.8"
    answer = await browser.get(f"/p/{token_of(order)}")
    assert answer.headers["content-language"] == "zh-CN"
    assert '<html lang="zh-Hans">' in answer.text


async def test_no_person_and_no_phone_is_on_the_page(hall, see):
    order = hall.order()
    hall.loads(order)
    page = await see(order)
    assert "欧阳" not in page
    assert "13812345678" not in page


async def test_a_name_with_rare_characters_and_markup_is_shown_as_it_is(hall, see):
    order = hall.order("𠮷龘<b>某某</b>·某某（有限合伙）")
    page = await see(order)
    assert "𠮷龘&lt;b&gt;某某&lt;/b&gt;·某某（有限合伙）" in page


async def test_the_page_works_without_scripts_and_loads_only_our_own(hall, see):
    order = hall.order()
    hall.loads(order)
    page = await see(order)
    assert not re.search(r"<script(?![^>]*src=\"/static/)", page)
    assert " style=" not in page
    assert not re.search(r"(src|href)=\"https?:", page)
    assert len(page.encode()) < 20_000

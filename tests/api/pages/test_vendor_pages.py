import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw


@pytest.fixture
def stocked(hall):
    """Two vendors' boxes at two sites, some loaded."""
    hall.starts()
    hall.loads(hall.order("甲公司"), "A/7")
    hall.order("乙公司")
    hall.order("丙公司", site="FT-0002", licence=False)
    hall.order("丁公司", vendor="V02")
    return hall


def label_of(hall, company: str) -> str:
    return next(
        item.label
        for vendor in ("V01", "V02")
        for item in hall.district.to_load(vendor) + hall.district.where_is(vendor)
        if item.company == company
    )


def read(svg: str) -> str:
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])
    image = Image.new("L", (size * 4, size * 4), 255)
    pen = ImageDraw.Draw(image)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        left, top = int(x) * 4, int(y) * 4
        pen.rectangle((left, top, left + int(width) * 4 - 1, top + 3), fill=0)
    (found,) = zxingcpp.read_barcodes(image)
    return found.text


async def test_a_vendor_sees_what_to_load_and_where_the_loaded_ones_are(stocked):
    page = (await (await stocked.logged_in("wu")).get("/vendor")).text
    assert "吴记刻章" in page
    assert "2 boxes to load · 1 box in the cabinets" in page
    assert re.search(r"A07</b>.*?甲公司", page, re.DOTALL)
    assert "乙公司" in page
    assert label_of(stocked, "乙公司") in page
    assert page.index("福田区政务服务中心") < page.index("梅林街道办")


async def test_a_vendor_sees_nothing_of_another(stocked):
    mine = await stocked.logged_in("wu")
    theirs = label_of(stocked, "丁公司")
    for path in ("/vendor", "/vendor/labels", f"/vendor/labels?label={theirs}"):
        page = (await mine.get(path)).text
        assert "丁公司" not in page
        assert f"<title>{theirs}</title>" not in page
    other = (await (await stocked.logged_in("li")).get("/vendor")).text
    assert "丁公司" in other
    assert not {"甲公司", "乙公司", "丙公司"} & set(re.findall(r".公司", other))


async def test_no_person_is_on_a_vendors_page(stocked):
    page = (await (await stocked.logged_in("wu")).get("/vendor")).text
    assert "欧" not in page
    assert "5678" not in page


async def test_each_label_is_the_code_that_the_kiosk_expects(stocked):
    page = (await (await stocked.logged_in("wu")).get("/vendor/labels")).text
    codes = {read(svg) for svg in re.findall(r"<svg class=\"qr\".*?</svg>", page, re.DOTALL)}
    assert codes == {label_of(stocked, "乙公司"), label_of(stocked, "丙公司")}
    assert "乙公司" in page


async def test_labels_can_be_had_for_one_site_or_one_box(stocked):
    browser = await stocked.logged_in("wu")
    site = (await browser.get("/vendor/labels?site=FT-0002")).text
    assert "1 label" in site
    assert "丙公司" in site
    one = (await browser.get(f"/vendor/labels?label={label_of(stocked, '乙公司')}")).text
    assert one.count('<svg class="qr"') == 1
    assert "乙公司" in one


@pytest.mark.parametrize(("paper", "sheet"), [("sheet", "labels-sheet"), ("roll", "labels-roll")])
async def test_labels_fit_the_paper_that_is_chosen(stocked, paper, sheet):
    browser = await stocked.logged_in("wu")
    page = (await browser.get(f"/vendor/labels?paper={paper}")).text
    assert f"/static/{sheet}.css" in page
    style = re.search(rf"/static/{sheet}\.css\?v=\w+", page)[0]
    assert "@page" in (await browser.get(style)).text


async def test_nothing_to_load_is_said(hall):
    browser = await hall.logged_in("li")
    assert "Nothing to load" in (await browser.get("/vendor")).text
    assert "Nothing to print" in (await browser.get("/vendor/labels")).text


async def test_a_box_leaves_the_list_when_it_is_loaded(stocked):
    browser = await stocked.logged_in("wu")
    item = next(each for each in stocked.district.to_load("V01") if each.company == "乙公司")
    stocked.says("item.loaded", item=item.item_id, order=item.order_no, where="A/9", by="sensor")
    page = (await browser.get("/vendor")).text
    assert "1 box to load · 2 boxes in the cabinets" in page
    assert re.search(r"A09</b>.*?乙公司", page, re.DOTALL)

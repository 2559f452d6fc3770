import re
from io import BytesIO

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from api.qr import qr_png, qr_svg
from controller.codes import CROCKFORD, qr_text

secrets = st.text(CROCKFORD, min_size=26, max_size=26)
labels = st.from_regex(r"OWL:[A-Za-z0-9_-]{1,64}", fullmatch=True)


def read(png: bytes) -> zxingcpp.Barcode:
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(png)))
    return found


def drawn(svg: str) -> Image.Image:
    """The SVG's dark runs as pixels, read from the markup as a browser would."""
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])
    image = Image.new("L", (size * 4, size * 4), 255)
    pen = ImageDraw.Draw(image)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        left, top = int(x) * 4, int(y) * 4
        pen.rectangle((left, top, left + int(width) * 4 - 1, top + 3), fill=0)
    return image


@settings(max_examples=25, deadline=None)
@given(secrets)
def test_a_pickup_code_is_read_back_from_the_png(secret):
    text = qr_text("FT-0001", secret)
    assert read(qr_png(text)).text == text


@settings(max_examples=25, deadline=None)
@given(labels)
def test_a_label_is_read_back_from_the_svg(text):
    (found,) = zxingcpp.read_barcodes(drawn(qr_svg(text, "label")))
    assert found.text == text


def test_a_pickup_code_fits_the_alphanumeric_mode_with_medium_correction():
    found = read(qr_png(qr_text("FT-0001", "0123456789ABCDEFGHJKMNPQRS")))
    assert found.ec_level == "M"
    # 38 alphanumeric characters are what version 2-M (25 modules) holds; bytes would need more.
    assert 'viewBox="0 0 33 33"' in qr_svg(qr_text("FT-0001", "0" * 26), "x")


def test_the_svg_says_what_it_is_and_lets_no_markup_in():
    svg = qr_svg("OWL:1", "<script>")
    assert 'role="img"' in svg
    assert "<title>&lt;script&gt;</title>" in svg


@pytest.mark.parametrize("edge", ["top", "left"])
def test_a_quiet_zone_surrounds_the_symbol(edge):
    image = Image.open(BytesIO(qr_png("OWL:1"))).convert("L")
    strip = (0, 0, image.width, 48) if edge == "top" else (0, 0, 48, image.height)
    assert image.crop(strip).getextrema() == (255, 255)

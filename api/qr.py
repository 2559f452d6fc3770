"""QR codes as pictures: SVG for pages and print, PNG for who cannot show SVG."""

from io import BytesIO

import qrcode
from markupsafe import Markup
from PIL import Image

QUIET_MODULES = 4  # ISO/IEC 18004: the light margin around the symbol
PNG_MODULE_PX = 12


def qr_svg(text: str, title: str) -> Markup:
    """One path that scales to any size; `title` is what a screen reader says instead."""
    rows = _modules(text)
    size = len(rows)
    path = "".join(
        f"M{start} {y}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _dark_runs(row)
    )
    return Markup(
        '<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"'
        ' role="img" shape-rendering="crispEdges"><title>{title}</title>'
        '<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/><path fill="#000" d="{path}"/></svg>'
    ).format(size=size, title=title, path=path)


def qr_png(text: str) -> bytes:
    """Black on white, each module a whole number of pixels."""
    rows = _modules(text)
    size = len(rows)
    small = Image.new("1", (size, size))
    small.putdata([0 if dark else 1 for row in rows for dark in row])
    large = small.resize((size * PNG_MODULE_PX, size * PNG_MODULE_PX), Image.Resampling.NEAREST)
    stream = BytesIO()
    large.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _modules(text: str) -> list[list[bool]]:
    """The symbol with its quiet zone, dark is true. One segment, in the densest mode that fits."""
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_MODULES, box_size=1
    )
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return [[bool(dark) for dark in row] for row in code.get_matrix()]


def _dark_runs(row: list[bool]) -> list[tuple[int, int]]:
    """Start and length of each unbroken dark stretch."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs

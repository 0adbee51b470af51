"""A coupon's code as tills' scanners read it: a QR code and a Code 128 barcode, drawn as SVG on white."""

import itertools
from io import BytesIO

import barcode
import segno
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_QUIET = 10  # modules left white at both ends of a barcode, as its standard asks for
_HEIGHT = 40


def qr_code(code: str) -> SafeString:
    """The code as a QR code; "M" stands a smudge on a print."""
    drawn = BytesIO()
    segno.make(code, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, border=4, omitsize=True, svgclass="portal-qr", lineclass=None, dark="#000"
    )
    return mark_safe(drawn.getvalue().decode())  # nosec B308 B703 # digits, drawn by segno


def bar_code(code: str) -> SafeString:
    """The code as a Code 128 barcode. As tall as it is told to be, and as wide as there is room."""
    modules = barcode.get("code128", code).build()[0]
    bars, at = [], _QUIET
    for dark, run in itertools.groupby(modules):
        width = len(list(run))
        if dark == "1":
            bars.append(f"M{at} 0h{width}v{_HEIGHT}h-{width}z")
        at += width
    return format_html(
        '<svg class="portal-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" shape-rendering="crispEdges"'
        ' xmlns="http://www.w3.org/2000/svg"><path fill="#000" d="{}"/></svg>',
        at + _QUIET, _HEIGHT, "".join(bars),
    )  # fmt: skip


def in_groups(code: str) -> str:
    """The code in groups of four, to be read out."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))

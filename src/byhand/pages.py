"""What the HTML pages share: figures inline, and one look."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from byhand.errors import needs_extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

STYLE_SHEET = Path(__file__).with_name("report.css")
"""The style sheet of the reports."""


def svg_of(figure: Figure) -> str:
    """A figure as SVG: text kept as text, coordinates to a hundredth of a point, and the same every time."""
    with needs_extra("figures"):
        import matplotlib as mpl
    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "byhand", "font.sans-serif": ["DejaVu Sans", "sans-serif"]}
    ):
        tight = None if figure.get_layout_engine() else "tight"  # a layout leaves nothing outside, and "tight" is slow
        figure.savefig(buffer, format="svg", bbox_inches=tight, metadata=nothing)
    return re.sub(r'\b(?:d|x|y)="[^"]*"', _rounded, buffer.getvalue())


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), 2) + 0:g}", attribute[0])


def inline_svg(svg: str, alt: str, prefix: str) -> str:
    """Make an SVG file fit to stand in a page among others.

    Ids that nothing refers to are dropped, the others begin with `prefix`, since in one page an id may stand once;
    the text takes the page's font; and `alt` is what a screen reader reads.
    """
    root = ElementTree.fromstring(svg)
    for group in root.findall(f".//{{{SVG}}}g[@id='patch_1']/.."):
        group.remove(group[0])  # matplotlib's background, so that the figure stands on the page's
    used = set(re.findall(r"#([^\s)\"']+)", svg))
    for element in root.iter():
        for name, value in list(element.attrib.items()):
            if name == "id":
                del element.attrib[name]
                if value in used:
                    element.set(name, prefix + value)
            elif name == f"{{{XLINK}}}href":
                del element.attrib[name]
                element.set("href", re.sub(r"^#", f"#{prefix}", value))
            else:
                element.set(name, _plain_attribute(value, prefix))
        for child in element.findall(f"{{{SVG}}}style"):
            element.remove(child)  # a rule for `*`, which would hold for the whole page
    root.set("role", "img")
    root.set("aria-label", alt)
    ElementTree.register_namespace("", SVG)
    return re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode"))


def _plain_attribute(value: str, prefix: str) -> str:
    value = re.sub(r"font-family:[^;]*;?\s*", "", value)
    return re.sub(r"url\(#", f"url(#{prefix}", value)

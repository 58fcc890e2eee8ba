"""A figure's SVG inside a page: as an image of its own, so that no two figures share names of parts."""

import base64
import math
import re
from xml.etree import ElementTree

PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "mm": 96 / 25.4, "cm": 96 / 2.54}
"""CSS pixels of a unit of length (CSS Values and Units 3, section 6.2)."""


def source(svg: str) -> str:
    """The address of an image that is inside the page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def size(svg: str) -> tuple[int, int]:
    """Width and height in CSS pixels. Raises ValueError where an SVG says neither those nor a viewBox."""
    root = ElementTree.fromstring(svg)
    found = [_pixels(root.get(side, "")) for side in ("width", "height")]
    if not all(found):
        found = [float(x) for x in root.get("viewBox", "").replace(",", " ").split()[2:]]
    if len(found) != 2 or not all(found):
        raise ValueError("this SVG has no size: give its root a width and a height")
    return math.ceil(found[0]), math.ceil(found[1])


def _pixels(length: str) -> float:
    match = re.fullmatch(r"([\d.]+)(px|pt|in|mm|cm|)", length)
    return float(match[1]) * PIXELS[match[2]] if match else 0.0

"""Where the name of a point may stand: beside it, and on no other point, line or name if there is such a place."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in pixels."""

NEAR = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0), (0.0, 1.6), (0.0, -1.6), (1.3, 0.0), (-1.3, 0.0))
FAR = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0), (0.0, 1.0), (0.0, -1.0))
RINGS = (*NEAR, *((x * far, y * far) for far in (2.2, 3.4) for x, y in FAR))
"""Tried in this order, in steps of a name's size: near first."""
LED = 2.0
"""Steps from which on a thin line leads back to the point."""
HIGH, WIDE, POINT = 3.6, 2.2, 3.0
"""Points: half a name's height, half a letter's width, half a mark."""
OUTSIDE = 20
"""How much worse a pixel outside the panel is than one on top of something."""


def names(
    ax: Axes, texts: Sequence[str], xy: npt.NDArray[np.float64], lines: Iterable[Sequence[float]], looks: Sequence[str]
) -> Axes:
    """Write `texts` beside the points `xy` of a panel that is laid out, the first ones first.

    `lines`: what else is drawn, as (x, y, x, y) of straight upright or level lines, in data units;
    `looks`: a colour a text.
    """
    scale = float(ax.figure.dpi) / 72
    at = ax.transData.transform(xy) if len(xy) else xy
    taken: list[Box] = [_box(x, y, POINT * scale, POINT * scale) for x, y in at]
    taken += [_line(ax, line) for line in lines]
    for i, text in enumerate(texts):
        x, y = at[i]
        half = WIDE * scale * len(text)
        centres = [(dx * (POINT * scale + half), dy * 7 * scale) for dx, dy in RINGS]
        boxes = [_box(x + dx, y + dy, half, HIGH * scale) for dx, dy in centres]
        others = taken[:i] + taken[i + 1 :]
        best = int(np.argmin([_cost(box, others, ax) for box in boxes]))
        taken.append(boxes[best])
        lead: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.4, "color": "0.5", "shrinkA": 0, "shrinkB": 1.5}
        ax.annotate(
            text,
            (float(xy[i][0]), float(xy[i][1])),
            (centres[best][0] / scale, centres[best][1] / scale),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=6.5,
            color=looks[i],
            zorder=4,
            arrowprops=lead if max(map(abs, RINGS[best])) >= LED else None,
        )
    return ax


def _box(x: float, y: float, half: float, high: float) -> Box:
    return x - half, y - high, x + half, y + high


def _line(ax: Axes, line: Sequence[float]) -> Box:
    """A line of a pixel's width either way, at the panel's edge where it leads out of it."""
    ends = ax.transData.transform(np.asarray(line, dtype=np.float64).reshape(2, 2))
    (left, low), (right, high) = np.sort(ends, axis=0)
    return float(left) - 1, float(low) - 1, float(right) + 1, float(high) + 1


def _cost(box: Box, others: Iterable[Box], ax: Axes) -> float:
    """Area shared with what is there, in pixels, and what is outside the panel."""
    inside = ax.bbox
    outside = (inside.x0 - box[0], box[2] - inside.x1, inside.y0 - box[1], box[3] - inside.y1)
    shared = sum(
        max(0.0, min(box[2], b[2]) - max(box[0], b[0])) * max(0.0, min(box[3], b[3]) - max(box[1], b[1]))
        for b in others
    )
    return shared + OUTSIDE * sum(max(0.0, float(edge)) for edge in outside)

"""Reports to draw, and what of a figure can be read without looking at pixels."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from senet_lab.results import report


@pytest.fixture
def answer(question, planned, records):
    """The reduction-ratio sweep: 20 seeds, two missing."""
    return report.analyse(question, planned, records)


@pytest.fixture
def analysed(make):
    """question, row label -> wrong images per seed -> report."""

    def analyse(question, wrong: Mapping[str, Sequence[int]]):
        planned = make.plan(question)
        return report.analyse(question, planned, make.records(planned, wrong))

    return analyse


@pytest.fixture
def written():
    """What is written in a figure, without ticks that are out of sight."""

    def texts(figure: Figure) -> list[Text]:
        found = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
        found += [t for t in (figure._supxlabel, figure._supylabel) if t is not None]
        for ax in (ax for ax in figure.axes if ax.get_visible()):
            found += [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax._left_title]
            ticks = [tick for axis in (ax.xaxis, ax.yaxis) for tick in axis._update_ticks()]  # those in sight
            found += [tick.label1 for tick in ticks]
        unique = {id(t): t for t in found if t.get_visible() and t.get_text().strip()}
        return [*unique.values()]

    return texts


@pytest.fixture
def clashes(written):
    """Pairs of texts that overlap by more than a pixel, and texts that leave the figure."""

    def find(figure: Figure, but: Sequence[str] = ()) -> list[tuple[str, ...]]:
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()  # labels move with the ticks that are drawn in the end
        boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in written(figure) if t.get_text() not in but]
        page = figure.bbox
        out = [(text,) for text, b in boxes if b.x0 < -1 or b.y0 < -1 or b.x1 > page.x1 + 1 or b.y1 > page.y1 + 1]
        return out + [
            (one, other)
            for (one, a), (other, b) in combinations(boxes, 2)
            if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
        ]

    return find


@pytest.fixture
def bars():
    """(x, y, lower end, upper end) of every horizontal or upright interval of an axes; NaN without one."""

    def read(ax):
        found = []
        for container in (c for c in ax.containers if isinstance(c, ErrorbarContainer)):
            points, _, lines = container
            for i, (x, y) in enumerate(points.get_xydata()):
                ends = np.full((2, 2), np.nan)
                for line in lines:
                    segment = line.get_segments()[i]
                    ends = segment if len(segment) else ends
                upright = ends[0][0] == ends[1][0]
                found.append((float(x), float(y), *map(float, ends[:, 1 if upright else 0])))
        return found

    return read

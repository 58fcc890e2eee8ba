"""Names of points: beside them, on nothing else."""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from senet_lab.results.figures import placing


def boxes(xy, lines=()):
    figure = Figure(figsize=(4, 4))
    ax = figure.subplots()
    ax.set(xlim=(0, 10), ylim=(0, 10))
    ax.plot(*np.transpose(xy), "o")
    figure.draw_without_rendering()
    placing.names(ax, [str(i) for i in range(len(xy))], np.asarray(xy, dtype=float), lines, ["black"] * len(xy))
    renderer = FigureCanvasAgg(figure).get_renderer()
    return ax, [t.get_window_extent(renderer) for t in ax.texts]


def test_names_of_crowded_points_do_not_overlap_and_stay_inside():
    ax, found = boxes([(5, 5), (5.3, 5.1), (5.1, 4.8), (5.2, 5.4), (9.9, 9.9), (0.1, 0.1)])
    assert not any(a.overlaps(b) for a, b in combinations(found, 2))
    assert all(ax.bbox.x0 < b.x0 and b.x1 < ax.bbox.x1 and ax.bbox.y0 < b.y0 and b.y1 < ax.bbox.y1 for b in found)


def test_names_leave_intervals_and_points_alone():
    lines = [(5, 3, 5, 7), (3, 5, 7, 5)]
    ax, (box,) = boxes([(5, 5)], lines)
    for x0, y0, x1, y1 in lines:
        (left, low), (right, high) = ax.transData.transform([(x0, y0), (x1, y1)])
        assert box.x1 < left or right < box.x0 or box.y1 < low or high < box.y0


def test_no_points_no_names():
    assert placing.names(Figure().subplots(), [], np.empty((0, 2)), [], []).texts[:] == []

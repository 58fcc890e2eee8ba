"""Cost against error, and who is on the front."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from senet_lab.results.figures import cost


def test_the_front_of_four_points_by_hand():
    x, error = np.array([1.0, 2.0, 3.0, 4.0, math.nan]), np.array([5.0, 6.0, 3.0, 3.0, 0.0])
    assert cost.on_front(x, error) == [True, False, True, False, False]


def test_equal_rows_are_both_on_the_front():
    assert cost.on_front(np.array([1.0, 1.0]), np.array([2.0, 2.0])) == [True, True]


def test_the_front_is_that_of_the_definition():
    """Against the plain reading: on the front is who nobody dominates."""
    x, error = np.random.default_rng(0).integers(0, 8, (2, 40)).astype(float)
    beats = [
        [(a <= c and b <= d and (a, b) != (c, d)) for a, b in zip(x, error, strict=True)]
        for c, d in zip(x, error, strict=True)
    ]
    assert cost.on_front(x, error) == [not any(row) for row in beats]


def test_the_frame_has_three_costs_with_the_interval_of_the_seconds(answer):
    marks = answer.figure_data("cost")
    assert marks["cost"].value_counts().to_dict() == {"params": 6, "macs": 6, "seconds": 6}
    assert marks["key"].tolist()[:6] == ["2", "4", "8", "16", "32", "no_se"]
    assert marks.loc[marks["cost"] == "params", "x"].tolist() == answer.summary["params"].tolist()
    front = marks[(marks["cost"] == "params") & marks["on_front"]]
    assert front["variant"].tolist() == ["reduction=2", "no_se"]  # of errors 2.61, 3.03, 2.95, ..., 2.92 %


def test_the_interval_of_the_seconds(make):
    from senet_lab.results import report

    question = make.question(seeds=3, grid={"model.se.reduction": (2,)})
    planned = make.plan(question)
    records = [make.record(p, 30, seconds=s) for p, s in zip(planned, (3.0, 4.0, 3.5, 5.0, 4.0, 5.5), strict=True)]
    marks = report.analyse(question, planned, records).figure_data("cost")
    row = marks[(marks["cost"] == "seconds") & (marks["key"] == "2")].squeeze()
    half = stats.t.isf(0.025, 2) * np.std([3.0, 3.5, 4.0], ddof=1) / math.sqrt(3)
    assert (row["x"], row["x_low"], row["x_high"]) == pytest.approx((3.5, 3.5 - half, 3.5 + half))


def test_the_front_is_drawn_from_the_top_to_the_right_edge(answer):
    ax, marks = answer.figure("cost").axes[0], answer.figure_data("cost")
    edge = marks[(marks["cost"] == "params") & marks["on_front"]].sort_values("x")
    line = next(line for line in ax.get_lines() if line.get_linewidth() == 0.7)
    assert line.get_ydata()[0] == pytest.approx(ax.get_ylim()[1])
    assert line.get_xdata()[-1] == pytest.approx(ax.get_xlim()[1])
    assert list(line.get_xdata()[:-1]) == pytest.approx([x for x in edge["x"] for _ in range(2)])
    assert list(line.get_ydata()[1:]) == pytest.approx([y for y in edge["error_percent"] for _ in range(2)])


def test_the_panels_share_the_errors_and_stand_below_each_other_in_a_column(answer):
    wide, narrow = answer.figure("cost"), answer.figure("cost", 8.5)
    assert len({ax.get_ylim() for ax in wide.axes}) == 1
    assert len({ax.get_position().x0 for ax in narrow.axes}) == 1


def test_rows_with_long_names_get_numbers_and_a_key(make, analysed):
    question = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "tanh"), "model.se.reduction": (2, 4)})
    answer = analysed(question, {row.label: (30, 31) for row in question.rows})
    assert answer.figure_data("cost")["key"].tolist()[:5] == ["1", "2", "3", "4", "5"]
    figure = answer.figure("cost")
    assert figure._supxlabel.get_text().startswith("1 gate=sigmoid,reduction=2   2 gate=sigmoid,reduction=4")
    assert [t.get_text() for t in figure.axes[0].texts if t.get_text().isdigit()]


@pytest.mark.parametrize(
    ("costs", "label", "size"),
    [
        ((19_130, 20_410), "parameters", 1),
        ((19_290, 19_292), "parameters", 1),
        ((3.4e6, 28.1e6), "parameters (millions)", 1e6),
        ((4.1e9, 5.9e9), "parameters (billions)", 1e9),
    ],
)
def test_ticks_stand_where_they_say_in_the_unit_of_the_label(costs, label, size):
    ax = Figure().subplots()
    ax.plot(costs, [1, 2])
    cost.cost_axis(ax, "parameters", pd.Series(costs))
    ax.figure.draw_without_rendering()
    assert ax.get_xlabel() == label
    texts = [t.get_text() for t in ax.get_xticklabels()]
    assert [float(t.replace(",", "")) * size for t in texts] == pytest.approx(list(ax.get_xticks()))
    assert len(set(texts)) == len(texts) > 1


def test_the_caption_says_that_the_front_is_uncertain(answer):
    assert "itself uncertain" in answer.figure_caption("cost")

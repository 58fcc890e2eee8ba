"""Figures: which marks reach the axes. Nothing looks at pixels."""

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from senet_lab.results import beside, figures, load, published, stats, tables


def marks_of(make, question, wrong, paper=None):
    """The figure's data for a synthetic sweep."""
    planned = make.plan(question)
    records = make.records(planned, wrong)
    trials, rows = load.trials(planned, records), load.rows(planned, records)
    return tables.figure_frame(
        stats.summarise(trials, rows), stats.compare(trials, rows, make.against(rows), 0.005), paper
    )


@pytest.fixture
def marks(frames, make, question):
    """The figure's data of the reduction-ratio sweep, with the paper's."""
    trials, rows = frames
    comparison = stats.compare(trials, rows, make.against(rows), 0.005)
    paper = beside.join(published.load("reduction_ratio"), question.rows, comparison)
    return tables.figure_frame(stats.summarise(trials, rows), comparison, paper)


def test_one_numeric_factor_is_drawn_along_it(marks):
    figure = figures.draw(marks, "model.se.reduction", "no_se", 0.005)
    error, difference, parameters = figure.axes
    assert error.get_xscale() == "log"
    assert [t.get_text() for t in error.get_xticklabels()] == ["2", "4", "8", "16", "32"]
    assert error.get_xlabel() == "reduction ratio r"
    assert "no_se" in difference.get_title(loc="left")
    assert parameters.get_title(loc="left") == "c  parameters"
    named = {t.get_text() for t in figure.legends[0].get_texts()}
    assert named == {
        "no_se, mean and 95 % interval",
        "this sweep, n = 18 to 20",
        "paper on ImageNet, v4 (n = 1)",
        "paper on ImageNet, CVPR (n = 1)",
        "equivalence margin, 0.5 points",
    }


def test_panels_take_and_return_their_axes_and_draw_the_frame(marks):
    ax = Figure().subplots()
    assert figures.across(marks, "difference", ax) is ax
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert drawn["paper on ImageNet, v4 (n = 1)"] == [-1.01, -1.05, -1.04, -1.02, -0.58]
    markers = {line.get_marker() for line in ax.get_lines() if "paper" in str(line.get_label())}
    assert markers == {"s", "^"}  # told apart without colour


def test_the_control_has_its_band_in_the_legend(marks):
    legend = figures.draw(marks, "model.se.reduction", "no_se", 0.005).legends[0]
    band = figures.across(marks, "error", Figure().subplots()).patches[0].get_facecolor()
    assert band in [patch.get_facecolor() for patch in legend.findobj(Rectangle)]


def test_a_control_without_an_interval_claims_none(make):
    question = make.question(seeds=1)
    marks = marks_of(make, question, {row.label: (30,) for row in question.rows})
    ax = figures.across(marks, "error", Figure().subplots())
    assert "no_se, mean" in ax.get_legend_handles_labels()[1]


def test_a_short_span_keeps_a_linear_axis(make):
    question = make.question(seeds=2, grid={"train.learning_rate": (0.12, 0.15, 0.2)})
    wrong = {row.label: (30, 31) for row in question.rows}
    error = figures.draw(marks_of(make, question, wrong), "train.learning_rate", "no_se", 0.005).axes[0]
    assert (error.get_xscale(), error.get_xlabel()) == ("linear", "learning rate")


def test_any_other_sweep_gets_a_line_per_row(make):
    question = make.question(seeds=6, grid={"model.se.gate": ("sigmoid", "tanh"), "model.se.reduction": (2, 4)})
    wrong = {row.label: (30, 31, 27, 33, 29, 30) for row in question.rows[1:]}
    error = figures.draw(marks_of(make, question, wrong), None, "no_se", 0.005).axes[0]
    labels = [t.get_text() for t in error.get_yticklabels()]
    assert labels[0] == "gate=sigmoid,reduction=2  (n = 0)"
    assert labels[-1] == "no_se  (n = 6)"
    assert error.get_ylim() == (4.5, -0.5)  # the first row on top


@pytest.mark.parametrize(("low", "high"), [(19290, 19292), (19290, 19290), (17000, 25000)])
def test_counts_are_labelled_where_they_stand(low, high):
    ax = Figure().subplots()
    ax.plot([low, high], [0, 1], "o")
    figures.thousands(ax.xaxis)
    ax.figure.draw_without_rendering()
    ticks = [(x, t.get_text()) for x, t in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)]
    assert ticks and all(text == f"{int(x):,}" and x == int(x) for x, text in ticks)


def test_one_categorical_factor_is_no_number(make):
    question = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "tanh")})
    assert not figures.is_numeric(marks_of(make, question, {}))


def test_the_papers_points_stand_under_ours_where_rows_are_drawn(marks):
    """Rows that lie along no number: one marker a document, beside the row's own point and inside the panel."""
    ax = figures.by_row(marks.assign(value=None), "difference", Figure().subplots())
    drawn = {str(line.get_label()): line for line in ax.get_lines() if "paper" in str(line.get_label())}
    assert [*drawn] == ["paper on ImageNet, v4 (n = 1)", "paper on ImageNet, CVPR (n = 1)"]
    assert list(drawn["paper on ImageNet, v4 (n = 1)"].get_xdata()) == [-1.01, -1.05, -1.04, -1.02, -0.58]
    places = [line.get_ydata() for line in drawn.values()]
    assert list(places[1]) == pytest.approx([1.36, 2.36, 3.36, 4.36])  # CVPR has no r = 2
    assert max(map(max, places)) < max(ax.get_ylim())


def test_long_baselines_fold_in_the_title(make):
    question = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "tanh")})
    marks = marks_of(make, question, {row.label: (30, 31) for row in question.rows})
    title = figures.draw(marks, None, "the same network without SE", 0.01).axes[1].get_title(loc="left")
    assert title.split("\n") == ["b  difference to the same network", "without SE", "(points), joint 95 % CI"]


def test_the_interval_of_a_single_comparison_is_not_called_joint(make):
    question = make.question(seeds=2, grid={"model.se.reduction": (2,)})
    marks = marks_of(make, question, {row.label: (30, 31) for row in question.rows})
    title = figures.draw(marks, None, "no_se", 0.01).axes[1].get_title(loc="left")
    assert "95 % CI" in title and "joint" not in title


@pytest.mark.parametrize("done", [0, 1, 2])
def test_few_trials_give_a_figure_too(make, done, tmp_path):
    question = make.question(seeds=2)
    wrong = {row.label: (30, 33)[:done] for row in question.rows}
    figure = figures.draw(marks_of(make, question, wrong), "model.se.reduction", "no_se", 0.005)
    figure.savefig(tmp_path / "figure.png")


def test_nothing_global_is_left_behind(marks):
    before = dict(mpl.rcParams)
    copy = marks.copy()
    figures.draw(marks, "model.se.reduction", "no_se", 0.005)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(marks, copy)

"""Test errors: means with intervals at their places, and the seeds behind them."""

import pytest

from senet_lab.results.figures.along import along, counted, stacked


def test_the_frame_holds_means_and_seeds(answer):
    marks = answer.figure_data("error")
    means = marks[marks["mark"] == "mean"]
    assert means["error_percent"].tolist() == (100 * answer.summary["mean"]).tolist()
    assert means["low_percent"].tolist() == (100 * answer.summary["ci_low"]).tolist()
    assert means["n"].tolist() == [20, 20, 18, 20, 20, 20]
    seeds = marks[(marks["mark"] == "seed") & (marks["variant"] == "reduction=8")]
    assert len(seeds) == 18 and seeds["error_percent"].mean() == pytest.approx(means["error_percent"].iloc[2])


def test_one_numeric_factor_is_drawn_along_it(answer, bars):
    ax = answer.figure("error").axes[0]
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "reduction ratio r (log scale); n = 18 to 20 seeds"
    ticks = [t.get_text() for t in ax.get_xticklabels()]
    assert ticks == [
        *(f"{r}\nn = {n}" for r, n in zip((2, 4, 8, 16, 32), (20, 20, 18, 20, 20), strict=True)),
        "no_se\nn = 20",
    ]
    drawn, summary = bars(ax), answer.summary
    assert [x for x, *_ in drawn] == pytest.approx([2, 4, 8, 16, 32, 32 * 2**1.2])
    assert [y for _, y, *_ in drawn] == pytest.approx((100 * summary["mean"]).tolist())
    assert [low for *_, low, _ in drawn] == pytest.approx((100 * summary["ci_low"]).tolist())
    assert [high for *_, high in drawn] == pytest.approx((100 * summary["ci_high"]).tolist())


def test_every_seed_is_a_point_left_of_its_mean(answer):
    ax = answer.figure("error").axes[0]
    faint = [line for line in ax.get_lines() if line.get_markersize() == 2.4]
    assert [len(line.get_xdata()) for line in faint] == [20, 20, 18, 20, 20, 20]
    for place, line in zip([2, 4, 8, 16, 32, 32 * 2**1.2], faint, strict=True):
        assert place / 2**0.5 < min(line.get_xdata()) and max(line.get_xdata()) < place
        assert len(set(zip(line.get_xdata(), line.get_ydata(), strict=True))) == len(line.get_xdata())


def test_a_short_span_keeps_a_linear_axis_and_controls_stand_beside_it(make, analysed, bars):
    """The controls carry the base's learning rate, 0.1: they are no points along it."""
    grid = {"train.learning_rate": (0.12, 0.15, 0.2)}
    question = make.question(seeds=2, grid=grid, controls=("no_se", "no_squeeze"))
    answer = analysed(question, {row.label: (30, 31) for row in question.rows})
    ax = answer.figure("error").axes[0]
    assert (ax.get_xscale(), ax.get_xlabel()) == ("linear", "learning rate; n = 2 seeds")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.12", "0.15", "0.2", "no_se", "no_squeeze"]
    assert [x for x, *_ in bars(ax)] == pytest.approx([0.12, 0.15, 0.2, 0.236, 0.272])


def test_any_other_sweep_gets_a_line_per_row(make, analysed, bars):
    question = make.question(seeds=6, grid={"model.se.gate": ("sigmoid", "tanh"), "model.se.reduction": (2, 4)})
    wrong = {row.label: (30, 31, 27, 33, 29, 30) for row in question.rows[1:]}
    ax = analysed(question, wrong).figure("error").axes[0]
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert (labels[0], labels[-1]) == ("gate=sigmoid,reduction=2", "no_se")
    assert [t.get_text() for t in ax.texts] == ["0", "6", "6", "6", "6", "n"]
    assert ax.get_ylim() == (4.5, -0.5)  # the first row on top
    assert [y for _, y, *_ in bars(ax)] == pytest.approx([-0.14, 0.86, 1.86, 2.86, 3.86])


@pytest.mark.parametrize(
    ("values", "log"), [((2, 4, 8), True), ((1, 2, 3.9), False), ((0, 1, 10), False), ((-1, 5), False)]
)
def test_a_log_axis_is_for_positive_values_that_span_much(values, log):
    assert along({str(v): v for v in values}).log == log


def test_equal_values_stack_and_find_room():
    assert stacked([1.0, 2.0, 1.0, 1.0], room=10, pitch=0.5) == [0, 0, 0.5, 1.0]
    assert max(stacked([1.0] * 50, room=0.3, pitch=0.5)) == pytest.approx(0.3)
    assert stacked([], 1, 1) == []


def test_n_in_words():
    assert [counted([20, 20], "seed"), counted([1], "seed"), counted([2, 5], "seed"), counted([])] == [
        "n = 20 seeds", "n = 1 seed", "n = 2 to 5 seeds", "n = 0",
    ]  # fmt: skip

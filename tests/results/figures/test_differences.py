"""The forest plot: intervals, verdicts and n in the order of the table."""

import pytest

from senet_lab.results.figures import differences, style


def test_the_rows_are_drawn_in_points_with_their_joint_intervals(answer, bars):
    ax, compared = answer.figure("differences").axes[0], answer.comparison
    drawn = bars(ax)
    assert [y for _, y, *_ in drawn] == [0, 1, 2, 3, 4]
    assert [x for x, *_ in drawn] == pytest.approx((100 * compared["delta"]).tolist())
    assert [low for *_, low, _ in drawn] == pytest.approx((100 * compared["delta_low"]).tolist())
    assert [high for *_, high in drawn] == pytest.approx((100 * compared["delta_high"]).tolist())
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"reduction={r}" for r in (2, 4, 8, 16, 32)]


def test_verdict_and_n_stand_at_the_right_edge(answer):
    ax = answer.figure("differences").axes[0]
    texts = [t.get_text() for t in ax.texts]
    assert texts[:6] == ["20", "20", "18", "20", "20", "n"]
    assert texts[6:12] == [*answer.comparison["verdict"], "verdict"]
    assert {"← better", "worse →"} <= set(texts)


def test_the_margin_is_shaded(answer):
    ax = answer.figure("differences").axes[0]
    span = ax.patches[0]
    assert (span.get_x(), span.get_width()) == pytest.approx((-0.5, 1.0))
    assert span.get_label() == "within the margin of 0.5 points"


def test_a_difference_that_does_not_matter_says_both(answer):
    row = answer.figure_data("differences").iloc[0]
    assert differences.words(row.replace({"verdict": row["verdict"]})) == "better"
    assert differences.words(row.copy().where(row.index != "within_margin", True)) == "better,\nwithin margin"


def test_marks_follow_the_verdict(make, analysed):
    question = make.question(seeds=6, grid={"model.se.gate": ("sigmoid", "tanh", "relu")})
    wrong = {
        "gate=sigmoid": (10, 11, 10, 9, 10, 11),
        "gate=tanh": (60, 61, 60, 62, 61, 60),
        "gate=relu": (30, 31, 30, 30, 30, 31),
    }
    wrong["no_se"] = (30, 30, 31, 30, 30, 31)
    ax = analysed(question, wrong).figure("differences").axes[0]
    markers = [c[0].get_marker() for c in ax.containers]
    assert markers == [style.VERDICTS[v]["marker"] for v in ("better", "worse", "equivalent")]


def test_counterparts_name_what_they_are_compared_to(make, analysed):
    plain = {"A": {"model.depth": 6}, "B": {"model.depth": 10}}
    rows = {
        f"{se}{name}": base | ({"model.se.reduction": 2} if se else {})
        for name, base in plain.items()
        for se in ("", "SE-")
    }
    question = make.question(seeds=3, variants=rows, counterpart={"model.se": None}, controls=())
    answer = analysed(question, {label: (30, 31, 33) for label in rows})
    assert answer.figure_data("differences")[["variant", "baseline"]].to_numpy().tolist() == [
        ["SE-A", "A"],
        ["SE-B", "B"],
    ]
    assert "to the same network without SE (points)" in answer.figure("differences").axes[0].get_xlabel()
    assert "dashed" not in answer.figure_caption("error")  # two baselines: no one line


def test_the_caption_counts_pairs_and_intervals(answer, make, analysed):
    assert "(n = 18 to 20 pairs a row); the 5 intervals hold jointly at 95 %" in answer.figure_caption("differences")
    question = make.question(seeds=2, grid={"model.se.reduction": (2,)})
    assert "95 % Student t" in analysed(question, {}).figure_caption("differences")

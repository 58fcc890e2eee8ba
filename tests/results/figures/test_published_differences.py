"""The paper's differences beside ours."""

import math

import pytest

from senet_lab.results import published


def test_the_papers_points_and_what_their_test_images_leave(answer):
    marks = answer.figure_data("published")
    v4 = marks[marks["source"] == "v4"]
    assert v4["delta_points"].tolist() == pytest.approx([-1.01, -1.05, -1.04, -1.02, -0.58])
    assert marks[marks["source"] == "CVPR"]["delta_points"].round(2).tolist() == [-1.59, -1.61, -1.51, -1.40]
    # v4 Table 10, r = 16: 22.28 %, without SE 23.30 %, on 50,000 images each
    half = 1.959964 * math.sqrt((0.2228 * 0.7772 + 0.2330 * 0.7670) / 50_000)
    row = v4.iloc[3]
    assert (row["low_points"], row["high_points"]) == pytest.approx((-1.02 - 100 * half, -1.02 + 100 * half))
    assert half == pytest.approx(0.0052, abs=5e-5)
    assert set(marks.loc[marks["source"] != "ours", "interval"]) == {"test images"}


def test_ours_is_the_comparison_of_the_report(answer):
    marks = answer.figure_data("published")
    ours = marks[marks["source"] == "ours"]
    assert ours["delta_points"].tolist() == pytest.approx((100 * answer.comparison["delta"]).tolist())
    assert ours["n"].tolist() == [20, 20, 18, 20, 20]


@pytest.mark.parametrize("name", ["differences", "published"])
def test_filled_is_a_difference_that_is_found(answer, name):
    """In both figures, as they stand on one page; the paper's one run finds none."""
    drawn = [c[0] for c in answer.figure(name).axes[0].containers if not c.get_label().startswith("paper")]
    filled = [line.get_markerfacecolor() != "white" for line in drawn]
    assert filled == answer.comparison["verdict"].isin(["better", "worse"]).tolist() and len(set(filled)) == 2
    theirs = [c[0] for c in answer.figure("published").axes[0].containers if c.get_label().startswith("paper")]
    assert {line.get_markerfacecolor() for line in theirs} == {"white"}
    assert "filled marks: a difference is found (Holm)" in answer.figure_caption(name)


def test_a_group_of_marks_a_row_and_the_signs_at_the_edge(answer, bars):
    ax = answer.figure("published").axes[0]
    places = [y for _, y, *_ in bars(ax)]
    assert places[:5] == pytest.approx([-0.12, 0.12, 0.76, 1.0, 1.24])  # r = 2 is not in the CVPR paper
    texts = [t.get_text() for t in ax.texts]
    verdicts = answer.comparison["verdict"][1:]
    assert texts[:6] == ["agrees", *(f"ours {verdict}" for verdict in verdicts), "sign"]


def test_two_data_sets_of_one_paper_look_different(make, analysed):
    from senet_lab import catalog

    question = catalog.read(catalog.find("cifar_architectures"))
    ax = analysed(question, {row.label: (30, 31, 33) for row in question.rows}).figure("published").axes[0]
    looks = {c[0].get_marker() for c in ax.containers}
    labels = {c.get_label() for c in ax.containers}
    assert len(looks) == len(labels) == 3
    assert "paper, v4 CIFAR-100 (n = 1), test images only" in labels


def test_the_caption_says_what_the_lines_are(answer):
    assert "50,000 test images alone leave at 95 %" in answer.figure_caption("published")
    assert published.TEST_IMAGES["ImageNet"] == 50_000

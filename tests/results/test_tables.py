"""What people read: percent, n, intervals and verdicts; what files hold: fractions."""

import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from senet_lab.results import beside, published, stats, tables


@pytest.fixture
def results(frames, make):
    """(summary, comparison) of the synthetic sweep."""
    trials, rows = frames
    return stats.summarise(trials, rows), stats.compare(trials, rows, make.against(rows), 0.005)


def shown(table, width):
    """A rich table as lines of text."""
    text = io.StringIO()
    Console(file=text, width=width).print(table)
    return text.getvalue().splitlines()


def test_a_row_in_words(results):
    frame = tables.report_frame(*results).set_index("variant")
    assert frame.loc["reduction=2"].tolist() == [
        "18,280", "1,151,280", "20", "2.61 [2.43,2.79]", "-0.64 [-0.99,-0.29]", "better",
    ]  # fmt: skip
    assert frame.loc["no_se", [tables.DIFFERENCE, "verdict"]].tolist() == ["-", "baseline"]
    assert frame.loc["reduction=32", "verdict"] == "undecided: about 69 more seeds (5 min)"


def test_one_comparison_has_no_joint_interval(make):
    trials, rows = make.frames({"a": [0.02, 0.03], "base": [0.01, 0.03]})
    compared = stats.compare(trials, rows, {"a": "base"}, 0.005)
    assert "Δ points [95 %]" in tables.report_frame(stats.summarise(trials, rows), compared)


def test_counterparts_stand_beside_each_other_and_baselines_say_so(make):
    rows = {"A": [0.02, 0.03], "SE-A": [0.01, 0.03], "B": [0.2, 0.3], "SE-B": [0.2, 0.28], "C": [0.1, 0.1]}
    trials, frame = make.frames(rows)
    compared = stats.compare(trials, frame, {"SE-A": "A", "SE-B": "B"}, 0.005)
    table = tables.report_frame(stats.summarise(trials, frame), compared).set_index("variant")
    assert table.index.tolist() == [*rows]
    assert table.loc[["A", "B", "C"], "verdict"].tolist() == ["baseline", "baseline", "not compared"]
    assert table.loc["SE-B", tables.DIFFERENCE].startswith("-1.00 [")
    full = tables.full_frame(stats.summarise(trials, frame), compared).set_index("variant")
    assert full["baseline"].dropna().to_dict() == {"SE-A": "A", "SE-B": "B"}


def test_missing_seeds_show(results):
    assert tables.report_frame(*results).set_index("variant").loc["reduction=8", "n"] == "18/20"


def test_rows_without_trials_have_no_numbers(make):
    trials, rows = make.frames({"a": [], "b": [0.03], "base": []}, wanted=2)
    frame = tables.report_frame(
        stats.summarise(trials, rows), stats.compare(trials, rows, make.against(rows, "base"), 0.005)
    )
    assert frame[tables.ERROR].tolist() == ["-", "3.00", "-"]
    assert frame["n"].tolist() == ["0/2", "1/2", "0/2"]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_terminal_table_loses_nothing_to_the_edge(results, width):
    frame, caption = tables.report_frame(*results), "every word of the caption stays " * 5
    lines = shown(tables.terminal(frame, "title", caption, width), width)
    words = " ".join(lines).split()
    assert max(map(len, lines)) <= width
    assert lines[0].strip() == "title"
    assert words.count("caption") == 5
    for cell in frame.to_numpy().ravel():
        assert set(cell.split()) <= set(words)


def test_long_labels_are_folded():
    frame = pd.DataFrame({"variant": ["x" * 60], "n": ["20"], "verdict": ["undecided: about 45 more seeds (3 min)"]})
    lines = shown(tables.terminal(frame, "", "", 80), 80)
    assert "".join(lines).count("x") == 60


@pytest.mark.parametrize(
    ("label", "width", "lines"),
    [
        ("reduction=2,gate=sigmoid", 24, ["reduction=2,gate=sigmoid"]),
        ("reduction=16,gate=sigmoid,interrupted=yes", 24, ["reduction=16,", "gate=sigmoid,", "interrupted=yes"]),
        ("Shake-Even 29 2x4x64d + Cutout", 24, ["Shake-Even 29 2x4x64d +", "Cutout"]),
        ("model.se.reduction=16", 16, ["model.se.", "reduction=16"]),
        ("x" * 30, 24, ["x" * 24, "x" * 6]),
        ("", 24, [""]),
    ],
)
def test_labels_are_folded_between_words(label, width, lines):
    assert tables.fold(label, width).split("\n") == lines


def test_no_table_cuts_a_word_of_a_label(results):
    frame = tables.report_frame(*results)
    frame["variant"] = [f"{label},gate=hard_sigmoid,interrupted=yes" for label in frame["variant"]]
    for width in (60, 80, 100, 140):
        shown_ = " ".join(shown(tables.terminal(frame, "", "", width), width)).split()
        for word in ("reduction=32,", "gate=hard_sigmoid,", "interrupted=yes"):
            assert word in shown_, (width, word)


def test_labels_are_no_markup():
    frame = pd.DataFrame({"variant": ["stages=[bold]2+3[/]"], "verdict": ["better"]})
    assert any("stages=[bold]2+3[/]" in line for line in shown(tables.terminal(frame, "", ""), 100))


def test_markdown(results):
    lines = tables.markdown(tables.report_frame(*results), "Results", "What it means.").splitlines()
    assert lines[0] == "## Results"
    assert lines[2].startswith("| variant | params | mult-adds | n |")
    assert lines[3].startswith("| --- | ---: |")
    assert lines[4].endswith("| better |")
    assert lines[-1] == "What it means."
    assert "a\\|b" in tables.markdown(pd.DataFrame({"variant": ["a|b"]}), "", "")


def test_the_full_table_keeps_fractions_and_every_statistic(results):
    summary, comparison = results
    frame = tables.full_frame(summary, comparison)
    assert set(stats.COLUMNS) <= set(frame.columns)
    assert frame["mean"].tolist() == summary["mean"].tolist()
    assert frame.loc[frame["variant"] == "no_se", "delta"].isna().all()


def test_what_the_figure_draws(results, question):
    summary, comparison = results
    paper = beside.join(published.load("reduction_ratio"), question.rows, comparison)
    marks = tables.figure_frame(summary, comparison, paper)
    assert Counter(zip(marks["panel"], marks["source"], strict=True)) == {
        ("error", "ours"): 6,
        ("difference", "ours"): 5,
        ("difference", "v4"): 5,
        ("difference", "CVPR"): 4,
        ("parameters", "ours"): 6,
    }
    paper = marks[(marks["source"] == "v4") & (marks["value"] == 16)].squeeze()
    assert (paper["y"], paper["n"], paper["data"], paper["variant"]) == (-1.02, 1, "ImageNet", "reduction=16")
    assert np.isnan(paper["low"])
    ours = marks[(marks["source"] == "ours") & (marks["panel"] == "difference")].iloc[0]
    assert ours["low"] == pytest.approx(100 * comparison["delta_low"][0])


def test_progress(frames):
    trials, rows = frames
    counts = {"reduction=2": Counter(done=3, running=2, failed=1), "no_se": Counter(done=20)}
    lines = shown(tables.live(rows, counts, stats.summarise(trials, rows)), 80)
    cells = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    assert cells["reduction=2"] == ["3", "1", "2", "20", "2.61", "[2.43,2.79]"]
    assert cells["reduction=4"][:4] == ["0", "-", "-", "20"]
    assert cells["no_se"][:4] == ["20", "-", "-", "20"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(pd.NA, "-"), (950, "950"), (1_151_280, "1,151,280"), (28_088_024, "28.1 M"), (3.87e9, "3.87 G")],
)
def test_counts(number, text):
    assert tables.count(number) == text


@pytest.mark.parametrize("width", [72, 80, 90, 100, 140])
def test_neither_verdicts_nor_numbers_are_cut_whatever_the_width(results, width):
    frame = tables.report_frame(*results)
    frame["variant"] = [f"{label},gate=sigmoid" for label in frame["variant"]]
    text = "\n".join(shown(tables.terminal(frame, "", "", width), width))
    assert "…" not in text
    words = text.split()
    kept = [c for c in frame.columns if c.split(" [")[0] in text and c != "variant"]
    assert {"n", tables.ERROR, tables.DIFFERENCE, "verdict"} <= set(kept)
    for name in kept:
        assert [cell for cell in frame[name] if not set(cell.split()) <= set(words)] == []
    assert all(line in text for label in frame["variant"] for line in tables.fold(label, 24).split("\n"))

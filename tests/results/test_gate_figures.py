"""Figures of gates: which numbers reach the axes. Nothing looks at pixels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from senet_lab.results import gate_figures
from senet_lab.results.gate_figures import Sheet

NAMES = ("goldfish", "pug", "plane", "cliff")


def curves(blocks=("SE_2_3", "SE_3_4"), names=NAMES, channels=50):
    """A line a mark, as `activations` has them."""
    generator = np.random.default_rng(0)
    lines = [
        {"block": block, "name": name, "channel": 41 * c, "mean": generator.uniform(0, 1), "sd": 0.3}
        for block in blocks
        for name in (*names, "all")
        for c in range(channels)
    ]
    return pd.DataFrame(lines)


def test_a_panel_a_block_in_the_paper_s_words_and_limits():
    blocks = ("SE_2_3", "SE_3_4", "SE_4_6", "SE_5_1", "SE_5_2", "SE_5_3")
    figure = gate_figures.classes([Sheet("ours", curves(blocks), (0, 1))])
    axes = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in axes] == list(blocks)
    assert {ax.get_ylim() for ax in axes} == {(0, 1)}
    assert [ax.get_xlabel() for ax in axes] == [""] * 3 + ["channel index (from 0)"] * 3
    assert [ax.get_ylabel() for ax in axes] == ["activation", "", ""] * 2


def test_each_class_has_its_numbers_its_line_and_its_markers():
    own = curves(("SE_5_1",))
    ax = gate_figures.class_lines(own, Figure().subplots())
    drawn = {str(line.get_label()): line for line in ax.get_lines()}
    assert [*drawn] == ["all classes", *NAMES]
    for name in NAMES:
        assert list(drawn[name].get_ydata()) == own.loc[own["name"] == name, "mean"].tolist()
    styles = {(drawn[name].get_linestyle(), drawn[name].get_marker()) for name in NAMES}
    assert len({style for style, _ in styles}) == len({marker for _, marker in styles}) == 4, (
        "told apart without colour"
    )
    begins = [drawn[name].get_markevery()[0] for name in NAMES]
    assert len(set(begins)) == 4, "no marker hides another"


def test_eight_classes_are_told_apart():
    looks = [(str(line), marker) for _, line, marker in gate_figures.STYLES]
    assert len(set(looks)) == len({marker for _, marker in looks}) == len(gate_figures.STYLES) == 8


def test_a_band_is_one_deviation_and_cut_at_the_limits():
    own = curves(("SE_5_1",), names=("goldfish", "plane"))
    figure = gate_figures.within([Sheet("ours", own, (0, 1))])
    ax = figure.axes[0]
    first, second = ax.collections
    corners = first.get_paths()[0].vertices
    curve = own[own["name"] == "goldfish"]
    assert corners[:, 1].max() == pytest.approx((curve["mean"] + 0.3).max())
    assert corners[:, 1].min() == pytest.approx((curve["mean"] - 0.3).min())
    assert ax.get_ylim() == (0, 1), "the axis cuts it"
    assert (first.get_hatch() or "", second.get_hatch()) == ("", "/////")


def test_the_paper_stands_on_a_sheet_of_its_own():
    figure = gate_figures.classes([Sheet("ours", curves(("SE_2_1",)), (0, 1)), Sheet("Paper: other", curves(), (0, 1))])
    assert [part.get_suptitle() for part in figure.subfigs] == ["ours", "Paper: other"]
    assert [len(part.axes) for part in figure.subfigs] == [1, 2]
    assert all(len(ax.get_lines()) == 5 for ax in figure.axes), "no panel has the lines of two networks"


def test_gates_without_limits_are_drawn_as_far_as_they_go():
    own = curves(("SE_2_1",)).assign(mean=lambda f: 5 * f["mean"])
    assert gate_figures.classes([Sheet("relu", own, None)]).axes[0].get_ylim()[1] > 4.5


def over_seeds(n=3, paper=True):
    sources = [("ours", n), ("paper", 1)] if paper else [("ours", n)]
    profile = pd.DataFrame(
        [
            {"source": s, "block": "SE_2_1", "at": at, "n": k, "mean": 1 - at, "low": 0.9 - at, "high": 1.1 - at}
            for s, k in sources
            for at in (0.25, 0.75)
        ]
    )
    numbers = pd.DataFrame(
        [
            {"source": s, "block": f"SE_{b}_1", "statistic": name, "n": k, "mean": 0.1 * b, "low": -0.1, "high": 0.5}
            for s, k in sources
            for b in (2, 3)
            for name in gate_figures.STATISTICS
        ]
    )
    return profile, numbers


def test_what_seeds_share_is_drawn_with_its_interval_and_n():
    profile, numbers = over_seeds()
    figure = gate_figures.seeds(Sheet("sorted", profile, (0, 1)), numbers, "never averaged by channel")
    upper, lower = figure.subfigs
    (ours, paper) = upper.axes[0].get_lines()
    assert (list(ours.get_ydata()), list(paper.get_xdata())) == ([0.75, 0.25], [0.25, 0.75])
    assert lower.get_suptitle() == "never averaged by channel"
    assert len(lower.axes) == 6
    spread = lower.axes[0]
    assert [t.get_text() for t in spread.get_xticklabels()] == ["SE_2_1", "SE_3_1"] * 2
    assert min(spread.get_xticks()[2:]) > max(spread.get_xticks()[:2]), "the paper's blocks stand apart"
    assert spread.get_ylim()[0] > -0.05, "a spread cannot be negative"
    texts = [t.get_text() for legend in lower.legends for t in legend.get_texts()]
    assert texts == ["this sweep, mean and 95 % interval over seeds (n = 3)", gate_figures.PAPER]


def test_one_seed_claims_no_interval():
    _, numbers = over_seeds(1, paper=False)
    numbers[["low", "high"]] = np.nan
    ax = gate_figures.by_depth(numbers[numbers["statistic"] == "mean"], Figure().subplots())
    assert ax.get_legend_handles_labels()[1] == ["this sweep, mean over seeds (n = 1)"]


def test_colours_differ_in_grey_too():
    grey = [sum(w * c for w, c in zip((0.299, 0.587, 0.114), to_rgb(color), strict=True)) for color, _, _ in
            gate_figures.STYLES[:2]]  # fmt: skip
    assert abs(grey[0] - grey[1]) > 0.15, "the two bands"

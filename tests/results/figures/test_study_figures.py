"""Figures of studies: which apply, what their frames say, and that all of it can be read at both widths."""

from dataclasses import replace

import numpy as np
import pytest

from senet_lab.results import artifacts, figures, studies
from senet_lab.results.figures import scales
from senet_lab.spec import Choice, Float, Int
from tests.results import studied

TUNED, SEARCHED = ("budget", "slices"), ("budget", "front", "importance", "parallel", "slices")


@pytest.fixture(scope="module")
def tuned():
    return studied.tuned()


@pytest.fixture(scope="module")
def searched():
    return studied.searched()


def test_which_figures_apply(tuned, searched):
    assert tuned.figure_names == (*figures.NAMES[:4], *TUNED)
    assert searched.figure_names == (*figures.NAMES[:4], *SEARCHED)
    single = studied.searched(objectives=("error",), limits={})
    assert "front" not in single.figure_names and "parallel" in single.figure_names
    bare = replace(searched, studies=(replace(searched.studies[0], importances=()),))
    assert "importance" not in bare.figure_names


@pytest.mark.parametrize("width", [figures.WIDE, figures.NARROW])
@pytest.mark.parametrize("name", SEARCHED)
def test_all_can_be_read(tuned, searched, clashes, name, width):
    for answer in (tuned, searched):
        if name in answer.figure_names:
            chosen = answer.chosen()["number"]
            figure = answer.figure(name, width)
            assert figure.get_size_inches()[0] == pytest.approx(width / 2.54)
            assert clashes(figure, [str(n) for n in chosen]) == []
            assert answer.figure_caption(name).endswith(".")


def test_eight_rows_and_six_settings_fit(clashes):
    space = {f"train.{name}": Float(low=0.01, high=1.0, log=True) for name in ("learning_rate", "weight_decay")}
    tune = studied.Tune(space=space, trials=4)
    question = studied.tuned_question(tune, grid={"model.se.reduction": (2, 3, 4, 6, 8, 16, 32)})
    generator = np.random.default_rng(1)
    found = [
        studied.trials_of(row, tune, [{"chosen": studied.drawn(space, generator), "error": 0.1}] * 4)
        for row in question.rows
    ]
    answer = studied.reported(question, found, {row.label: (30, 31) for row in question.rows})
    for width in (figures.WIDE, figures.NARROW):
        for name in TUNED:
            assert clashes(answer.figure(name, width)) == []
    space = studied.BLOCK | {"model.se.gate": Choice(options=("sigmoid", "tanh"), when={"model.se": "on"})}
    wide = studied.searched(space=space)
    assert clashes(wide.figure("slices"), [str(n) for n in wide.chosen()["number"]]) == []


def test_the_budget_draws_a_line_per_row(tuned, searched):
    marks = tuned.figure_data("budget")
    assert marks.groupby("variant")["error_percent"].last().to_dict() == pytest.approx(
        {"reduction=2": 4.0, "reduction=16": 3.0, "no_se": 5.0}
    )
    drawn = {line.get_label(): line.get_ydata().tolist() for line in tuned.figure("budget").axes[0].lines}
    for label, own in marks.groupby("variant"):
        assert drawn[label] == own["error_percent"].tolist()
    assert "drawn without replacement (n = 3 candidates a row" in tuned.figure_caption("budget")
    assert "no expectation" in searched.figure_caption("budget")
    assert "no expectation" not in tuned.figure_caption("budget")


def test_the_front_has_candidates_fresh_seeds_and_limits(searched):
    marks = searched.figure_data("front")
    assert marks.groupby("mark").size().to_dict() == {
        "candidate": 24,
        "fresh seeds": len(searched.rows) - 1,
        "limit": 1,
    }
    again = marks[marks["mark"] == "fresh seeds"].set_index("label")
    known = searched.chosen().set_index("variant")
    assert again["error_percent"].to_dict() == pytest.approx((100 * known["validation_mean"]).to_dict())
    assert marks.loc[marks["mark"] == "limit", "x"].tolist() == [18_000]
    names = [t.get_text() for t in searched.figure("front").axes[0].texts]
    assert set(names) == {label.removeprefix("candidate ") for label in known.index}


def test_a_panel_per_cost():
    options = {"limits": {"error": 0.2, "latency": 0.004}, "timed_on": "a processor, one thread"}
    answer = studied.searched(objectives=("error", "params", "latency"), **options)
    marks = answer.figure_data("front")
    assert marks["objective"].unique().tolist() == ["params", "latency"]
    found = marks[(marks["objective"] == "latency") & (marks["mark"] == "candidate")]
    assert found["x"].max() == 5.0, "milliseconds"
    limits = marks[marks["mark"] == "limit"]
    assert limits["x"].dropna().tolist() == [4.0] and limits["error_percent"].dropna().tolist() == [20.0, 20.0]
    assert len(answer.figure("front").axes) == 2
    assert answer.figure_caption("front").endswith(" Times are of a processor, one thread.")


def test_importances_are_in_one_order(searched):
    marks = searched.figure_data("importance")
    assert marks["objective"].unique().tolist() == ["error", "params"]
    sums = marks.groupby(["objective", "method"])["importance"].sum()
    assert sums.tolist() == pytest.approx([1.0] * 4)
    first = marks[(marks["objective"] == "error") & (marks["method"] == "PED-ANOVA")]
    assert first["rank"].tolist() == [0, 1, 2, 3, 4] and first["importance"].is_monotonic_decreasing
    assert marks.groupby("setting")["rank"].nunique().max() == 1
    assert "fANOVA says nothing of placement, reduction" in searched.figure_caption("importance")


def test_parallel_coordinates_show_what_does_not_apply(searched):
    marks = searched.figure_data("parallel")
    axes = marks["axis"].unique().tolist()
    assert axes == [*studied.BLOCK, "params", "error"]
    assert marks.groupby("number").size().unique().tolist() == [7] and marks["number"].nunique() == 24
    off = marks.loc[(marks["axis"] == "model.se") & (marks["value"] == "off"), "number"]
    below = marks[(marks["axis"] == "model.se.reduction") & marks["number"].isin(off)]
    assert set(below["value"]) == {"-"} and (below["place"] < -0.1).all() and len(below)
    rest = marks[marks["value"] != "-"]
    assert rest["place"].between(-0.1, 1.1).all()
    error = marks[marks["axis"] == "error"]
    assert error["place"].min() == 0 and error["place"].max() == 1
    figure = searched.figure("parallel")
    assert "-" in [t.get_text() for t in figure.axes[0].texts]


def test_slices_of_tuned_rows_share_their_axes(tuned):
    marks = tuned.figure_data("slices")
    assert len(marks) == 9 and marks.loc[marks["chosen"], "value"].tolist() == ["0.1", "0.5", "0.1"]
    assert marks.loc[marks["value"] == "0.1", "place"].tolist() == pytest.approx([0.5] * 3), "log"
    figure = tuned.figure("slices")
    assert len({ax.get_xlim() for ax in figure.axes}) == 1 and len({ax.get_ylim() for ax in figure.axes}) == 1
    assert [ax.get_title("left") for ax in figure.axes] == ["reduction=2", "reduction=16", "no_se"]


def test_captions_say_which_candidates_a_number_counts(tuned, searched):
    """Those that were stopped early, failed or were not trained are not drawn, so a figure has not every candidate."""
    others = "(besides 1 failed, 1 over a limit, 1 repeated)"
    for name in ("front", "importance", "parallel", "slices"):
        assert f"24 candidates that were trained to their end {others}" in searched.figure_caption(name)
        assert "Every" not in artifacts.TITLES[name] and "every" not in artifacts.TITLES[name]
    assert "The 3 candidates of each row by each setting" in tuned.figure_caption("slices")


def test_failed_candidates_are_not_drawn(searched):
    done = searched.tried.candidates.query("outcome == 'done'")["number"]
    for name in ("parallel", "slices"):
        assert set(searched.figure_data(name)["number"]) == set(done)


@pytest.mark.parametrize(
    ("dimension", "value", "place"),
    [
        (Float(low=1, high=3), 2.0, 0.5),
        (Float(low=0.01, high=1, log=True), 0.1, 0.5),
        (Int(low=2, high=6), 3, 0.25),
        (Choice(options=(2, 4, 8)), "8", 1.0),
        (Choice(options={"only": 1}), "only", 0.5),
        (Float(low=1, high=3), None, scales.NOWHERE),
    ],
)
def test_places(dimension, value, place):
    assert scales.of_setting("x", dimension).place(value) == pytest.approx(place)


def test_ticks_lie_at_their_values():
    ticks = dict((text, place) for place, text in scales.of_setting("x", Float(low=1e-5, high=1e-2, log=True)).ticks())
    assert ticks == pytest.approx({"1e-5": 0, "1e-4": 1 / 3, "0.001": 2 / 3, "0.01": 1})
    one = Choice(options=("a", "b"), when={"y": 1})
    assert scales.of_setting("x", one).ticks() == [(scales.NOWHERE, "-"), (0.0, "a"), (1.0, "b")]
    whole = scales.of_setting("x", Int(low=5, high=20)).ticks()
    assert all(text.isdigit() for _, text in whole)


def test_nothing_is_reported_twice(searched):
    """A picture draws its frame: the same numbers as selection.csv."""
    frame = searched.figure_data("slices").drop_duplicates("number").set_index("number")["error_percent"]
    known = searched.tried.candidates.query("outcome == 'done'").set_index("number")["validation_error"]
    assert frame.to_dict() == pytest.approx((100 * known).to_dict())
    assert studies.budget(searched.tried)["error"].iloc[-1] == known[searched.tried.candidates["eligible"]].min()

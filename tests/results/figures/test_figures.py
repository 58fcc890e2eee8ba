"""All figures: which apply, that every shipped sweep fits on paper, and that nothing is told by colour alone."""

from itertools import combinations

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb

from senet_lab import catalog
from senet_lab.errors import UserError
from senet_lab.results import artifacts, figures, folder, report
from senet_lab.results.figures import published, style
from tests.results import studied

ALWAYS = figures.NAMES[:4]


def test_the_folder_knows_the_figures():
    assert (*folder.FIGURES, "published", *folder.STUDIED) == figures.NAMES


def test_published_is_there_where_the_paper_has_a_pair(answer, make):
    assert answer.figure_names == (*ALWAYS, "published")
    question = make.question(seeds=2, grid={"train.learning_rate": (0.05, 0.2)}, published="reduction_ratio")
    assert report.analyse(question, make.plan(question), []).figure_names == ALWAYS


def test_an_unknown_figure_is_a_users_error(answer):
    with pytest.raises(UserError, match="did you mean 'curves'"):
        answer.figure("curve")


@pytest.mark.parametrize("name", sorted(catalog.names()))
def test_every_shipped_sweep_fits_a_column(make, clashes, name):
    """At 8.5 cm no text leaves the figure or lies on another; keys of points may where points coincide."""
    question, studies = studied.invented(catalog.read(catalog.find(name)))
    planned = make.plan(question)
    wrong = {row.label: [30 + 9 * i + (i + seed) % 5 for seed in range(3)] for i, row in enumerate(question.rows)}
    answer = report.analyse(question, planned, make.records(planned, wrong), studies=studies)
    for figure in answer.figure_names:
        keys = answer.figure_data("cost")["key"].tolist() if figure == "cost" else ()
        assert clashes(answer.figure(figure, figures.NARROW), keys) == [], figure
        assert answer.figure_caption(figure).endswith(".")


@pytest.mark.parametrize("name", (*ALWAYS, "published"))
def test_a_page_is_filled_without_clashes(answer, clashes, name):
    figure = answer.figure(name)
    assert figure.get_size_inches()[0] == pytest.approx(17 / 2.54)
    assert clashes(figure) == []


@pytest.mark.parametrize("done", [0, 1])
def test_few_trials_give_figures_too(make, analysed, done):
    question = make.question(seeds=2, grid={"model.se.reduction": (2, 4, 8)}, published="reduction_ratio")
    answer = analysed(question, {row.label: (30, 33)[:done] for row in question.rows})
    for name in answer.figure_names:
        texts = [t.get_text() for ax in answer.figure(name).axes for t in ax.texts]
        assert ("no trial is done yet" in texts) == (done == 0 and name in ("error", "cost", "curves"))


def test_a_failed_row_has_no_numbers_and_costs_no_other_its_own(make, analysed):
    question = make.question(seeds=3, grid={"model.se.gate": ("sigmoid", "tanh", "relu")})
    answer = analysed(question, {"gate=sigmoid": (30, 31, 32), "gate=relu": (25, 24, 23), "no_se": (31, 31, 33)})
    for name in answer.figure_names:
        answer.figure(name)
    errors = answer.figure_data("error").set_index("variant")
    assert errors.loc["gate=tanh", "n"] == 0 and errors.loc[["gate=sigmoid", "no_se"], "n"].max() == 3


def test_nothing_global_is_left_behind_and_the_report_is_as_it_was(answer):
    before, trials = dict(mpl.rcParams), answer.trials.copy()
    for name in answer.figure_names:
        answer.figure(name)
    assert dict(mpl.rcParams) == before
    assert answer.trials.equals(trials)


def test_svg_looks_the_same_everywhere_and_twice(answer):
    """Letters are outlines: a page's fonts are not the figure's."""
    first, second = (artifacts.svg(answer.figure("differences")) for _ in range(2))
    assert first == second
    assert "<text" not in first and "<dc:date>" not in first and "<path" in first


def look(kind):
    return kind["marker"], kind.get("markerfacecolor") == "white"


@pytest.mark.parametrize("kinds", [[*style.VERDICTS.values()], [*style.SERIES], [*published.LOOKS]])
def test_nothing_is_told_by_colour_alone(kinds):
    assert all(look(a) != look(b) for a, b in combinations(kinds, 2))
    for kind in kinds:
        red, green, blue = to_rgb(kind["color"])
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.66  # seen on white


def test_lines_beside_each_other_have_dashes_of_their_own():
    assert all(a["linestyle"] != b["linestyle"] for a, b in combinations(style.SERIES, 2))


def test_labels_fold_where_words_end():
    assert style.fold("SE-Shake-Shake 26 2x96d + Cutout", 18) == "SE-Shake-Shake 26\n2x96d + Cutout"
    assert style.fold("gate=sigmoid,reduction=2", 18) == "gate=sigmoid,\nreduction=2"
    assert style.fold("x" * 40, 18) == "\n".join(["x" * 18, "x" * 18, "x" * 4])

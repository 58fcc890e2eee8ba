"""One sweep in several settings: table, figure, files and the command that writes them."""

import io
from dataclasses import replace
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from rich.console import Console

from senet_lab import catalog, data, plan
from senet_lab.commands import Where
from senet_lab.commands.interaction import show_interaction
from senet_lab.errors import UserError
from senet_lab.results import artifacts, report
from senet_lab.results.across import across
from senet_lab.results.figures import interaction as figure
from senet_lab.store import Store, finish

RECIPES = ("digits", "digits_resnet50")


def wrong(i, seed, worse):
    """Wrong images: without SE (i = 5) about 30, the other rows `worse` more, except the first."""
    return 30 + 2 * seed + Random(f"{i} {seed} {worse}").randrange(3) + (worse if 0 < i < 5 else 0)


@pytest.fixture
def answer(make):
    """Rows 2 to 5 are 20 images worse in the second setting than in the first."""
    question, reports = make.question(seeds=6), {}
    planned = make.plan(question)
    for name, worse in zip(RECIPES, (0, 20), strict=True):
        labels = [row.label for row in question.rows]
        records = [make.record(p, wrong(labels.index(p.variant.label), p.trial.seed, worse)) for p in planned]
        reports[name] = report.analyse(question, planned, records)
    return across(reports, dict.fromkeys(RECIPES, planned))


@pytest.fixture
def workplace(make, tmp_path, monkeypatch):
    """A working folder with three seeds of every row in two settings."""
    store = Store(tmp_path / "runs", "reduction_ratio")
    asked = catalog.read(catalog.find("reduction_ratio"))
    for worse, recipe in enumerate(RECIPES):
        question = catalog.derive(asked, {}, recipe=recipe)
        for i, wanted in enumerate(plan.wanted(question.rows, 3, data.digest)):
            finish(store.open(wanted), make.record(wanted, 25 + 7 * i % 11 + 9 * worse * (i % 6 < 5)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_contrast_is_no_family(answer):
    alone = replace(answer, contrasts=answer.contrasts.head(1)).caption()
    assert "does better here than there; 95 % interval." in alone and "jointly at" not in alone
    assert "Differs: p < .05." in alone and "Holm" not in alone


def test_the_table_sets_each_setting_against_the_first(answer):
    table = answer.table()
    assert table["setting"].tolist() == [*RECIPES] * 5
    assert table["verdict"].tolist() == ["reference", "equivalent", *["reference", "differs"] * 4]
    assert table["Δ of Δ, points [joint 95 %]"][3].startswith("+2.")
    assert answer.sentence() == "Of 5 contrasts, the effect differs in 4, is the same within 0.5 points in 1."


def test_the_caption_says_how_and_why(answer):
    said = answer.caption()
    assert "Same data: t test over the seeds that both settings have" in said and "Different data" not in said
    assert "the 5 intervals hold jointly at 95 % (Bonferroni)" in said
    assert "paired by seed, as the data are the same" in answer.figure_caption()


def test_the_frame_holds_effects_and_contrasts(answer):
    marks = answer.data()
    second = marks[marks["setting"] == "digits_resnet50"]
    assert marks.loc[marks["setting"] == "digits", "contrast_points"].isna().all()
    assert second["contrast_points"].tolist() == pytest.approx([0, *[100 * 20 / 900] * 4], abs=0.25)
    ours = pd.concat(r.comparison["delta"] for r in answer.reports.values()).sort_index(kind="stable")
    assert marks["delta_points"].tolist() == pytest.approx((100 * ours).tolist())


def test_the_figure_draws_a_group_a_row_and_tells_settings_apart(answer):
    ax = answer.figure().axes[0]
    first, second = ([c for c in ax.containers if c.get_label() == name] for name in RECIPES)
    assert [float(c[0].get_ydata()[0]) for c in first] == pytest.approx([i - 0.19 for i in range(5)])
    assert [float(c[0].get_ydata()[0]) for c in second] == pytest.approx([i + 0.19 for i in range(5)])
    assert {c[0].get_marker() for c in first} != {c[0].get_marker() for c in second}
    words = [t.get_text() for t in ax.texts]
    assert "against digits" in words and words.count("differs") == 4


@pytest.mark.parametrize("width", [17.0, 8.5])
def test_settings_without_results_are_drawn_too(make, width):
    question = make.question(seeds=2)
    planned = make.plan(question)
    reports = dict.fromkeys(("a", "b", "c"), report.analyse(question, planned, []))
    empty = across(reports, dict.fromkeys(reports, planned))
    assert len(empty.figure(width).axes) == 1 and len(empty.table()) == 15
    assert figure.caption(empty.data(), "no_se", 0.01).endswith(".")


def test_the_table_fits_a_terminal(answer):
    text = io.StringIO()
    Console(file=text, width=80).print(answer.terminal(80))
    assert "…" not in text.getvalue() and max(map(len, text.getvalue().splitlines())) <= 80


def test_same_store_same_bytes(answer):
    assert artifacts.of_settings(answer) == artifacts.of_settings(answer)


def test_the_command_writes_table_and_figure(workplace, capsys):
    show_interaction("reduction_ratio", Where("runs", Path("data")), RECIPES, {}, 3, Path("reports"))
    folder = workplace / "reports" / "reduction_ratio+interaction+digits+digits_resnet50+seeds-3"
    names = {"interaction.md", "interaction.png", "interaction.pdf", "interaction.csv"}
    assert {p.name for p in folder.iterdir()} == names
    assert len(pd.read_csv(folder / "interaction.csv")) == 10
    said = " ".join(capsys.readouterr().out.split())
    assert "reference" in said and "Of 5 contrasts, the effect is undecided in 5." in said and "Traceback" not in said


def test_one_recipe_stands_beside_the_files_own_setting(workplace):
    show_interaction("reduction_ratio", Where("runs", Path("data")), RECIPES[1:], {}, 3, Path("reports"))
    text = next(workplace.glob("reports/*+interaction+file+digits_resnet50+seeds-3/interaction.md")).read_text()
    assert text.startswith("# reduction_ratio: as in the file, digits_resnet50")


@pytest.mark.parametrize(
    ("recipes", "changes", "said"),
    [
        ((), {}, "needs a second setting"),
        (("digits", "digits"), {}, "'digits' is given twice"),
        (
            RECIPES,
            {"train.epochs": 5},
            "no trial is done of this sweep in the settings digits, digits_resnet50; .*--recipe",
        ),
        (("digits", "digitz"), {}, "did you mean 'digits'"),
    ],
)
def test_what_cannot_be_answered_is_a_users_error_and_writes_nothing(workplace, recipes, changes, said):
    with pytest.raises(UserError, match=said):
        show_interaction("reduction_ratio", Where("runs", Path("data")), recipes, changes, 3, Path("reports"))
    assert not (workplace / "reports").exists()

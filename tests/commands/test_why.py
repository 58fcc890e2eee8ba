"""A number is traced to its trials, what ran them, and how it is made of them."""

import io
import json
import shlex
import statistics
from pathlib import Path

import pytest
from rich.console import Console

from senet_lab import catalog, inventory
from senet_lab.commands import why
from senet_lab.results import selected, trace
from senet_lab.results.trace import Sitting
from senet_lab.store import finish
from tests.bad.case import answer
from tests.commands.conftest import environment
from tests.results import studied
from tests.results.conftest import make_record

NAME = "reduction_ratio:reduction=8:difference"


@pytest.fixture
def told(fill):
    """`why` of a name with four seeds asked for, one of r = 8 missing, as (code, out, err)."""
    fill(without=("reduction=8 seed=3",))
    return lambda *words: answer(["why", *words, "--seeds", "4"])


def test_a_difference_comes_of_two_rows_trials(told):
    found = json.loads(told(NAME, "--json").out)
    trials = found["trials"]
    assert [(t["row"], t["seed"]) for t in trials] == [
        *(("reduction=8", s) for s in (0, 1, 2)),
        *(("no_se", s) for s in (0, 1, 2, 3)),
    ]
    errors = {(t["row"], t["seed"]): t["wrong"] / t["images"] for t in trials}
    difference = statistics.mean(errors["reduction=8", s] - errors["no_se", s] for s in (0, 1, 2))
    number = found["numbers"]["difference"]
    assert number["value"] == pytest.approx(100 * difference)
    assert number["text"] == f"{100 * difference:+.2f}" and "mean over common seeds" in number["formula"]
    assert (found["baseline"], found["missing"]) == ("no_se", 1)
    assert found["command"].endswith("report reduction_ratio --seeds 4")
    for trial in trials:
        record = json.loads((Path(trial["folder"]) / "record.json").read_text())
        assert (record["id"], record["test"]["error"]) == (trial["id"], trial["test_error"])


def test_commands_and_commits_are_listed_each_with_its_trials(told):
    found = json.loads(told(NAME, "--json").out)
    assert [(r["command"], r["commit"], r["dirty"], len(r["trials"])) for r in found["ran"]] == [
        ("senet-lab sweep reduction_ratio --seeds 2", "c0ffee", False, 4),
        ("senet-lab sweep reduction_ratio", "decade", True, 3),
    ]
    assert all(r["packages"] == {"torch": "2.13"} and r["data"] and r["cpu"] == "Some" for r in found["ran"])


def test_for_people(told):
    code, out, err = told(NAME)
    words = " ".join(out.split())
    assert (code, err) == (0, "")
    for said in (
        "1 of the row's 4 trials are missing",
        "3 missing - ",
        "4: reduction=8 seeds 0-1; no_se seeds 0-1",
        "commit c0ffee",
        "decade, with changes that were not committed",
        "torch 2.13",
        "/runs/reduction_ratio/*_<id>",
        "the table again: ",
    ):
        assert said in words, said


def test_a_whole_row_and_a_row_that_is_not_compared(told):
    row = json.loads(told("reduction_ratio:no_se", "--json").out)
    assert {t["row"] for t in row["trials"]} == {"no_se"} and row["baseline"] is None
    assert row["numbers"]["difference"] == {"text": "-", "value": None, "formula": "not compared to another row"}
    assert row["numbers"]["error"]["value"] == pytest.approx(100 * statistics.mean((45, 46, 47, 45)) / 900)


def test_an_error_needs_no_baseline(told):
    found = json.loads(told("reduction_ratio:reduction=8:error", "--json").out)
    assert {t["row"] for t in found["trials"]} == {"reduction=8"}


def test_what_a_store_s_file_says_cannot_steer_the_terminal():
    machine = environment(
        "senet-lab sweep \x1b[2Jx", platform="L\x1b]0;t\x07", cpu="[red]C\u202e", git_commit="c\x1b[1m"
    )
    to = Console(file=io.StringIO(), width=200)
    to.print(why._ran(Sitting(machine, "cpu", "d", ()), 0))
    out = to.file.getvalue()
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    assert r"senet-lab sweep \x1b[2Jx" in out and r"[red]C\u202e" in out and r"c\x1b[1m" in out


def test_an_environment_that_is_lost_is_said(told):
    for path in Path("runs/reduction_ratio/environments").iterdir():
        path.unlink()
    assert "ran by not known" in " ".join(told(NAME).out.split())


def test_a_reports_name_goes_with_its_options(told):
    assert told("reduction_ratio+seeds-4:no_se:error").code == 0
    other = told("reduction_ratio+seeds-2:no_se:error")
    assert other.code == 2 and "which make reduction_ratio+seeds-4" in other.err


def test_a_row_that_a_study_chose_says_which_candidate_it_is():
    tuned, searched = studied.tuned(), studied.searched()
    winner = selected.winner(tuned.tried, tuned.studies, "reduction=16")
    candidate = next(s for s in tuned.studies if s.row.label == "reduction=16").candidates[2]
    assert winner == selected.Winner(2, {"train.learning_rate": 0.5}, "learning_rate=0.5", 0.03, 3, candidate.record.id)
    said = why._chosen(winner)
    assert said.startswith("settings: learning_rate=0.5; chosen: candidate 2 of 3 that were trained; its own training")
    assert said.endswith("had a validation error of 3.00 %") and candidate.record.id in said
    number = int(searched.chosen()["number"].iloc[0])
    of_search = selected.winner(searched.tried, searched.studies, f"candidate {number}")
    assert (of_search.number, of_search.trained) == (number, 24)
    assert selected.winner(searched.tried, searched.studies, "base") is None, "no candidate was the base"
    known = trace._chosen(winner)
    assert set(known) == {"candidate", "settings", "validation_error", "of", "id"} and json.dumps(known)


def test_a_row_that_stands_in_the_file_was_not_chosen(told):
    assert json.loads(told("reduction_ratio:no_se", "--json").out)["chosen"] is None
    assert "chosen" not in told("reduction_ratio:no_se").out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reduction_ratio", "which row? Give reduction_ratio:ROW"),
        ("reduction_ratio:reduction=80", "no row 'reduction=80'; did you mean 'reduction=8'?"),
        ("reduction_ratio:reduction=8:eror", "no column 'eror'; did you mean 'error'?"),
        ("reduction_ratio:redaction=8:error", "no row 'redaction=8'; did you mean 'reduction=8'?"),
        ("reduction_ratio:margin", "0.5 points: set in the sweep's file or by options"),
        ("reduction_ratoi:no_se", "did you mean 'reduction_ratio'?"),
        (":no_se", "name a table and a row"),
    ],
)
def test_mistakes(told, name, said):
    code, out, err = told(name)
    assert (code, out) == (2, "") and said in err


OWN = """
from senet_lab import Sweep, recipes
SWEEP = Sweep(base=recipes.DIGITS, grid={"model.se.reduction": [2]}, controls=["no_se"],
              baseline="no_se", seeds=2, margin=0.01)
"""


def test_names_in_files_of_a_sweep_given_by_path(tmp_path, monkeypatch):
    """Such a name has no path in it; the file is named beside it, and a + in its path does no harm."""
    monkeypatch.chdir(tmp_path)
    path = Path("a+b/own.py")
    path.parent.mkdir()
    path.write_text(OWN)
    found = inventory.take(catalog.derive(catalog.read(path), {"train.epochs": 1}), "my runs")
    for planned in found.planned:
        older = make_record(planned, 30 + planned.trial.seed, code="older", id=planned.id[::-1])
        finish(found.store.open(planned), older)
    name, options = "own+train.epochs-1+stale:no_se:error", ["--set", "train.epochs=1", "--store", "my runs"]
    told = answer(["why", name, "--sweep", str(path), *options, "--json"])
    assert told.code == 0, told.err
    again = json.loads(told.out)["command"]
    made = shlex.split(again.partition(" ")[2])
    assert made[:2] == ["report", "a+b/own.py"] and made[-1] == "--include-stale"
    assert answer(made).code == 0, "the table again can be typed"
    assert Path("reports/own+train.epochs-1+stale/table.md").is_file()
    by_path = answer(["why", f"{path}:no_se:error", *options])
    assert by_path.code == 2 and "the table own+train.epochs-1+stale counts them as they are" in by_path.err
    assert "senet-lab sweep a+b/own.py --store" in by_path.err
    other = answer(["why", "reduction_ratio:no_se", "--sweep", str(path)])
    assert other.code == 2 and "that is not the file of 'reduction_ratio'" in other.err
    without = answer(["why", name, *options])
    assert without.code == 2 and "--sweep path/to/own.py" in without.err


def test_an_empty_store_is_refused(told):
    code, out, err = told(NAME, "--store", "mistyped")
    assert (code, out) == (2, "") and "mistyped" in err
    assert "no trial of this question is done; it holds none of this sweep at all" in err
    assert "sweep reduction_ratio --store" in err and "--seeds 4" in err

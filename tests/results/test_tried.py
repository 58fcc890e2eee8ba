"""What studies tried, as frames: nothing that chose is reported, and the expected best is unbiased."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import senet_lab
from senet_lab import catalog, inventory, selection, store
from senet_lab.commands.report import answered
from senet_lab.errors import UserError
from senet_lab.results import looks, report, studies
from senet_lab.spec import Choice, Float, Tune
from tests.results import studied
from tests.results.conftest import make_plan, make_record


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_the_expected_best_is_that_of_all_subsets(n):
    errors = np.random.default_rng(n).choice([0.02, 0.05, 0.31, 0.4, 0.9], n)
    found = studies.expected_best(errors.tolist())
    assert len(found) == n
    for k in range(1, n + 1):
        lowest = [min(some) for some in itertools.combinations(errors, k)]
        assert found[k - 1] == pytest.approx(np.mean(lowest), rel=1e-12)


def test_the_expected_best_of_many_is_a_number():
    found = studies.expected_best(np.linspace(0.1, 0.9, 1500).tolist())
    assert found[0] == pytest.approx(0.5) and found[-1] == 0.1 and (np.diff(found) < 0).all()


def test_the_budget_of_tuned_rows_is_an_expectation():
    tried = studied.tuned().tried
    found = studies.budget(tried).set_index(["variant", "k"])
    assert found.loc[("reduction=2", 2), "error"] == pytest.approx((0.04 + 0.04 + 0.05) / 3)
    assert found.loc[("no_se", 3), "error"] == pytest.approx(0.05)
    assert set(found["kind"]) == {"expected"} and set(found["n"]) == {3}


@pytest.mark.parametrize("why", ["sampler", "stopped"])
def test_candidates_that_know_of_each_other_have_no_expectation(why):
    """A sampler that looks at results, or one that stops some for others: what was found so far, in their order."""
    answer = studied.tuned(sampler="tpe") if why == "sampler" else studied.tuned()
    tried = answer.tried
    if why == "stopped":
        frame = tried.candidates.copy()
        frame.loc[frame["number"] == 1, ["outcome", "eligible"]] = ["stopped", False]
        tried = replace(tried, candidates=frame)
    found = studies.budget(tried)
    assert set(found["kind"]) == {"so far"}
    own = found.loc[found["variant"] == "no_se", "error"].tolist()
    assert own == ([0.07, 0.05, 0.05] if why == "sampler" else [0.07, 0.07, 0.07])


def test_candidates_beyond_the_budget_do_not_count():
    """A file that asks for fewer than were tried before."""
    tried = studied.tuned(sampler="tpe").tried
    fewer = replace(tried, study=tried.study.model_copy(update={"trials": 2}))
    assert studies.budget(fewer).groupby("variant")["k"].max().tolist() == [2, 2, 2]
    assert (tried.trained, fewer.trained) == ("3", "2")


def test_candidates_have_no_test_error():
    found = studied.searched().tried.candidates
    assert not [c for c in found.columns if "test" in c]
    assert found["outcome"].value_counts().to_dict() == {"done": 24, "repeated": 1, "failed": 1, "over a limit": 1}
    without = found[~found["outcome"].isin(["done", "repeated"])]
    assert without["validation_error"].isna().all()
    assert found.loc[found["outcome"].isin(["repeated", "over a limit"]), "seconds"].isna().all()
    off = found[found["model.se"] == "off"]
    assert len(off) and off["model.se.reduction"].isna().all() and off["train.epochs"].notna().all()


def test_what_is_on_the_front_and_what_is_measured_again():
    """Nobody within the limits is as low in both; what is measured again is named as the table's row."""
    answer = studied.searched(n=40)
    found = answer.tried.candidates
    within = found[(found["outcome"] == "done") & (found["params"] <= 18_000)]
    assert (found["eligible"] == found.index.isin(within.index)).all() and len(within) < 40
    for _, one in within.iterrows():
        as_low = (within["validation_error"] <= one["validation_error"]) & (within["params"] <= one["params"])
        lower = (within["validation_error"] < one["validation_error"]) | (within["params"] < one["params"])
        assert one["on_front"] == (not (as_low & lower).any())
    chosen = found[found["chosen"]]
    assert chosen["on_front"].all() and len(chosen) <= 4
    assert set(chosen["measured_as"]) == {f"candidate {n}" for n in chosen["number"]}
    assert set(answer.summary["variant"]) == {"base", *chosen["measured_as"]}


def test_a_candidate_that_is_the_base_is_measured_as_the_base():
    space = {"model.se.reduction": Choice(options=(2, 4, 8))}
    answer = studied.searched(n=3, space=space, objectives=("error",), limits={}, confirm=3)
    base = answer.rows["model.se.reduction"].tolist()[0]
    found = answer.tried.candidates
    same = found[found["chosen"] & (found["model.se.reduction"] == str(base))]
    assert set(same["measured_as"]) <= {"base"}


def test_what_was_chosen_has_both_scores():
    answer = studied.tuned()
    found = answer.chosen().set_index("variant")
    assert found["selection_error"].to_dict() == {"reduction=2": 0.04, "reduction=16": 0.03, "no_se": 0.05}
    assert found.loc["reduction=16", "settings"] == "learning_rate=0.5"
    assert found["validation_mean"].tolist() == pytest.approx([0.052] * 3), "of the last epoch, over fresh seeds"
    assert found["test_mean"].tolist() == answer.summary["mean"].tolist()
    assert set(found["n"]) == {3} and set(found["done"]) == {3}
    assert (found["validation_low"] < 0.052).all() and (found["validation_high"] > 0.052).all()


def test_candidates_are_in_no_number_of_the_table():
    answer = studied.tuned()
    assert set(answer.trials["seed"]) == {0, 1, 2} == set(answer.epochs["seed"])
    used = answer.provenance.runs.groupby("use").size().to_dict()
    assert used == {"counts": 9, "selection": 9}


def test_a_question_whose_study_has_not_chosen_is_refused():
    question = studied.tuned_question(Tune(space=studied.RATE, trials=2))
    planned = make_plan(question)
    with pytest.raises(UserError, match="its rows are known when its study has chosen"):
        report.analyse(question, planned, [make_record(p) for p in planned])


FILE = '''"""Does tuning change the ranking?"""
from senet_lab import Choice, Sweep, Tune, recipes

RATES = {"train.learning_rate": Choice(options=(0.05, 0.2))}
SWEEP = Sweep(base=recipes.DIGITS, grid={"model.se.reduction": [2, 16]}, baseline={"model.se.reduction": 16}, seeds=3,
              margin=0.005, tune=Tune(space=RATES, trials=2, sampler="grid"))
'''


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A store in which every row has tried both rates, the higher one with the lower error; fresh seeds, if asked."""
    monkeypatch.chdir(tmp_path)
    Path("tuned.py").write_text(FILE)

    def fill(measured: bool) -> inventory.Inventory:
        asked = [
            {"batch": 0, "chosen": {"train.learning_rate": rate}, "costs": {}, "notes": {}} for rate in ("0.05", "0.2")
        ]
        found = inventory.take(catalog.read(Path("tuned.py")), "runs")
        for study in selection.read(found):
            wanted = selection.against(found, study, asked)
            found.store.save_study(study.name, selection.kept(wanted))
            for c in wanted.candidates:
                error = 0.03 if c.chosen["train.learning_rate"] == "0.2" else 0.06
                epochs = (studied._epoch(1, error),)
                store.finish(found.store.open(c.planned), make_record(c.planned, epochs=epochs))
        found = found.again()
        for planned in selection.confirmed(found).planned if measured else ():
            store.finish(found.store.open(planned), make_record(planned, 30 + planned.trial.seed))
        return found.again()

    return fill


def test_from_a_store_the_report_is_of_what_was_chosen(stored):
    found = stored(measured=True)
    confirmed, answer = answered(found)
    assert confirmed.before is not None and len(answer.studies) == 2
    assert {row.trial.train.learning_rate for row in answer.question.rows} == {0.2}
    assert answer.summary["n"].tolist() == [3, 3] and answer.summary["mean"].tolist() == pytest.approx([31 / 900] * 2)
    opened = senet_lab.open("tuned.py", "runs")
    assert opened.chosen().equals(answer.chosen()) and opened.chosen()["selection_error"].tolist() == [0.03, 0.03]
    assert answered(confirmed)[1].summary.equals(answer.summary), "what is confirmed stays so"


def test_from_a_store_what_is_not_chosen_yet_is_refused(stored, monkeypatch):
    found = stored(measured=False)
    more = found.question.sweep.tune.model_copy(update={"trials": 3})
    sweep = found.question.sweep.model_copy(update={"tune": more})
    waiting = replace(found, question=replace(found.question, sweep=sweep))
    with pytest.raises(UserError, match="not known yet what is chosen"):
        answered(waiting)
    Path("tuned.py").write_text(FILE.replace("trials=2", "trials=3"))
    with pytest.raises(UserError, match="what chose is not reported: 4 of 6 candidates"):
        senet_lab.open("tuned.py", "runs")


def test_looks_keep_what_was_chosen(stored):
    """More seeds are of the tuned rows, and the candidates' seed is no seed of theirs."""
    confirmed, _ = studies.measured(stored(measured=True))
    looked = looks.look(confirmed)
    assert {row.trial.train.learning_rate for row in looked.whole.question.rows} == {0.2}
    assert looked.whole.question.sweep.seeds < 100 and looked.state.look == 1
    assert looked.used.before is not None


def test_values_are_short():
    assert [studies.value_text(x) for x in (0.123456, 3, "on", None, float("nan"), 1e-5)] == [
        "0.123", "3", "on", "-", "-", "1e-05"
    ]  # fmt: skip


def test_names_are_the_shortest_that_differ():
    space = {"train.decay": Float(low=0.1, high=1), "model.se.reduction": Choice(options=(2, 4))}
    tried = studied.tuned().tried
    assert replace(tried, study=Tune(space=space, trials=1)).names == {
        "train.decay": "decay", "model.se.reduction": "reduction"
    }  # fmt: skip

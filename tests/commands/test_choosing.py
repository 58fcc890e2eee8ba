"""A tuned sweep and a search as they are typed: candidates first, then what they chose, on seeds that chose nothing."""

import contextlib
import signal
import sqlite3
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from senet_lab import catalog, inventory, latency, selection, store
from senet_lab.spec import SELECTION_SEED
from senet_lab.tuning import storage
from tests.test_main_job import wait_until
from tests.typed import typed
from tests.undrawn import COMMAND

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]

TUNED = '''"""Does it matter with a recipe of its own?"""
from senet_lab import Data, Float, Model, Sweep, Train, Trial, Tune

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs=2, batch_size=64, learning_rate=0.1),
    ),
    grid={{"model.se.reduction": [2]}},
    controls=["no_se"],
    baseline="no_se",
    seeds=2,
    margin=0.01,
    tune=Tune(space={{"train.learning_rate": Float(low=0.01, high=0.5, log=True)}}, trials={trials}),
)
'''
SEARCHED = '''"""Which block?"""
from senet_lab import Choice, Data, Model, Search, Train, Trial

SWEEP = Search(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs=1, batch_size=64, learning_rate=0.1),
    ),
    space={
        "model.se": Choice(options={"off": None, "on": {}}),
        "model.se.reduction": Choice(options=[1, 2, 4], when={"model.se": "on"}),
        "model.se.squeeze": Choice(options=["avg", "max"], when={"model.se": "on"}),
    },
    objectives=["error", "params", "latency"],
    trials=4,
    batch=2,
    seeds=2,
    margin=0.01,
    confirm=2,
)
'''


def read(folder: Path, name: str) -> inventory.Inventory:
    return inventory.take(catalog.read(folder / "sweeps" / f"{name}.py"), folder / "runs")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "tuned.py").write_text(TUNED.format(trials=2))
    (tmp_path / "sweeps" / "searched.py").write_text(SEARCHED)
    return tmp_path


def test_a_tuned_sweep_reports_what_did_not_choose(here: Path) -> None:
    refused = typed(here, "report", "tuned")
    assert refused.code == 2 and "not known yet what is chosen" in refused.err
    assert typed(here, "sweep", "tuned", "--executor", "local").code == 0
    found = read(here, "tuned")
    assert Counter(r.trial.seed for r in found.records) == {SELECTION_SEED: 4, 0: 2, 1: 2}
    for record in found.records:
        assert (record.test is None) == (record.trial.seed == SELECTION_SEED)
    chosen = selection.confirmed(found)
    assert chosen.plan.counts() == {"done": 4}
    study = selection.read(found)[0]
    assert chosen.question.rows[0].trial.train.learning_rate == study.best[0].chosen["train.learning_rate"]

    first = {r.id for r in found.records}
    assert typed(here, "sweep", "tuned", "--executor", "local").code == 0
    assert {r.id for r in read(here, "tuned").records} == first
    (here / "sweeps" / "tuned.py").write_text(TUNED.format(trials=3))
    assert typed(here, "report", "tuned").code == 2  # another candidate may win
    assert typed(here, "sweep", "tuned", "--executor", "local").code == 0
    more = read(here, "tuned")
    assert sum(r.trial.seed == SELECTION_SEED for r in more.records) == 6 and first < {r.id for r in more.records}


def seen(database: Path) -> tuple[dict[str, str], dict[str, str], set[str], set[str]]:
    """Candidates and chosen settings by run, runs with a test error, and rows."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tags = "select r.name, t.value from runs r join tags t on t.run_uuid = r.run_uuid where t.key = ?"
        candidates = dict(connection.execute(tags, ("senet_lab.candidate",)).fetchall())
        chosen = dict(connection.execute(tags, ("senet_lab.chosen",)).fetchall())
        parents = {key for _, key in connection.execute(tags, ("senet_lab.variant",))}
        tested = "select r.name from runs r join latest_metrics m on m.run_uuid = r.run_uuid where m.key = 'test_error'"
        return candidates, chosen, {name for (name,) in connection.execute(tested)}, parents


def test_mlflow_and_optuna_show_it(here: Path) -> None:
    assert typed(here, "sweep", "tuned", "--executor", "local").code == 0
    candidates, chosen, with_test, parents = live = seen(here / "mlflow.db")
    assert sorted(candidates) == [f"{row} candidate {n}" for row in ("no_se", "reduction=2") for n in (0, 1)]
    assert not with_test & set(candidates) and {"no_se seed=0", "reduction=2 seed=1"} <= with_test
    assert set(chosen) == {"no_se", "reduction=2"} and all("train.learning_rate=" in one for one in chosen.values())
    assert len(parents) == 2  # candidates hang below the rows that they are tried for

    again = ["--tracking-uri", f"sqlite:///{here / 'again.db'}"]
    assert typed(here, "sweep", "tuned", "--executor", "local", *again).code == 0
    assert seen(here / "again.db") == live, "made again from the records it is the same"

    studies = {s.row.label: s for s in selection.read(read(here, "tuned"))}
    for label, one in studies.items():
        name = storage.name("tuned", one)
        assert name.startswith(f"tuned/{label} ")
        kept = optuna.load_study(study_name=name, storage=f"sqlite:///{here}/runs/tuned/optuna.db")
        assert kept.best_value == one.best[0].value("validation_error") and len(kept.trials) == 2


def test_a_search_measures_its_front_again(here: Path) -> None:
    done = typed(here, "sweep", "searched", "--executor", "local")
    assert done.code == 0, done.err
    found = read(here, "searched")
    (study,) = selection.read(found)
    assert study.finished and study.objectives == ("error", "params", "latency")
    assert all(c.costs["latency"] > 0 and c.costs["params"] > 0 for c in study.candidates)
    rows = selection.confirmed(found).question.rows
    assert rows[0].label == "base" and len(rows) >= 2
    for row in rows[1:]:
        assert row.label in done.out
        again = [r for r in found.records if r.trial.model_copy(update={"seed": 0}) == row.trial and r.test]
        assert sorted(r.trial.seed for r in again) == [0, 1]
    assert study.timed_on == latency.device()


def test_latencies_of_another_device_are_not_mixed_in(here: Path) -> None:
    assert typed(here, "sweep", "searched", "--executor", "local", "--max-hours", "0.000001").code == 2
    found = read(here, "searched")
    (study,) = selection.read(found)
    found.store.save_study(study.name, selection.kept(replace(study, candidates=(), timed_on="another processor")))
    elsewhere = typed(here, "sweep", "searched", "--executor", "local")
    assert elsewhere.code == 2 and "so far are of 'another processor', here it is" in elsewhere.err


def test_a_study_whose_first_candidates_are_trained_already_goes_on(here: Path) -> None:
    sweep = here / "sweeps" / "searched.py"
    sweep.write_text(sweep.read_text().replace('"params", "latency"', '"params"'))
    assert typed(here, "sweep", "searched", "--executor", "local").code == 0
    sweep.write_text(sweep.read_text().replace('"params"],', '"params"], limits={"params": 1_000_000},'))
    done = typed(here, "sweep", "searched", "--executor", "local")
    assert done.code == 0 and "searched" in done.out, done.err
    (study,) = selection.read(read(here, "searched"))
    assert study.study.limits and study.count("done") == 4


@pytest.mark.long
def test_a_candidate_whose_process_was_killed_goes_on(here: Path) -> None:
    """The order of a batch, and what is asked for next, do not depend on what was cut off."""
    assert typed(here, "sweep", "searched", "--executor", "local").code == 0
    found = read(here, "searched")
    before = [c.planned.id for c in selection.read(found)[0].candidates]
    victims = [r for r in found.records if r.trial.seed == SELECTION_SEED][:2]
    for planned in (c.planned for c in selection.read(found)[0].candidates):
        if planned.id in {r.id for r in victims}:
            (store.Store(here / "runs", "searched").folder(planned) / "record.json").unlink(missing_ok=True)
    assert typed(here, "sweep", "searched", "--executor", "local").code == 0
    assert [c.planned.id for c in selection.read(read(here, "searched"))[0].candidates] == before


def test_a_plan_counts_what_is_to_be_chosen(here: Path) -> None:
    told = typed(here, "plan", "tuned", "--probe", "0").out
    assert "8 trials to run (4 candidates to choose by, then at most 4 on fresh seeds)" in " ".join(told.split())
    told = typed(here, "plan", "searched", "--probe", "0").out
    assert "(4 candidates to choose by, then at most " in " ".join(told.split()), "a front may be shorter"


STOPPED = SEARCHED.replace('objectives=["error", "params", "latency"],', "stopping=ASHA(reduction_factor=2),").replace(
    "import Choice,", "import ASHA, Choice,"
).replace("epochs=1", "epochs=4").replace("trials=4,\n    batch=2", "trials=6,\n    batch=3")  # fmt: skip


def test_candidates_are_ended_early_by_ray_alone(here: Path) -> None:
    (here / "sweeps" / "searched.py").write_text(STOPPED)
    refused = typed(here, "sweep", "searched", "--executor", "local")
    assert refused.code == 2 and "ended early by Ray Tune; take --executor ray" in refused.err


@pytest.mark.long
def test_a_search_whose_candidates_are_ended_early(here: Path) -> None:
    (here / "sweeps" / "searched.py").write_text(STOPPED)
    done = typed(here, "sweep", "searched")
    assert done.code == 0, done.err
    (study,) = selection.read(read(here, "searched"))
    assert study.finished and study.count("stopped") > 0 and study.count("done") > 0
    assert study.count("stopped", "done") == 6
    assert all(c.outcome == "done" for c in study.best)
    for one in (c for c in study.candidates if c.outcome == "stopped"):
        assert one.record is not None and 0 < len(one.record.epochs) < 4 and one.record.test is None
    (here / "sweeps" / "searched.py").write_text(STOPPED.replace("stopping=ASHA(reduction_factor=2),", ""))
    assert typed(here, "sweep", "searched", "--executor", "local").code == 0
    (through,) = selection.read(read(here, "searched"))
    assert through.finished and through.count("stopped") == 0


@pytest.mark.long
def test_the_first_ctrl_c_leaves_whole_candidates_and_says_how_far_it_is(here: Path) -> None:
    """Of every row as many, so that none has the larger budget where it is looked at."""
    (here / "sweeps" / "tuned.py").write_text(TUNED.format(trials=40))
    command = subprocess.Popen(
        [*COMMAND, "sweep", "tuned"], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: len([*here.glob("runs/tuned/*/record.json")]) >= 3)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=120)
    assert command.returncode == 130, err
    assert "Stopping: " in out and "candidates of 2 rows are trained; what is chosen is known when all are" in err
    one, other = selection.read(read(here, "tuned"))
    assert one.count("done") == other.count("done") and 0 < one.count("done") < 40
    assert not [*here.glob("reports/*/table.csv")]


@pytest.mark.long
def test_hours_that_are_over_end_between_candidates(here: Path) -> None:
    (here / "sweeps" / "tuned.py").write_text(TUNED.format(trials=400))
    ended = typed(here, "sweep", "tuned", "--executor", "local", "--max-hours", "0.0015")
    assert ended.code == 0, ended.err
    assert "To go on, type the same command again" in " ".join(ended.out.split())
    one, other = selection.read(read(here, "tuned"))
    assert one.count("done") == other.count("done") and 0 < one.count("done") < 400

"""What a store's gates say, from the record to the files: `senet-lab excitation`, without torch and without data."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gated import fill, network, payload, place

from senet_lab import catalog, inventory, plan
from senet_lab.commands import Where
from senet_lab.commands import excitation as command
from senet_lab.errors import DataError, UserError
from senet_lab.results import activations, artifacts, excitation, kept, open_sweep, report
from senet_lab.store import Store, finish

ROOT = Path(__file__).parents[2]


@pytest.fixture
def held(make, tmp_path):
    """Three seeds of r = 2, 16 and no SE."""
    question = make.question(seeds=3, grid={"model.se.reduction": (2, 16)})
    return fill(make, question, place(tmp_path, question))


@pytest.fixture
def workplace(make, tmp_path, monkeypatch):
    """A working folder whose ./runs holds two seeds of the shipped sweep, on data that are not here."""
    question = catalog.derive(catalog.read(ROOT / "sweeps/reduction_ratio.py"), {"data.source": "folder:far"}, seeds=2)
    fill(make, question, place(tmp_path, question))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_curves_are_those_of_the_file(held):
    found = activations.analyse(held)
    assert (found.row, found.seed, found.names) == ("reduction=16", 0, {0: "0", 3: "3", 6: "6", 9: "9"})
    curves = found.curves()
    x_NC = network(0)["SE_3_1"]
    own = curves[(curves["block"] == "SE_3_1") & (curves["name"] == "3")]
    assert own["mean"].tolist() == pytest.approx(x_NC[18:24].mean(0).tolist(), abs=1e-6)
    assert own["sd"].tolist() == pytest.approx(x_NC[18:24].std(0).tolist(), abs=1e-6)
    assert curves["name"].drop_duplicates().tolist() == ["0", "3", "6", "9", "all"]
    assert set(curves["source"]) == {"ours"} and found.figure().subfigs[0].get_suptitle() == found.title
    assert found.bands()["name"].unique().tolist() == ["0", "6"]


def test_row_seed_and_classes_as_asked(held):
    found = activations.analyse(held, "2", 2, ("7", "1"))
    assert (found.row, found.seed, found.shown) == ("reduction=2", 2, (7, 1))
    assert found.curves()["name"].drop_duplicates().tolist() == ["7", "1", "all"]
    assert set(found.bands()["name"]) == {"7"}, "the first and the third, as in the paper, where there are three"


def test_the_paper_is_drawn_on_its_own_sheet_where_asked(held):
    found = activations.analyse(held, with_paper=True)
    ours, theirs = found.figure().subfigs
    assert "another network, other data" in theirs.get_suptitle() and "digits" in ours.get_suptitle()
    assert len(theirs.axes) == 6
    names = found.bands().query("source == 'paper'")["name"].unique().tolist()
    assert names == ["goldfish", "plane"]
    profile = found.over_seeds().query("source == 'paper' and statistic == 'sorted' and block == 'SE_5_2'")
    assert (len(profile), profile["mean"].is_monotonic_decreasing) == (50, True)


def test_sorted_gates_over_seeds_are_means_of_ranks(held):
    found = activations.analyse(held).over_seeds()
    own = found[(found["statistic"] == "sorted") & (found["block"] == "SE_2_1")]
    expected = np.mean([np.sort(network(seed)["SE_2_1"].mean(0))[::-1] for seed in range(3)], axis=0)
    assert own["mean"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert set(own["n"]) == {3}


def test_many_channels_are_drawn_on_the_paper_s_grid(make, tmp_path):
    question = make.question(seeds=1, grid={"model.se.reduction": (16,)})
    store = place(tmp_path, question)
    held = fill(make, question, store)
    big = payload({"SE_2_1": np.random.default_rng(0).uniform(size=(60, 120))})
    found = activations.analyse(kept.Kept(question, held.trials, held.records, lambda record: kept.read(big)))
    assert found.curves()["channel"].unique().tolist() == list(range(0, 120, 3))
    assert found.curves()["images"].unique().tolist() == [6, 60]
    assert len(found.over_seeds().query("statistic == 'sorted'")) == 40
    assert found.measured.numbers["channels"].tolist() == [120], "numbers are of all channels"


@pytest.mark.long
def test_the_same_store_gives_the_same_bytes_and_each_picture_its_numbers(held):
    once, again = (artifacts.of_excitation(activations.analyse(held)) for _ in range(2))
    assert once == again
    assert {f"excitation{part}.{kind}" for part in ("", "_within", "_seeds") for kind in ("png", "pdf", "csv")} < {
        *once
    }
    claims = pd.read_csv(io.BytesIO(once["excitation_claims.csv"]), keep_default_na=True)
    assert claims["variant"].unique().tolist() == ["reduction=2", "reduction=16"]
    page = once["excitation.md"].decode()
    assert "## Gates of reduction=16" in page and "## What the paper says of them" in page
    assert "(excitation_seeds.png)" in page and "another order" in page


def test_a_report_leads_to_its_gates(held):
    trials = held.trials.drop(columns="kept")
    question = held.question
    answer = report.analyse(question, (), (), store=None)
    with pytest.raises(UserError, match="no trial of a row with SE is done"):
        answer.excitation()
    assert excitation.claims(activations.analyse(held).measured.numbers).equals(activations.analyse(held).claims)
    assert len(trials) == 6


def test_gates_without_limits_and_trials_without_gates_are_told(make, tmp_path):
    question = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "tanh", "relu")})
    found = activations.analyse(fill(make, question, place(tmp_path, question), without=["gate=tanh"]), "relu")
    free, missing = found.notes()
    assert free.startswith("gate=relu: this gate has no limits") and missing.startswith("2 of 6 trials with SE have no")
    assert found.figure().axes[0].get_ylim() != (0, 1)
    assert activations.analyse(found.found, "sigmoid").figure().axes[0].get_ylim() == (0, 1)


def test_a_file_that_is_gone_is_told(held, tmp_path):
    next((tmp_path / "runs").rglob("reduction-16_seed-0*/gates.parquet")).unlink()
    with pytest.raises(
        UserError, match=r"reduction=16 seed=0: its gates.parquet is gone or damaged; take another --seed"
    ):
        activations.analyse(held, seed=0)
    found = activations.analyse(held)
    assert found.seed == 1 and "1 of 6 trials" in found.notes()[0]


def test_a_page_says_why_gates_that_were_kept_are_not_shown(make, tmp_path):
    """Where none was kept, which older records cannot have, it says nothing."""
    question = make.question(seeds=2, grid={"model.se.reduction": (16,)})
    store = place(tmp_path, question)

    def section():
        planned = plan.wanted(question.rows, 2, lambda data: "data")
        return artifacts.gates(report.analyse(question, planned, store.contents()[0], store=store))

    fill(make, question, store)
    first, last = sorted((tmp_path / "runs").rglob("reduction-16*/gates.parquet"))
    first.unlink()
    assert "seed 1" in section()[0].blocks[0].caption
    tables = [block for block in section()[0].blocks if block.kind == "table"]
    assert len(tables) == 2 and all(table.stacked for table in tables), "seven columns are cards on a phone"
    last.unlink()
    said = section()[0].blocks[0].paragraphs[0]
    assert said.startswith("The gates are not shown. reduction=16: no gates.parquet of its 2 trials can be read")
    fill(make, question, store, without=["reduction=16"])
    assert section() == ()


@pytest.mark.parametrize(
    ("changed", "classes", "is_it"),
    [({}, 1000, True), ({"SE_2_1": 256}, 1000, True), ({"SE_2_3": 64}, 1000, False), ({}, 100, False)],
)
def test_the_paper_s_network_is_known_by_its_blocks(changed, classes, is_it):
    blocks = {"SE_2_3": 256, "SE_3_4": 512, "SE_4_6": 1024, "SE_5_1": 2048, "SE_5_2": 2048, "SE_5_3": 2048} | changed
    frame = pd.DataFrame({"block": blocks.keys(), "channels": blocks.values()})
    assert activations.is_papers(kept.Gates(frame, ("c",) * classes)) is is_it


def test_the_command_needs_no_data(workplace, capsys):
    question = catalog.derive(catalog.read(ROOT / "sweeps/reduction_ratio.py"), {"data.source": "folder:far"}, seeds=2)
    command.show_excitation(question, Where("runs", Path("data")), command.Look(row="8"), Path("reports"))
    shown = capsys.readouterr().out
    assert "Gates of reduction=8" in shown and "reduction_ratio: reduction=8, seed 0" in shown
    written = {p.name for p in (workplace / "reports" / question.report_name).iterdir()}
    assert {"excitation.png", "excitation.md", "excitation_seeds.csv"} < written and len(written) == 13


def test_data_that_are_missing_are_told_where_the_store_knows_no_better(workplace):
    question = catalog.derive(catalog.read(ROOT / "sweeps/reduction_ratio.py"), {"data.source": "folder:other"})
    with pytest.raises(DataError):
        command.show_excitation(question, Where("runs", Path("data")), command.Look(), Path("reports"))


def test_gates_of_older_code_are_looked_at_where_asked(workplace, make, capsys, monkeypatch):
    question = catalog.derive(catalog.read(ROOT / "sweeps/reduction_ratio.py"), {"data.source": "folder:far"}, seeds=2)
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    where, reports = Where("runs", Path("data")), Path("reports")
    command.show_excitation(question, where, command.Look(row="8", include_stale=True), reports)
    assert "10 of 10 trials with SE are of older code" in capsys.readouterr().out
    assert (reports / f"{question.report_name}+stale" / "excitation.md").is_file()
    newer = next(p for p in inventory.remember(question, "runs").planned if p.name == "reduction=2 seed=0")
    store = Store(workplace / "runs", question.name)
    finish(store.open(newer), make.record(newer))
    said = r"no trial of 8 is of the code of now, .* --include-stale looks at the 2 of older"
    with pytest.raises(UserError, match=said):
        command.show_excitation(question, where, command.Look(row="8"), reports)


@pytest.mark.slow
def test_the_command_starts_no_torch(workplace):
    code = (
        "import sys; from senet_lab.cli import app; "
        "app(['excitation', 'reduction_ratio', '--seeds', '2', '--set', 'data.source=folder:far', '--classes', '1,2'],"
        " standalone_mode=False); print(sorted({'torch', 'ray', 'mlflow', 'optuna'} & set(sys.modules)))"
    )
    run = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, cwd=workplace, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_the_notebook_runs_on_a_small_store(make, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    question = catalog.read(ROOT / "sweeps/reduction_ratio.py")
    from senet_lab import data, plan
    from senet_lab.store import Store, finish, save_gates

    store = Store(tmp_path / "runs", "reduction_ratio")
    for wanted in plan.wanted(question.rows, 2, data.digest):
        folder = store.open(wanted)
        digest = save_gates(folder, payload(network(wanted.trial.seed))) if wanted.trial.model.se else None
        finish(folder, make.record(wanted, gates=digest))
    assert open_sweep("reduction_ratio", tmp_path / "runs").excitation("2").seed == 0
    shutil.copy(ROOT / "analysis/excitation.ipynb", tmp_path)
    notebook = nbformat.read(tmp_path / "excitation.ipynb", as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [kind for cell in notebook.cells for out in cell.get("outputs", []) for kind in out.get("data", {})]
    assert shown.count("image/png") == 3 and "text/html" in shown

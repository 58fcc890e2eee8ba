"""The pages in `analysis/`: they run on a store, and the script needs no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from senet_lab import catalog, data, plan
from senet_lab.errors import StoreError
from senet_lab.results import open_sweep
from senet_lab.store import Store, finish

ROOT = Path(__file__).parents[2]
ANALYSIS = ROOT / "analysis"


@pytest.fixture
def workplace(make, tmp_path, monkeypatch):
    """A working folder whose ./runs holds three seeds of every row."""
    question = catalog.read(ROOT / "sweeps" / "reduction_ratio.py")
    store = Store(tmp_path / "runs", "reduction_ratio")
    for i, wanted in enumerate(plan.wanted(question.rows, 3, data.digest)):
        finish(store.open(wanted), make.record(wanted, 25 + 7 * i % 11))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_open_sweep_by_name_and_by_path(workplace):
    by_name, by_path = (open_sweep(what) for what in ("reduction_ratio", str(ROOT / "sweeps/reduction_ratio.py")))
    assert by_name.summary["n"].tolist() == by_path.summary["n"].tolist() == [3] * 6
    assert by_name.table()["n"].tolist() == ["3/20"] * 6


def test_an_empty_store_opens(tmp_path):
    assert open_sweep("reduction_ratio", tmp_path).summary["n"].sum() == 0


def test_a_store_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StoreError, match=r"there is no folder .*nothing"):
        open_sweep("reduction_ratio", tmp_path / "nothing")


@pytest.mark.slow
def test_the_script_writes_the_report_without_torch(workplace):
    code = (
        f"import runpy, sys; sys.argv = ['page', 'runs']; runpy.run_path({str(ANALYSIS / 'reduction_ratio.py')!r}, "
        f"run_name='__main__'); print(sorted({{'torch', 'ray', 'mlflow', 'optuna'}} & set(sys.modules)))"
    )
    run = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, cwd=workplace, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "reduction=16" in done.stdout
    assert (workplace / "reports/reduction_ratio/error.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_notebook_runs_and_shows_table_and_figure(workplace):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(ANALYSIS / "reduction_ratio.ipynb", as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(workplace)}}).execute()
    shown = [set(out.get("data", {})) for cell in notebook.cells for out in cell.get("outputs", [])]
    assert {"text/html"} & set().union(*shown)
    assert {"image/png"} & set().union(*shown)


@pytest.mark.slow
def test_the_page_of_interactions_runs(make, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    store, asked = Store(tmp_path / "runs", "reduction_ratio"), catalog.read(ROOT / "sweeps" / "reduction_ratio.py")
    for worse, recipe in enumerate(("digits", "digits_resnet50")):
        question = catalog.derive(asked, {}, recipe=recipe, seeds=6)
        for i, wanted in enumerate(plan.wanted(question.rows, 6, data.digest)):
            finish(store.open(wanted), make.record(wanted, 25 + 7 * i % 11 + 9 * worse * (i % 6 < 5)))
    notebook = nbformat.read(ANALYSIS / "interaction.ipynb", as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs)
    tables = [out["data"]["text/html"] for out in outputs if "text/html" in out.get("data", {})]
    assert "reference" in tables[0] and "paired" in tables[1]

"""Every question that is shipped."""

import ast
from pathlib import Path

import pytest

from senet_lab import catalog, design
from senet_lab.plan import fingerprint

FILES = sorted(Path(__file__).parents[1].joinpath("sweeps").glob("*.py"))


def test_there_are_sweeps_and_each_is_found_by_its_name() -> None:
    assert FILES
    assert {p.stem: p for p in FILES} == catalog.names(Path("no such folder"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_sweep_asks_a_question_with_rows_that_differ(path: Path) -> None:
    question = catalog.read(path)
    assert question.name == path.stem
    assert question.text.partition("\n")[0].endswith("?")
    labels = [row.label for row in question.rows]
    assert len(labels) > 1 and len(set(labels)) == len(labels)
    assert len({row.slug for row in question.rows}) == len(labels)
    assert len({fingerprint(row.trial, "data") for row in question.rows}) == len(labels)
    assert set(design.baselines(question.sweep, question.rows).values()) < set(labels)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_sweep_file_imports_nothing_but_the_package(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(n) for n in imports if not ast.unparse(n).startswith("from senet_lab import ")] == []


def test_the_reduction_ratio_question() -> None:
    """Table 10 of the paper, r = 2 to 32, and the control without SE; every row another network."""
    question = catalog.read(catalog.SHIPPED / "reduction_ratio.py")
    assert [row.label for row in question.rows] == [*(f"reduction={r}" for r in (2, 4, 8, 16, 32)), "no_se"]
    assert [row.trial.model.hidden_widths for row in question.rows] == [
        {2: (8,), 3: (16,)}, {2: (4,), 3: (8,)}, {2: (2,), 3: (4,)}, {2: (1,), 3: (2,)}, {2: (1,), 3: (1,)}, {}
    ]  # fmt: skip
    assert question.sweep.seeds == 20
    assert question.sweep.baseline == "no_se"

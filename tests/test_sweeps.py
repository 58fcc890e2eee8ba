"""Every question that is shipped."""

import ast
from pathlib import Path

import pytest

from senet_lab import catalog, design, recipes
from senet_lab.models.cost import count
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
    assert len(set(labels)) == len(labels) and (len(labels) > 1 or question.search)
    assert len({row.slug for row in question.rows}) == len(labels)
    assert len({fingerprint(row.trial, "data") for row in question.rows}) == len(labels)
    if question.search is None:
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


MEANT_FOR = {
    "reduction_ratio": "imagenet", "squeeze_operator": "imagenet", "excitation_operator": "imagenet",
    "stages": "imagenet", "integration": "imagenet", "role_of_squeeze": "imagenet", "architectures": "imagenet_100",
    "mobile_architectures": "imagenet_100", "cifar_architectures": "cifar10",
    "tuned_reduction_ratio": "imagenet", "search_se_block": "cifar10",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_sweep_asks_the_same_of_the_data_of_the_paper(path: Path) -> None:
    question = catalog.read(path)
    asked = catalog.derive(question, {}, recipe=MEANT_FOR[question.name])
    assert [row.label for row in asked.rows] == [row.label for row in question.rows]
    assert asked.sweep.base == getattr(recipes, MEANT_FOR[question.name].upper())
    assert all(getattr(row.trial.model, "width", 1) == 1 for row in asked.rows)
    assert not any(getattr(row.trial.model, "small_images", False) for row in asked.rows)


TABLES = {  # params in millions with batch-norm statistics, GFLOPs: v4 Tables 13, 15 and 16
    "stages": {
        "SE_Stage_2": (25.6, 3.86), "SE_Stage_3": (25.7, 3.86), "SE_Stage_4": (26.4, 3.86), "SE_All": (28.1, 3.87),
        "no_se": (25.6, 3.86),
    },
    "integration": {"SE": (28.1, 3.87), "SE_3x3": (25.8, 3.86)},
    "role_of_squeeze": {"no_se": (25.6, 3.86), "NoSqueeze": (28.1, 4.27), "SE": (28.1, 3.87)},
}  # fmt: skip


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in TABLES.items() for row in rows])
def test_rows_on_imagenet_cost_what_the_papers_tables_print(name: str, row: str) -> None:
    asked = catalog.derive(catalog.read(catalog.SHIPPED / f"{name}.py"), {}, recipe="imagenet")
    model = next(r for r in asked.rows if r.label == row).trial.model
    cost = count(model, channels=3, size=224, classes=1000)
    assert (round(cost.params_and_statistics / 1e6, 1), round(cost.macs / 1e9, 2)) == TABLES[name][row]

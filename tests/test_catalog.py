"""Finding and reading sweep files, and every way one can be wrong."""

from pathlib import Path

import pytest

from senet_lab import catalog, inventory, recipes
from senet_lab.errors import SpecError, SweepFileError, UserError
from senet_lab.spec import apply

GOOD = '''"""Does it matter?

In the paper it does.
"""

from senet_lab import SE, Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.reduction": [2, 4]},
    controls=["no_se"],
    baseline="no_se",
    seeds=3,
    margin=0.01,
)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a `sweeps` folder, in which names and relative paths are looked up."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweeps").mkdir()
    return tmp_path / "sweeps"


def write(path: Path, text: str = GOOD) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_a_question(folder: Path) -> None:
    found = catalog.read(write(folder / "mine.py"))
    assert found.name == "mine"
    assert found.text == "Does it matter?\n\nIn the paper it does."
    assert [r.label for r in found.rows] == ["reduction=2", "reduction=4", "no_se"]
    assert found.sweep.base == recipes.DIGITS


def test_a_changed_file_is_read_anew(folder: Path) -> None:
    assert catalog.read(write(folder / "mine.py")).sweep.seeds == 3
    assert catalog.read(write(folder / "mine.py", GOOD.replace("seeds=3", "seeds=12"))).sweep.seeds == 12


WRONG = {
    # what is wrong: old text, new text, line (None: the file as a whole), words
    "no Python": ("seeds=3,", "seeds=3 3,", 13, ["not Python"]),
    "an open bracket": (")\n", "\n", 8, ["not Python", "was never closed"]),
    "recipe misspelt": ("recipes.DIGITS", "recipes.DIGIT", 9, ["did you mean 'DIGITS'?"]),
    "import misspelt": ("import SE, Sweep,", "import SE, Sweeep,", 6, ["Sweeep"]),
    "name misspelt": ("Sweep(\n", "Swep(\n", 8, ["NameError", "'Swep'"]),
    "key misspelt": ("grid=", "gird=", 8, ["gird", "did you mean 'grid'?", "allowed:"]),
    "wrong type": ("seeds=3", 'seeds="3"', 8, ["seeds", "found '3'", "integer"]),
    "missing key": ("    margin=0.01,\n", "", 8, ["margin: is missing"]),
    "bad value in a part": ("base=recipes.DIGITS", "base=SE(reduction=0)", 9, ["reduction: found 0"]),
    "bad key in a part": ("base=recipes.DIGITS", "base=SE(reductoin=2)", 9, ["reductoin", "'reduction'"]),
    "wrong part": ("base=recipes.DIGITS", "base=SE()", 8, ["base"]),
    "its own exception": ("SWEEP =", "1 / 0\nSWEEP =", 8, ["ZeroDivisionError"]),
    "it ends the program": ("SWEEP =", "raise SystemExit(0)\nSWEEP =", 8, ["SystemExit"]),
    "no SWEEP": ("SWEEP =", "SWEPE =", None, ["SWEEP = Sweep(...) is missing"]),
    "SWEEP is no sweep": ("SWEEP =", "SWEEP = 3\nX =", None, ["SWEEP = Sweep(...) is missing", "int"]),
    "factor misspelt": ("model.se.reduction", "model.se.reductio", None, ["model.se.reductio", "'model.se.reduction'"]),
    "factor's value": ("[2, 4]", "[2, 0]", None, ["model.se.reduction: found 0"]),
    "listed twice": ("[2, 4]", "[2, 4, 2]", None, ["2 is listed twice"]),
    "same network": ("[2, 4]", "[32, 64]", None, ["reduction=32 and reduction=64 build the same network"]),
    "baseline no row": ('baseline="no_se"', 'baseline="no"', None, ["baseline: 'no' is not a row", "'no_se'"]),
    "baseline's key": ('baseline="no_se"', 'baseline={"model.sa": 2}', None, ["model.sa", "did you mean 'model.se'?"]),
}


@pytest.mark.parametrize("relative", [True, False], ids=["relative path", "absolute path"])
@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_file_is_refused_with_file_and_line(mistake: str, relative: bool, folder: Path) -> None:
    old, new, line, words = WRONG[mistake]
    assert old in GOOD
    path = write(folder / "mine.py", GOOD.replace(old, new))
    path = path.relative_to(folder.parent) if relative else path
    with pytest.raises(UserError) as caught:
        catalog.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert [w for w in words if w not in message] == []
    assert "Traceback" not in message and 'File "' not in message and "pydantic" not in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("content", [b'"""q"""\nx = 1\0\n', b'"""q"""\nx = "\xe9"\n', b""])
def test_bytes_that_are_no_sweep_are_refused(content: bytes, folder: Path) -> None:
    (folder / "mine.py").write_bytes(content)
    with pytest.raises(SweepFileError, match=r"mine\.py"):
        catalog.read(folder / "mine.py")


def test_a_mistake_in_a_file_that_the_sweep_imports_is_placed_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "imported_beside.py", "\n\nx = = 3\n")
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(SweepFileError, match=r"imported_beside\.py:3: "):
        catalog.read(write(folder / "mine.py", "import imported_beside\n" + GOOD))


@pytest.mark.parametrize("name", ["Mine.py", "2mine.py", "my-sweep.py", "_mine.py", "my sweep.py", "ä.py"])
def test_a_name_that_cannot_be_a_run_folder_is_refused(name: str, folder: Path) -> None:
    with pytest.raises(SweepFileError, match=r"lower-case letters, digits and _.*rename it"):
        catalog.read(write(folder / name))


@pytest.mark.parametrize("what", ["no/such.py", "such.py", "./sweeps/such", "sweeps"])
def test_a_file_or_name_that_is_not_there_is_refused(what: str, folder: Path) -> None:
    with pytest.raises(SweepFileError, match="there is no"):
        catalog.find(what)


def test_a_misspelt_name_is_refused_with_the_nearest(folder: Path) -> None:
    write(folder / "mine.py")
    with pytest.raises(SweepFileError, match=r"did you mean 'mine'\?.*allowed: .*mine.*reduction_ratio"):
        catalog.find("mien")
    with pytest.raises(SweepFileError, match=r"did you mean 'reduction_ratio'\?"):
        catalog.find("reduction_ration")


def test_the_working_folders_sweeps_come_before_those_shipped(folder: Path) -> None:
    assert catalog.find("reduction_ratio") == catalog.SHIPPED / "reduction_ratio.py"
    write(folder / "reduction_ratio.py")
    assert catalog.find("reduction_ratio").resolve() == folder / "reduction_ratio.py"
    assert catalog.find("sweeps/reduction_ratio.py").resolve() == folder / "reduction_ratio.py"


def test_files_that_are_no_sweeps_are_not_offered(folder: Path) -> None:
    for name in ("_helper.py", "README.md", "Old.py"):
        write(folder / name)
    assert set(catalog.names()) == set(catalog.names(folder / "nowhere"))


def test_derive_asks_the_same_question_elsewhere(folder: Path) -> None:
    question = catalog.read(write(folder / "mine.py"))
    derived = catalog.derive(question, {"train.epochs": 3, "model.widths": [32, 64]}, seeds=7)
    assert derived.sweep.seeds == 7 and derived.sweep.base.train.epochs == 3
    assert all(r.trial.train.epochs == 3 and r.trial.model.widths == (32, 64) for r in derived.rows)
    assert [r.label for r in derived.rows] == [r.label for r in question.rows]
    assert question.sweep.base == recipes.DIGITS
    assert catalog.derive(derived, {}, recipe="digits").sweep.base == recipes.DIGITS
    assert catalog.derive(question, {}) == question


@pytest.mark.parametrize(
    ("settings", "more", "words"),
    [
        ({"train.epoch": 3}, {}, ["command line: train.epoch", "did you mean 'train.epochs'?"]),
        ({"train.epochs": "many"}, {}, ["command line: train.epochs: found 'many'"]),
        ({}, {"seeds": 0}, ["command line: seeds: found 0"]),
        ({}, {"recipe": "digts"}, ["command line: recipe", "did you mean 'digits'?"]),
        ({"model.widths": [1, 2]}, {}, ["build the same network"]),
        ({"seed": 4}, {}, ["seed"]),
    ],
)
def test_a_wrong_option_is_refused(settings: dict[str, object], more: dict[str, object], words: list[str],
                                   folder: Path) -> None:  # fmt: skip
    question = catalog.read(write(folder / "mine.py"))
    with pytest.raises(SpecError) as caught:
        catalog.derive(question, settings, **more)  # type: ignore[arg-type]
    assert [w for w in words if w not in str(caught.value)] == []


def test_a_validation_part_larger_than_the_pool_is_refused_before_anything_starts(folder: Path) -> None:
    question = catalog.derive(catalog.read(write(folder / "mine.py")), {"data.validation": 906})
    with pytest.raises(SpecError, match=r"mine\.py: .*data\.validation: found 906; the training pool has 906 images"):
        inventory.take(question, folder / "runs")
    assert not (folder / "runs").exists()


def test_an_inventory_sets_the_question_against_what_is_there(folder: Path) -> None:
    question = catalog.read(write(folder / "mine.py"))
    found = inventory.take(question, folder / "runs")
    assert len(found.planned) == 9 and found.records == ()
    assert found.plan.counts() == {"missing": 9}
    found.store.open(found.planned[4])
    assert inventory.take(question, folder / "runs").plan.counts() == {"missing": 8, "interrupted": 1}


def test_apply_and_the_file_agree_on_what_a_row_is(folder: Path) -> None:
    found = catalog.read(write(folder / "mine.py"))
    assert all(apply(found.sweep.base, r.settings) == r.trial for r in found.rows)


def test_a_report_is_named_by_all_that_was_asked_otherwise() -> None:
    asked = catalog.read(catalog.find("reduction_ratio"))
    more = catalog.derive(asked, {"train.epochs": 5}, seeds=2, recipe="digits")
    assert asked.report_name == "reduction_ratio"
    assert more.report_name == "reduction_ratio+recipe-digits+seeds-2+train.epochs-5"
    assert catalog.derive(asked, {}, seeds=asked.sweep.seeds).report_name == "reduction_ratio"
    changes = {"model.widths": [16, 48], "train.momentum": 0.8, "train.learning_rate": 0.05, "train.weight_decay": 1e-4}
    many = catalog.derive(asked, changes | {"train.epochs": 5, "data.validation": 100, "data.crop_padding": 0})
    assert len(many.report_name) < 40 and many.report_name != "reduction_ratio"

"""Spaces, studies and searches as values: what may be asked for, and what is refused in which words."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from senet_lab import catalog
from senet_lab.errors import SpecError
from senet_lab.explain import explain
from senet_lab.spec import Choice, Float, Int, Search, Tune
from senet_lab.spec.space import applies, corners, settings
from tests.conftest import TINY
from tests.studies import RATE, SEARCHED, TUNED, asked, take

SPACE: dict[str, Any] = {
    "model.se": Choice(options={"off": None, "on": {}}),
    "model.se.reduction": Choice(options=[2, 4], when={"model.se": "on"}),
    "train.learning_rate": Float(low=0.01, high=1.0, log=True),
}


def test_a_setting_is_there_only_where_its_condition_holds() -> None:
    inner = SPACE["model.se.reduction"]
    assert applies(inner, {"model.se": "on"}) and not applies(inner, {"model.se": "off"}) and not applies(inner, {})
    either = Int(low=1, high=2, when={"n": [3, 5]})
    assert applies(either, {"n": 5}) and not applies(either, {"n": 4})


def test_labels_stand_for_their_values() -> None:
    space = {"a": Choice(options=[[1, 2], "x", 3]), "b": Choice(options={"none": None})}
    assert settings(space, {"a": "1+2", "b": "none"}) == {"a": (1, 2), "b": None} or settings(space, {"a": "1+2"}) == {
        "a": [1, 2]
    }
    assert settings(space, {"a": "3"}) == {"a": 3}


def test_every_end_and_option_is_tried_with_what_it_needs() -> None:
    tried = list(corners(SPACE))
    assert {"model.se": "off", "train.learning_rate": 0.01} in tried
    assert {"model.se": "on", "model.se.reduction": "4", "train.learning_rate": 0.01} in tried
    assert any(one["train.learning_rate"] == 1.0 for one in tried)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (
            {"a": Float(low=0.1, high=1.0, when={"b": 1}), "b": Int(low=1, high=2)},
            r"space\.a: when names b, which does not stand before it; let b stand first",
        ),
        (
            {"train.epochs": Int(low=1, high=2), "a": Float(low=0.1, high=1.0, when={"train.epoch": 1})},
            r"when names train\.epoch, .* did you mean 'train\.epochs'",
        ),
        (
            {"model.se": SPACE["model.se"], "model.se.reduction": Int(low=1, high=4)},
            r"space\.model\.se\.reduction: it would bring model\.se back where 'off' is chosen; "
            r"add when=\{'model\.se': 'on'\}",
        ),
        (
            {
                "model.se": SPACE["model.se"],
                "train.epochs": Int(low=1, high=2),
                "model.se.reduction": Int(low=1, high=4, when={"train.epochs": 1}),
            },
            r"it would bring model\.se back",
        ),
        (
            {"model.se": SPACE["model.se"], "a": Float(low=0.1, high=1.0, when={"model.se": "maybe"})},
            r"space\.a: when model\.se is 'maybe'.*off, on",
        ),
        ({}, "at least 1"),
    ],
)
def test_impossible_spaces_are_refused(space: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Tune(space=space, trials=4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Float(low=1.0, high=1.0), r"low 1 is not below high 1"),
        (lambda: Float(low=0.0, high=1.0, log=True), r"low 0 with log: a logarithm needs"),
        (lambda: Int(low=1, high=8, step=2, log=True), r"step 2 and log exclude each other"),
        (lambda: Choice(options=[1, 2, 1]), r"one is listed twice"),
        (lambda: Tune(space=SPACE, trials=4, sampler="grid"), r"sampler 'grid' needs lists; train\.learning_rate"),
        (lambda: search(objectives=["params"]), r"without the error nothing is trained for"),
        (lambda: search(objectives=["error", "error"]), r"one is listed twice"),
        (lambda: search(objectives=["error", "params"], sampler="cmaes"), r"'cmaes' knows one objective"),
    ],
)
def test_what_cannot_be_studied_cannot_be_built(make: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make()


def search(**changes: Any) -> Search:
    return Search(**({"base": TINY, "space": SPACE, "trials": 4, "seeds": 2, "margin": 0.01} | changes))


def test_a_tuned_sweep_has_its_rows_and_its_study(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=4)
    assert [row.label for row in question.rows] == ["reduction=2", "no_se"]
    assert question.study == question.sweep.tune and question.search is None
    changed = catalog.derive(question, {"train.epochs": 3}, seeds=5)
    assert changed.study == question.study and changed.sweep.seeds == 5


def test_a_search_measures_its_base(tmp_path: Path) -> None:
    question = asked(tmp_path, SEARCHED, trials=4)
    assert [row.label for row in question.rows] == ["base"] and question.study is question.search
    changed = catalog.derive(question, {"train.epochs": 3}, seeds=5)
    assert changed.search is not None and changed.search.base.train.epochs == 3 and changed.search.seeds == 5


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"model.se.reduction": Choice(options=[2, 4])}, r"model\.se\.reduction would bring into no_se"),
        ({"model.se.placement": Choice(options=["pre"])}, r"model\.se\.placement would bring into no_se"),
        (
            {"model.se": Choice(options={"a": {}, "b": {"gate": "tanh"}})},
            r"the sweep itself gives model\.se\.reduction",
        ),
        ({"data.validation": Choice(options=[50, 100])}, r"data\.validation is not to be chosen"),
        ({"data": Choice(options={"a": {}})}, r"data is not to be chosen"),
        ({"train": Choice(options={"a": {}})}, r"train is not to be chosen"),
        ({"train.learning_rat": Float(low=0.1, high=0.2)}, r"learning_rat.*did you mean 'train\.learning_rate'"),
        ({"train.learning_rate": Float(low=0.1, high=200.0)}, r"train\.learning_rate: found 200"),
        ({"train.epochs": Float(low=1, high=3)}, r"train\.epochs: found 1\.0; .*: give train\.epochs Int\(low="),
    ],
)
def test_a_space_that_no_trial_can_have_is_refused_with_the_file(
    tmp_path: Path, space: dict[str, Any], words: str
) -> None:
    text = f"""
from senet_lab import Choice, Float, Sweep, Tune
from tests.conftest import TINY
SWEEP = Sweep(base=TINY, grid={{"model.se.reduction": [2]}}, controls=["no_se"], baseline="no_se", seeds=2, margin=0.01,
    tune=Tune(trials=4, space={{{", ".join(f"{k!r}: {v!r}" for k, v in space.items())}}}))
"""
    (tmp_path / "studied.py").write_text(text)
    with pytest.raises(SpecError, match=rf"studied\.py: space: .*{words}"):
        catalog.read(tmp_path / "studied.py")


def test_a_setting_that_is_chosen_is_not_set(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--set train\.learning_rate: the study of .* chooses it"):
        catalog.derive(asked(tmp_path, TUNED, trials=4), {RATE: 0.1})


@pytest.mark.parametrize(
    ("when", "words"),
    [({"train.epochs": []}, "one of nothing"), ({"train.epochs": 9}, "when train.epochs is 9; a condition names")],
)
def test_conditions_that_can_never_hold_are_refused(when: dict[str, Any], words: str) -> None:
    space = {"train.epochs": Int(low=1, high=3), "train.momentum": Float(low=0.1, high=0.9, when=when)}
    with pytest.raises(ValidationError, match=words):
        Tune(space=space, trials=2)


def test_a_batch_that_the_data_cannot_fill_is_refused_before_anything_runs(tmp_path: Path) -> None:
    space = 'space={{"train.batch_size": Choice(options=[64, 5000])}}, {search})'
    question = asked(tmp_path, SEARCHED.split("space={{")[0] + space, trials=2)
    with pytest.raises(SpecError, match=r"studied\.py: space: base with .*5000.*train\.batch_size"):
        take(question, tmp_path)


def test_what_a_space_is_made_of_is_told() -> None:
    with pytest.raises(ValidationError) as refused:
        Tune(space={RATE: (0.1, 1.0)}, trials=2)
    said = explain(refused.value, Tune)
    assert said == f"space.{RATE}: found (0.1, 1.0); allowed: Choice(...), Float(...), Int(...)"


def test_a_recipe_with_other_settings_is_a_base(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from senet_lab import Sweep, apply, recipes\n"
        'SWEEP = Sweep(base=apply(recipes.DIGITS, {"train.epochs": 3}), grid={"model.se.reduction": [2]}, '
        'controls=["no_se"], baseline="no_se", seeds=2, margin=0.01)\n'
    )
    assert {row.trial.train.epochs for row in catalog.read(tmp_path / "mine.py").rows} == {3}

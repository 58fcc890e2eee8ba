"""From a sweep to its rows."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from senet_lab import catalog, models
from senet_lab.design import Variant, baselines, factors, variants
from senet_lab.errors import SpecError
from senet_lab.spec import SE, Data, Model, Sweep, Train, Trial, apply

BASE = Trial(
    model=Model(depth=6, widths=(16, 32)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=2, batch_size=128, learning_rate=0.1),
)


def sweep(base: Trial = BASE, **design: Any) -> Sweep:
    fixed = {"controls": ["no_se"], "baseline": "no_se", "seeds": 2, "margin": 0.01}
    return Sweep(**({"base": base} | fixed | design))


def rows(base: Trial = BASE, **design: Any) -> tuple[Variant, ...]:
    return variants(sweep(base, **design))


def labels(base: Trial = BASE, **design: Any) -> list[str]:
    return [v.label for v in rows(base, **design)]


def test_grid_crosses_its_factors_in_the_order_of_the_file() -> None:
    found = rows(grid={"model.se.reduction": [4, 2], "model.se.gate": ["tanh", "relu"]}, controls=[], baseline={
        "model.se.reduction": 4, "model.se.gate": "relu"})  # fmt: skip
    assert [v.label for v in found] == [
        "reduction=4,gate=tanh", "reduction=4,gate=relu", "reduction=2,gate=tanh", "reduction=2,gate=relu"
    ]  # fmt: skip
    assert [v.trial.model.se for v in found] == [
        SE(reduction=4, gate="tanh"), SE(reduction=4, gate="relu"), SE(reduction=2, gate="tanh"),
        SE(reduction=2, gate="relu"),
    ]  # fmt: skip


def test_one_at_a_time_changes_one_factor_of_the_base_per_row() -> None:
    found = rows(one_at_a_time={"model.se.squeeze": ["max"], "train.epochs": [3, 4]})
    assert [v.label for v in found] == ["squeeze=max", "epochs=3", "epochs=4", "no_se"]
    assert [v.trial.train.epochs for v in found] == [2, 3, 4, 2]


def test_leave_one_out_is_the_base_and_the_base_with_one_thing_replaced() -> None:
    full = apply(BASE, {"model.se.reduction": 4, "data.flip": True})
    found = rows(full, leave_one_out={"data.flip": False, "model.se": None}, controls=[], baseline="base")
    assert [v.label for v in found] == ["base", "flip=False", "se=None"]
    assert found[0].trial == full
    assert not found[1].trial.data.flip and found[1].trial.model.se == full.model.se
    assert found[2].trial.data.flip and found[2].trial.model.se is None


def test_zip_moves_its_factors_in_step() -> None:
    found = rows(zip={"train.epochs": [2, 3], "model.se.reduction": [4, 8]})
    assert [v.label for v in found] == ["epochs=2,reduction=4", "epochs=3,reduction=8", "no_se"]
    with pytest.raises(SpecError, match=r"zip: .*equally long.*3.*2"):
        rows(zip={"train.epochs": [2, 3, 4], "model.se.reduction": [4, 8]})


def test_a_zip_may_repeat_a_value() -> None:
    assert len(rows(zip={"train.epochs": [2, 2], "model.se.reduction": [4, 8]})) == 3


def test_designs_are_united_and_equal_rows_are_one() -> None:
    found = labels(
        grid={"model.se.reduction": [2, 4]},
        variants=[{"model.se.reduction": 4}, {"model.se.reduction": 8}, {"model.se": {"reduction": 2}}],
    )
    assert found == ["reduction=2", "reduction=4", "reduction=8", "no_se"]


def test_a_control_that_is_a_row_already_is_refused() -> None:
    with pytest.raises(SpecError, match="controls: no_se is the row se=None already"):
        rows(variants=[{"model.se": None}, {"model.se.reduction": 4}])


def test_labels_name_no_more_of_a_path_than_tells_it_apart() -> None:
    assert labels(grid={"model.se.reduction": [4]}) == ["reduction=4", "no_se"]
    assert labels(one_at_a_time={"model.se.stages": [(2,), (2, 3)]}) == ["stages=2", "stages=2+3", "no_se"]


def test_labels_say_whose_reduction_a_stage_has() -> None:
    assert labels(grid={"model.se.reduction_in.stage2": [4], "model.se.reduction_in.stage3": [8]}) == [
        "reduction_in.stage2=4,reduction_in.stage3=8", "no_se",
    ]  # fmt: skip
    whole = {"model.se.reduction_in": [{"stage2": 4, "stage3": 8}, SE(reduction=4).reduction_in]}
    assert labels(grid=whole) == ["reduction_in=(stage2=4,stage3=8)", "reduction_in=()", "no_se"]


def test_a_slug_may_stand_in_a_path() -> None:
    found = rows(grid={"model.se.stages": [(2,)], "train.learning_rate": [0.05]})[0]
    assert found.label == "stages=2,learning_rate=0.05"
    assert found.slug == "stages-2-learning_rate-0.05"


def test_factors_leave_controls_aside() -> None:
    found = rows(grid={"model.se.reduction": [4]}, one_at_a_time={"train.epochs": [3]})
    assert factors(found) == ("model.se.reduction", "train.epochs")


def test_the_order_of_other_rows_and_rerunning_change_nothing() -> None:
    assert rows(grid={"model.se.reduction": [2, 4]}) == rows(grid={"model.se.reduction": [2, 4]})


@pytest.mark.parametrize("values", [[2, 4, 2], [2, 2.0]])
def test_a_value_listed_twice_is_refused(values: list[Any]) -> None:
    with pytest.raises(SpecError, match=r"grid\['model\.se\.reduction'\]: 2.* is listed twice"):
        rows(grid={"model.se.reduction": values})


def test_a_setting_that_no_trial_may_have_is_refused() -> None:
    with pytest.raises(SpecError, match=r"model\.se\.reductoin.*did you mean 'model\.se\.reduction'"):
        rows(grid={"model.se.reductoin": [2]})


@pytest.mark.parametrize(
    "design", [{"grid": {"seed": [0, 1]}}, {"one_at_a_time": {"seed": [3]}}, {"base": apply(BASE, {"seed": 7})}]
)
def test_seeds_belong_to_the_sweep_and_are_no_factor(design: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="seed"):
        rows(**({"grid": {"model.se.reduction": [4]}} | design))


def test_a_baseline_is_a_row_by_name_or_by_settings() -> None:
    asked = sweep(grid={"model.se.reduction": [2, 4]}, baseline={"model.se.reduction": 4})
    assert baselines(asked, variants(asked)) == {"reduction=2": "reduction=4", "no_se": "reduction=4"}
    asked = sweep(grid={"model.se.reduction": [2, 4]}, baseline="reduction=2")
    assert baselines(asked, variants(asked)) == {"reduction=4": "reduction=2", "no_se": "reduction=2"}


def test_each_row_can_have_a_counterpart_of_its_own() -> None:
    networks = {"8": {"model.depth": 6}, "8 wide": {"model.depth": 6, "model.widths": (32, 64)}}
    gated = {f"SE-{name}": {**settings, "model.se.reduction": 4} for name, settings in networks.items()}
    asked = sweep(variants=networks | gated, controls=[], baseline=None, counterpart={"model.se": None})
    assert [v.label for v in variants(asked)] == ["8", "8 wide", "SE-8", "SE-8 wide"]
    assert baselines(asked, variants(asked)) == {"SE-8": "8", "SE-8 wide": "8 wide"}


def test_a_counterpart_that_no_row_has_is_refused() -> None:
    with pytest.raises(SpecError, match=r"counterpart: no row .*the rows are SE"):
        rows(variants={"SE": {"model.se.reduction": 4}}, controls=[], baseline=None, counterpart={"model.se": None})


def test_rows_with_names_of_their_own_keep_them() -> None:
    found = rows(variants={"SE-PRE": {"model.se.placement": "pre"}, "SE": {"model.se.placement": "standard"}})
    assert [v.label for v in found] == ["SE-PRE", "SE", "no_se"]
    with pytest.raises(SpecError, match="variants: again is the row SE already"):
        rows(variants={"SE": {"model.se.reduction": 4}, "again": {"model.se.reduction": 4}})
    with pytest.raises(SpecError, match="two rows are called no_se"):
        rows(variants={"no_se": {"model.se.reduction": 4}})


def test_no_squeeze_is_se_without_its_pooling() -> None:
    found = rows(grid={"model.se.reduction": [4]}, controls=["no_se", "no_squeeze"])
    assert [v.trial.model.se for v in found][2] == SE(squeeze="none")


@pytest.mark.parametrize("wrong", ["no_es", {"model.se.reduction": 3}, "reduction=3"])
def test_a_baseline_that_is_no_row_is_refused_with_the_rows_there_are(wrong: Any) -> None:
    with pytest.raises(SpecError, match=r"baseline: .*not a row.*allowed: reduction=2, reduction=4, no_se"):
        rows(grid={"model.se.reduction": [2, 4]}, baseline=wrong)


def refused(**design: Any) -> list[str]:
    with pytest.raises(SpecError) as told:
        rows(**design)
    return str(told.value).splitlines()


def test_everything_that_is_wrong_is_told_at_once_a_line_each() -> None:
    lines = refused(grid={"model.se.reduction": [2, 32, 64, 128]}, baseline="no_es")
    assert lines[0].startswith("reduction=32 and reduction=64 build the same network: hidden widths per stage {2: (1,)")
    assert lines[1].startswith("reduction=32 and reduction=128 build the same network")
    assert lines[2].startswith("baseline: 'no_es' is not a row of this sweep; did you mean 'no_se'?")
    assert len(lines) == 3


def test_a_row_that_could_not_be_made_is_told_once_and_not_missed_as_a_baseline() -> None:
    lines = refused(
        grid={"model.se.reduction": [2, 2], "model.se.gate": ["sigmoidd", "tanh"]},
        baseline={"model.se.reduction": 2, "model.se.gate": "sigmoid"},
    )
    assert [line.partition(":")[0] for line in lines] == ["grid['model.se.reduction']", "model.se.gate"]


def in_stage_3(placement: str) -> Trial:
    return apply(BASE, {"model.se.placement": placement, "model.se.stages": (3,)})


SAME = [
    pytest.param(BASE, {"grid": {"model.se.reduction": [16, 17]}}, id="16//16 = 16//17 and 32//16 is not"),
    pytest.param(BASE, {"grid": {"model.se.reduction": [32, 64]}}, id="all widths 1"),
    pytest.param(BASE, {"grid": {"model.se.reduction": [9, 10]}}, id="32//9 = 32//10, 16//9 = 16//10"),
    pytest.param(BASE, {"grid": {"model.se.stages": ["all", (2, 3)]}}, id="all stages named"),
    pytest.param(BASE, {"grid": {"model.se.reduction_in": [{}, {"stage2": 16}]}}, id="a stage's own r is that of all"),
    pytest.param(BASE, {"grid": {"model.se.reduction_in.stage3": [9, 10]}}, id="32//9 = 32//10"),
    pytest.param(BASE, {"grid": {"model.se.reduction_in.stage2": [9, 8]}}, id="16//9 is not 16//8"),
    pytest.param(BASE, {"grid": {"model.se.reduction_in": [{"stage2": 4}, {"stage3": 4}]}}, id="another stage's"),
    pytest.param(
        BASE,
        {"grid": {"model.se": [{"reduction": 4}, {"reduction": 8, "reduction_in": {"stage2": 4, "stage3": 4}}]}},
        id="r, or the same of every stage",
    ),
    pytest.param(
        BASE,
        {"grid": {"model.se": [{"stages": [2]}, {"stages": [2], "reduction": 2, "reduction_in": {"stage2": 16}}]}},
        id="r that no stage has is no setting",
    ),
    pytest.param(BASE, {"grid": {"model.se.stages": [(2, 3), (3, 2)]}}, id="stages in another order"),
    pytest.param(BASE, {"grid": {"model.se.stages": [(3,), (3, 3)]}}, id="a stage named twice"),
    pytest.param(in_stage_3("pre"), {"grid": {"model.se.reduction": [16, 32]}}, id="pre sees the stage before"),
    pytest.param(
        apply(in_stage_3("pre"), {"model.widths": (48, 32)}), {"grid": {"model.se.reduction": [9, 10]}}, id="pre, wider"
    ),
    pytest.param(BASE, {"grid": {"model.se.reduction": [2, 4, 8, 16, 32]}}, id="the shipped question"),
]


@pytest.mark.parametrize(("base", "design"), SAME)
def test_rows_are_refused_exactly_when_they_build_the_same_network(base: Trial, design: dict[str, Any]) -> None:
    """Against the networks themselves: their parameters by name and shape."""
    key, values = next(iter(design["grid"].items()))
    trials = [apply(base, {key: value}) for value in values]
    shapes = {str([(n, tuple(p.shape)) for n, p in build(t.model).named_parameters()]) for t in trials}
    if len(shapes) == len(trials):
        assert len(rows(base, **design)) == len(trials) + 1
    else:
        with pytest.raises(SpecError, match="build the same network: hidden widths per stage"):
            rows(base, **design)


def test_equal_shapes_with_another_operator_are_another_network() -> None:
    assert len(rows(grid={"model.se.gate": ["sigmoid", "tanh"], "model.se.placement": ["standard", "post"]})) == 5


def build(model: Model) -> nn.Module:
    return models.build(model, channels=1, classes=10, seed=0, device=torch.device("meta"))


def test_a_row_that_was_tuned_is_still_compared_to_what_it_was_asked_beside() -> None:
    question = catalog.read(catalog.find("tuned_reduction_ratio"))
    rows = [
        replace(row, trial=apply(row.trial, {"train.learning_rate": 0.3}), origin=row.trial) for row in question.rows
    ]
    assert baselines(question.sweep, tuple(rows)) == baselines(question.sweep, question.rows)
    counterpart = question.sweep.model_copy(update={"baseline": None, "counterpart": {"model.se": None}})
    assert set(baselines(counterpart, tuple(rows)).values()) == {"no_se"}

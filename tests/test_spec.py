"""What may be asked for, and how everything else is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from senet_lab import recipes
from senet_lab.errors import SpecError
from senet_lab.explain import explain
from senet_lab.spec import (
    ASHA,
    SE,
    CifarResNet,
    Data,
    Median,
    Model,
    Reductions,
    ResNet,
    Sweep,
    Train,
    Trial,
    apply,
    families,
)

TRIAL = Trial(
    model=Model(depth=8, widths=(4, 8, 16), se=SE(reduction=2)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=2, batch_size=128, learning_rate=0.1),
)

REFUSED = [
    # key, what was found, words that the message has to contain
    ("model.se.reduction", 0, ["found 0", "greater than or equal to 1"]),
    ("model.se.reduction", -4, ["found -4", "greater than or equal to 1"]),
    ("model.se.reduction", "8", ["found '8'", "valid integer"]),
    ("model.se.reduction", 8.0, ["found 8.0", "valid integer"]),
    ("model.se.reduction", True, ["found True", "valid integer"]),
    ("model.se.reduction", None, ["found None", "valid integer"]),
    ("model.se.squeeze", "avgg", ["found 'avgg'", "did you mean 'avg'?", "allowed: avg, max, none"]),
    ("model.se.squeeze", "MAX", ["found 'MAX'", "allowed: avg, max, none"]),
    ("model.se.gate", "sigmoyd", ["found 'sigmoyd'", "did you mean 'sigmoid'?", "allowed: sigmoid, tanh, relu"]),
    ("model.se.placement", "pst", ["did you mean 'post'?", "allowed: standard, pre, post, identity, conv3x3"]),
    ("model.se.stages", "al", ["found 'al'", "did you mean 'all'?"]),
    ("model.se.stages", [0], ["found 0", "greater than or equal to 1"]),
    ("model.se.stages", [1], ["stage [1]", "stages [2, 3, 4]", "the stem is stage 1"]),
    ("model.se.stages", [5], ["stage [5]", "stages [2, 3, 4]"]),
    ("model.se.stages", [], ["found []; it should have at least 1 item"]),
    ("model.se.stages", ["2"], ["found '2'", "valid integer"]),
    ("model.se.reduction_in", 8, ["found 8", "a dict {key: ...}"]),
    ("model.se.reduction_in.stage2", 0, ["model.se.reduction_in.stage2: found 0", "greater than or equal to 1"]),
    ("model.se.reduction_in.stage2", "8", ["found '8'", "valid integer"]),
    (
        "model.se.reduction_in.stage22",
        8,
        ["there is no such key", "did you mean 'model.se.reduction_in.stage2'?", "stage1, stage2, "],
    ),
    (
        "model.se.reduction_in",
        {"stage1": 8},
        ["se.reduction_in names stage [1]", "stages [2, 3, 4]", "the stem is stage 1"],
    ),
    ("model.se.reduction_in", {"stage5": 4, "stage7": 8}, ["stage [5, 7]", "stages [2, 3, 4]"]),
    ("model.se.reductoin_in.stage2", 8, ["there is no model.se.reductoin_in", "did you mean 'model.se.reduction_in'?"]),
    (
        "model.se",
        {"stages": [4, 2], "reduction_in": {"stage3": 8}},
        ["se.reduction_in names stage [3], which has no block", "se.stages names [2, 4]", "name the stage there, too"],
    ),
    ("model.se.bias", 1, ["found 1", "valid boolean"]),
    ("model.se", 5, ["found 5"]),
    ("model.family", "resnett", ["found 'resnett'", "did you mean 'resnet'?", "cifar_resnet, "]),
    ("model.depth", 9, ["depth 9", "6 x blocks + 2", "e.g. 8 or 14"]),
    ("model.depth", 2, ["found 2", "greater than or equal to 4"]),
    ("model.depth", 4, ["depth 4", "e.g. 8 or 14"]),
    ("model.widths", [], ["found []", "at least 1 item"]),
    ("model.widths", [4, 0, 8], ["found 0", "greater than or equal to 1"]),
    ("model.widths", 16, ["found 16", "a list"]),
    ("data.source", "digit", ["found 'digit'", "did you mean 'digits'?"]),
    ("data.validation", 0, ["found 0", "greater than or equal to 1"]),
    ("data.crop_padding", 9, ["found 9", "less than or equal to 8"]),
    ("data.flip", "yes", ["found 'yes'", "valid boolean"]),
    ("train.epochs", True, ["found True", "valid integer"]),
    ("train.epochs", 1.5, ["found 1.5", "valid integer"]),
    ("train.batch_size", 1, ["found 1", "greater than or equal to 2"]),
    ("train.learning_rate", 0.0, ["found 0.0", "greater than 0"]),
    ("train.learning_rate", float("nan"), ["found nan"]),
    ("train.learning_rate", float("inf"), ["found inf", "less than 100"]),
    ("train.learning_rate", "0.1", ["found '0.1'", "valid number"]),
    ("train.momentum", 1.0, ["found 1.0", "less than 1"]),
    ("train.weight_decay", -0.1, ["found -0.1", "greater than or equal to 0"]),
    ("train.label_smoothing", 1.0, ["found 1.0", "less than 1"]),
    ("train.schedule", "cosin", ["did you mean 'cosine'?", "allowed: constant, cosine, step"]),
    ("train.schedule", "step", ["schedule 'step' needs drops"]),
    ("train.drops", [1], ["drops [1]", "found 'cosine'"]),
    ("data.source", "parquet:", ["which folder", "parquet:images"]),
    ("data.image_size", 32, ["image_size", "digits has images of one size"]),
    ("train.warmup_epochs", 2.0, ["warmup_epochs 2", "2 epochs", "fewer"]),
    ("seed", -1, ["found -1", "greater than or equal to 0"]),
    ("seed", 2**31, ["less than 2147483648"]),
]


@pytest.mark.parametrize(("key", "value", "words"), REFUSED, ids=lambda p: str(p) if not isinstance(p, list) else "")
def test_a_bad_value_is_refused_with_key_found_and_allowed(key: str, value: Any, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        apply(TRIAL, {key: value})
    message = str(caught.value)
    assert key.rsplit(".", 1)[-1] in message
    assert [w for w in words if w not in message] == []
    assert "pydantic" not in message and "Traceback" not in message


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.se.reductoin", ["model.se.reductoin", "did you mean 'model.se.reduction'?", "placement"]),
        ("model.dept", ["model.dept", "did you mean 'model.depth'?", "allowed: depth, family, se, weights, widths"]),
        ("modle.depth", ["modle.depth", "there is no modle", "did you mean 'model'?"]),
        ("modle", ["modle", "did you mean 'model'?", "allowed: data, model, seed, train"]),
        ("train.lr", ["train.lr", "learning_rate"]),
        ("train.epochs.last", ["train.epochs.last", "train.epochs is a value", "set train.epochs"]),
        ("model.widths.0", ["model.widths.0", "set model.widths"]),
        ("model.", ["model.", "allowed: depth, family, se, weights, widths"]),
        ("", ["no such key", "allowed: data, model, seed, train"]),
    ],
)
def test_a_key_that_does_not_exist_is_refused_with_the_nearest_spelling(key: str, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        apply(TRIAL, {key: 4})
    assert [w for w in words if w not in str(caught.value)] == []


def test_a_misspelt_key_inside_a_block_that_is_switched_on_by_it() -> None:
    plain = apply(TRIAL, {"model.se": None})
    with pytest.raises(SpecError, match=r"model\.se\.gait.*did you mean 'model\.se\.gate'"):
        apply(plain, {"model.se.gait": "tanh"})


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        apply(TRIAL, {"model.depth": "20", "train.epochs": 0})
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["model.depth", "train.epochs"]


def test_missing_keys_are_named() -> None:
    with pytest.raises(ValidationError) as caught:
        Train(epochs=2, batch_size=8)  # type: ignore[call-arg]
    assert explain(caught.value, Train) == "learning_rate: is missing; give it a value"


def test_apply_replaces_only_what_it_is_told_and_leaves_the_original_alone() -> None:
    before = TRIAL.model_dump_json()
    after = apply(TRIAL, {"model.se.reduction": 4, "train.epochs": 3})
    assert after.model.se is not None and after.model.se.reduction == 4 and after.train.epochs == 3
    assert apply(after, {"model.se.reduction": 2, "train.epochs": 2}) == TRIAL
    assert TRIAL.model_dump_json() == before


def test_a_setting_inside_an_absent_block_brings_the_block_in() -> None:
    assert recipes.DIGITS.model.se is None
    assert apply(recipes.DIGITS, {"model.se.gate": "tanh"}).model.se == SE(gate="tanh")


def test_a_reduction_of_a_single_stage_brings_in_what_is_not_there() -> None:
    se = SE(gate="tanh", reduction_in=Reductions(stage2=2))
    for settings in (
        {"model.se.gate": "tanh", "model.se.reduction_in.stage2": 2},
        {"model.se.reduction_in.stage2": 2, "model.se.gate": "tanh"},
        {"model.se": {"gate": "tanh"}, "model.se.reduction_in.stage2": 2},
        {"model.se": {"gate": "tanh", "reduction_in": {"stage2": 2}}},
        {"model.se.gate": "tanh", "model.se.reduction_in": Reductions(stage2=2)},
    ):
        assert apply(recipes.DIGITS, settings).model.se == se, settings
    with pytest.raises(SpecError, match=r"there is no model\.se\.reductoin_in; did you mean 'model\.se\.reduction_in'"):
        apply(recipes.DIGITS, {"model.se.reductoin_in.stage2": 8})


def test_apply_checks_rules_between_fields_of_unchanged_parts_too() -> None:
    late = apply(TRIAL, {"train.warmup_epochs": 1.5})
    with pytest.raises(SpecError, match=r"warmup_epochs 1\.5 leaves nothing of 1 epochs"):
        apply(late, {"train.epochs": 1})


@pytest.mark.parametrize("path", [("model", "depth"), ("train", "epochs"), ("data", "validation"), (None, "seed")])
def test_values_are_frozen(path: tuple[str | None, str]) -> None:
    owner, name = path
    with pytest.raises(ValidationError, match="frozen"):
        setattr(getattr(TRIAL, owner) if owner else TRIAL, name, 5)


def test_lists_become_tuples_so_that_trials_can_be_compared_and_hashed() -> None:
    trial = apply(TRIAL, {"model.widths": [4, 8], "model.depth": 6, "model.se.stages": [3]})
    assert trial.model.widths == (4, 8)
    assert trial.model.se is not None and trial.model.se.stages == (3,)
    assert hash(trial) == hash(apply(TRIAL, {"model.widths": (4, 8), "model.depth": 6, "model.se.stages": (3,)}))


def test_a_whole_number_is_a_fine_value_for_a_real_setting_and_equal_to_it() -> None:
    assert apply(TRIAL, {"train.learning_rate": 1}) == apply(TRIAL, {"train.learning_rate": 1.0})
    assert isinstance(apply(TRIAL, {"train.learning_rate": 1}).train.learning_rate, float)


def test_a_trial_survives_json() -> None:
    assert Trial.model_validate_json(TRIAL.model_dump_json()) == TRIAL


@pytest.mark.parametrize(
    ("channels", "reduction", "hidden"),
    [(256, 16, 16), (512, 16, 32), (1024, 16, 64), (2048, 16, 128), (64, 8, 8), (64, 32, 2), (16, 16, 1), (16, 32, 1),
     (20, 16, 1), (50, 16, 3)],
)  # fmt: skip
def test_the_bottleneck_is_c_over_r_not_rounded_up_and_never_empty(channels: int, reduction: int, hidden: int) -> None:
    assert SE(reduction=reduction).hidden_width(channels) == hidden  # the first four: v4 Table 1


def test_stages_are_numbered_as_in_the_paper() -> None:
    model = Model(depth=20, widths=(16, 32, 64), se=SE(reduction=4, stages=(3, 4)))
    assert model.stages == (2, 3, 4)
    assert model.hidden_widths == {3: (8, 8, 8), 4: (16, 16, 16)}
    assert Model(depth=20, widths=(16, 32, 64)).hidden_widths == {}


def test_a_stage_may_have_a_reduction_of_its_own() -> None:
    own = Reductions(stage2=2, stage4=32)
    model = Model(depth=8, widths=(16, 32, 64), se=SE(reduction=4, reduction_in=own))  # type: ignore[call-arg]
    assert model.hidden_widths == {2: (8,), 3: (8,), 4: (2,)}
    before = model.model_copy(update={"se": SE(placement="pre", reduction=4, reduction_in=own)})
    assert before.hidden_widths == {2: (8,), 3: (4,), 4: (1,)}, "of the block's stage, whatever map it sees"
    assert str(own) == "stage2=2 stage4=32"


def test_such_trials_are_values_as_all_are() -> None:
    trial = apply(TRIAL, {"model.se.reduction_in.stage2": 4, "model.se.reduction_in.stage3": 8})
    assert Trial.model_validate_json(trial.model_dump_json()) == trial
    assert {trial: 1}[apply(TRIAL, {"model.se.reduction_in": {"stage3": 8, "stage2": 4}})] == 1
    assert TRIAL.model_dump()["model"]["se"]["reduction_in"] == {}
    assert trial.model_dump()["model"]["se"]["reduction_in"] == {"stage2": 4, "stage3": 8}


@pytest.mark.parametrize("family", [*families()], ids=lambda c: c.__name__)
def test_every_stage_that_a_network_can_have_may_have_a_reduction(family: type[Model]) -> None:
    most: dict[str, Any] = {"depth": 14, "widths": (4,) * 6} if "widths" in family.model_fields else {}
    stages = family(**most).stages
    every = {f"stage{stage}": 2 for stage in stages}
    assert family(**most, se=SE(reduction_in=Reductions(**every))).stages == stages


def test_no_network_can_have_more_stages_than_those() -> None:
    assert max(Reductions(**dict.fromkeys(Reductions.model_fields, 2)).by_stage) == 7
    with pytest.raises(ValidationError, match="at most 6 items"):
        CifarResNet(depth=16, widths=(4,) * 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gird": {}}, ["gird: there is no such key", "did you mean 'grid'?"]),
        ({"seeds": 0}, ["seeds: found 0"]),
        ({"seeds": "3"}, ["seeds: found '3'"]),
        ({"margin": 0.0}, ["margin: found 0.0"]),
        ({"margin": 1.5}, ["margin: found 1.5"]),
        ({"controls": ["no_es"]}, ["found 'no_es'", "did you mean 'no_se'?"]),
        ({"controls": "no_se"}, ["controls: found 'no_se'"]),
        ({"published": "reduction"}, ["found 'reduction'", "did you mean 'reduction_ratio'?"]),
        ({"grid": {"model.se.reduction": []}}, ["grid.model.se.reduction", "at least 1 item"]),
        ({"grid": {"model.se.reduction": 4}}, ["grid.model.se.reduction", "found 4"]),
        ({"baseline": None}, ["no baseline", "one of baseline=, counterpart="]),
        ({"counterpart": {"model.se": None}}, ["both baseline and counterpart"]),
        ({"baseline": 5}, ["baseline: found 5"]),
        ({"base": None}, ["base: found None"]),
    ],
)
def test_a_bad_sweep_is_refused(change: dict[str, Any], words: list[str]) -> None:
    good = {"base": TRIAL, "grid": {"model.se.reduction": [2, 4]}, "controls": ["no_se"], "baseline": "no_se"}
    good |= {"seeds": 3, "margin": 0.01}
    Sweep.model_validate(good)
    with pytest.raises(ValidationError) as caught:
        Sweep.model_validate(good | change)
    message = explain(caught.value, Sweep)
    assert [w for w in words if w not in message] == []


# --- families


def test_a_model_without_a_family_is_a_cifar_resnet_and_with_one_its_class() -> None:
    assert isinstance(Model(depth=6, widths=(4,)), CifarResNet)  # type: ignore[call-arg]
    assert Model(family="resnet", depth=101) == ResNet(depth=101)  # type: ignore[call-arg]
    assert {c.model_fields["family"].default for c in families()} == set(FAMILIES)


FAMILIES = ["cifar_resnet", "preact_resnet", "wide_resnet", "shake_shake", "resnet", "resnext", "senet", "vgg",
            "bn_inception", "inception_resnet_v2", "mobilenet", "shufflenet"]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_another_family_keeps_what_both_know_and_drops_the_rest(family: str) -> None:
    trial = apply(TRIAL, {"model.se.reduction": 4, "model.family": family, **DEPTHS.get(family, {})})
    assert trial.model.family == family
    assert trial.model.se == SE(reduction=4)
    assert Trial.model_validate_json(trial.model_dump_json()) == trial


DEPTHS: dict[str, dict[str, Any]] = {
    "resnet": {"model.depth": 50}, "resnext": {"model.depth": 50}, "senet": {"model.depth": 154},
    "vgg": {"model.depth": 16}, "wide_resnet": {"model.depth": 16}, "shake_shake": {"model.depth": 26},
}  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model.family": "resnet", "model.depth": 34}, ["model.depth: found 34", "allowed: 50, 101, 152"]),
        ({"model.family": "vgg", "model.depth": 16, "model.se.placement": "pre"}, ["'pre' has no meaning in VGG-16",
                                                                                 "no shortcut", "allowed: standard"]),
        ({"model.family": "mobilenet", "model.se.placement": "identity"}, ["no shortcut", "standard, conv3x3"]),
        ({"model.family": "resnet", "model.depth": 50, "model.se.stages": [6]}, ["stage [6]", "[2, 3, 4, 5]"]),
        ({"model.family": "resnet", "model.depth": 50, "model.wdith": 2.0}, ["wdith", "did you mean 'model.width'?"]),
        ({"model.family": "vgg", "model.depth": 16, "model.se.gait": 2}, ["gait", "did you mean 'model.se.gate'?"]),
        ({"model": {"depth": 50}}, ["model.family: is missing", "resnext"]),
    ],
)  # fmt: skip
def test_what_a_family_does_not_know_is_refused_with_the_reason(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        apply(TRIAL, settings)
    assert [w for w in words if w not in str(caught.value)] == []


def test_drops_that_a_short_training_never_reaches_are_refused() -> None:
    with pytest.raises(SpecError, match=r"drops \[82, 123\] are not all within 40 epochs; set train\.drops too"):
        apply(recipes.CIFAR10, {"train.epochs": 40})
    assert apply(recipes.CIFAR10, {"train.epochs": 40, "train.drops": [20, 30]}).train.drops == (20, 30)


@pytest.mark.parametrize(
    ("rule", "setting", "allowed"),
    [
        (ASHA, {"reduction_factor": 1}, "greater than or equal to 2"),
        (ASHA, {"grace_epochs": 0}, "greater than or equal to 1"),
        (ASHA, {"fewest": 3}, "not permitted"),
        (Median, {"fewest": 0}, "greater than or equal to 1"),
        (Median, {"grace_epochs": 1.5}, "valid integer"),
    ],
)
def test_a_rule_that_would_end_everything_is_refused(
    rule: type[ASHA | Median], setting: dict[str, Any], allowed: str
) -> None:
    with pytest.raises(ValidationError, match=allowed):
        rule(**setting)

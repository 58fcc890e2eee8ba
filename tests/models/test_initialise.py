"""Initial weights: by name, paired between networks, of the right size."""

import math

import pytest
import torch
from torch import Tensor, nn

from senet_lab import models
from senet_lab.models.initialise import initialise
from senet_lab.randomness import torch_stream
from senet_lab.spec import SE, Model

CPU = torch.device("cpu")


def state(model: Model, seed: int = 0) -> dict[str, Tensor]:
    return dict(models.build(model, channels=1, classes=10, seed=seed, device=CPU).state_dict())


PLAIN = Model(depth=10, widths=(8, 16))


@pytest.mark.parametrize("place", ["standard", "pre", "post", "identity", "conv3x3"])
def test_networks_with_and_without_se_share_every_parameter_that_both_have(place: str) -> None:
    plain = state(PLAIN, 3)
    gated = state(PLAIN.model_copy(update={"se": SE(reduction=2, placement=place)}), 3)  # type: ignore[arg-type]
    assert set(plain) < set(gated)
    assert all(torch.equal(plain[name], gated[name]) for name in plain)
    assert {name.split(".")[3] for name in set(gated) - set(plain)} == {"se"}


def test_settings_that_change_no_shape_change_no_weight() -> None:
    first = state(PLAIN.model_copy(update={"se": SE(reduction=2)}))
    second = state(PLAIN.model_copy(update={"se": SE(reduction=2, gate="tanh", squeeze="max", placement="post")}))
    assert all(torch.equal(first[name], second[name]) for name in first | second)


def test_deeper_networks_share_their_common_blocks() -> None:
    shallow, deep = state(PLAIN), state(Model(depth=14, widths=(8, 16)))
    assert set(shallow) < set(deep)
    assert all(torch.equal(shallow[name], deep[name]) for name in shallow)


def test_the_seed_changes_every_weight_and_each_parameter_has_its_own() -> None:
    model = PLAIN.model_copy(update={"se": SE(reduction=2)})
    first, second = state(model, 0), state(model, 1)
    drawn = [name for name, value in first.items() if value.ndim > 1]
    assert len(drawn) == 1 + 8 + 8 + 1  # stem, convolutions, SE layers, classifier
    assert not any(torch.equal(first[name], second[name]) for name in drawn)
    a, b = "stages.2.0.conv1.weight", "stages.2.0.conv2.weight"
    assert first[a].shape == first[b].shape and not torch.equal(first[a], first[b])


def test_what_torch_drew_before_does_not_matter() -> None:
    torch.manual_seed(1)
    first = state(PLAIN)
    torch.manual_seed(2)
    torch.randn(17)
    second = state(PLAIN)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_variances_are_those_of_he_et_al() -> None:
    """2 / fan_out for convolutions (k^2 times output channels), 2 / fan_in before a ReLU, 1 / fan_in otherwise."""
    wide = state(Model(depth=4, widths=(128,), se=SE(reduction=1, bias=True)))
    conv, block = math.sqrt(2 / (9 * 128)), "stages.2.0."
    expected = {
        "stem.weight": conv, block + "conv1.weight": conv, block + "conv2.weight": conv,
        block + "se.reduce.weight": math.sqrt(2 / 128), block + "se.expand.weight": math.sqrt(1 / 128),
        "classifier.weight": math.sqrt(1 / 128),
    }  # fmt: skip
    for name, std in expected.items():
        values = wide.pop(name)
        tolerance = 5 / math.sqrt(2 * values.numel())
        assert abs(float(values.std()) / std - 1) < tolerance, name
        assert abs(float(values.mean())) < 5 * std / math.sqrt(values.numel()), name
    for name, values in wide.items():
        start = 1.0 if name.endswith("running_var") or ("bn" in name and name.endswith(".weight")) else 0.0
        assert (values == start).all(), name


def test_a_layer_without_a_rule_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"0\.weight \(Conv1d\)"):
        initialise(nn.Sequential(nn.Conv1d(2, 2, 1)), 0)


def test_the_first_weights_are_frozen() -> None:
    """If this fails, results of before cannot be reproduced."""
    first = [-0.19837979972362518, 0.09710731357336044, -0.011180657893419266]
    assert state(PLAIN)["stem.weight"].flatten()[:3].tolist() == pytest.approx(first, rel=1e-6)


def test_the_seed_of_a_trial_is_not_that_of_its_network_alone() -> None:
    """Order, split and weights come from streams of other names: none begins like another."""
    names = [("init", "stem.weight"), ("init", "classifier.weight"), ("order", 1), ("order", 2), ("augment", 1)]
    firsts = {float(torch.rand(1, generator=torch_stream(0, *name))) for name in names}  # type: ignore[arg-type]
    assert len(firsts) == len(names)

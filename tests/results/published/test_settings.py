"""Which row a published network is."""

import pytest

from senet_lab import recipes
from senet_lab.results.published import agrees
from senet_lab.results.published.settings import NETWORKS, WITHOUT_SE, se
from senet_lab.spec import apply

WITH_SE = apply(recipes.DIGITS_RESNET50, {"model.se.reduction": 16})


def test_a_row_agrees_whatever_it_is_trained_on_and_however_narrow():
    for changes in (
        {},
        {"model.width": 1.0, "model.small_images": False},
        {"train.epochs": 270},
        {"model.se.bias": True},
    ):
        assert agrees(apply(WITH_SE, changes), {**NETWORKS["ResNet-50"], **se()})


@pytest.mark.parametrize(
    "changes",
    [
        {"model.se": None},
        {"model.se.reduction": 8},
        {"model.se.squeeze": "max"},
        {"model.se.gate": "tanh"},
        {"model.se.placement": "pre"},
        {"model.se.stages": [2, 3]},
        {"model.se.reduction_in.stage2": 8},
        {"model.se.reduction_in": {f"stage{n}": 8 for n in (2, 3, 4, 5)}},
        {"model.depth": 101},
        {"model.family": "resnext"},
    ],
)
def test_every_setting_of_network_and_block_counts(changes):
    assert not agrees(apply(WITH_SE, changes), {**NETWORKS["ResNet-50"], **se()})


def test_without_se():
    assert agrees(recipes.DIGITS_RESNET50, WITHOUT_SE)
    assert not agrees(WITH_SE, WITHOUT_SE)


@pytest.mark.parametrize("stages", [[2, 3, 4, 5], [5, 4, 3, 2], "all"])
def test_all_stages_are_all_stages(stages):
    trial = apply(WITH_SE, {"model.se.stages": stages})
    assert agrees(trial, se())
    assert not agrees(trial, se(stages=(2, 3)))


def test_the_reduction_is_that_of_the_blocks_however_it_is_said():
    every = {f"stage{n}": 8 for n in (2, 3, 4, 5)}
    assert agrees(apply(WITH_SE, {"model.se.reduction_in": every}), se(reduction=8))
    assert agrees(apply(WITH_SE, {"model.se.reduction_in.stage3": 16}), se())
    one = {"model.se.stages": [2], "model.se.reduction_in.stage2": 8}
    assert agrees(apply(WITH_SE, one), se(reduction=8, stages=(2,)))
    assert not any(agrees(apply(WITH_SE, {"model.se.reduction_in.stage2": 8}), se(reduction=r)) for r in (8, 16))


def test_the_order_of_stages_is_no_setting():
    assert agrees(apply(WITH_SE, {"model.se.stages": [4, 2]}), se(stages=(2, 4)))


def test_cutout_is_part_of_the_network_where_the_table_says_so():
    plain = apply(recipes.DIGITS_RESNET110, {"model.se": None})
    assert agrees(plain, {**NETWORKS["ResNet-110"], **WITHOUT_SE})
    assert not agrees(apply(plain, {"data.cutout": 0.5}), {**NETWORKS["ResNet-110"], **WITHOUT_SE})

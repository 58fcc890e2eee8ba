"""How the paper trained, as it states it, and how a sweep does."""

import pytest

from senet_lab import recipes
from senet_lab.results.published import protocols
from senet_lab.results.published.entries import NAMES, lines
from senet_lab.spec import apply

ROWS = [apply(recipes.DIGITS, {"model.se.reduction": r}) for r in (2, 4)]


def of(name, trials=ROWS):
    return protocols.load(name, trials, 20).set_index("item")


def test_both_sources_of_the_reduction_ratio():
    found = of("reduction_ratio")
    assert found.loc["learning rate", ["v4", "CVPR", "this sweep"]].tolist() == ["0.1", "0.6", "0.1"]
    assert found.loc["epochs", "CVPR"] == "100"
    assert "125, 200, 250" in found.loc["epochs", "v4"]
    assert found.loc["batch size", "CVPR"] == "1024"
    assert found.loc["label smoothing", ["v4", "CVPR"]].tolist() == ["yes, amount not stated", "not stated"]
    assert found.loc["network", ["v4", "this sweep"]].tolist() == ["ResNet-50", "ResNet-6 (CIFAR)"]
    assert found.loc["runs"].tolist()[:3] == ["not stated", "not stated", "20 seeds a row"]
    assert found.loc["FC biases", ["v4", "CVPR", "this sweep"]].tolist() == ["no", "not stated", "no"]
    assert found.loc["batch size", "where"] == "hujie-frank/SENet issue 62 | v4 5.1; CVPR 5"


BLOCK = ["reduction ratio", "squeeze", "gate", "placement"]


def test_what_the_table_asks_about_is_no_difference_of_protocol():
    other = of("squeeze_operator", [apply(recipes.DIGITS, {"model.se.reduction": 4, "model.se.gate": "tanh"})])
    assert "squeeze" not in other.index
    assert other.loc["reduction ratio", ["v4", "this sweep"]].tolist() == ["16", "4"]
    assert other.loc["gate", ["v4", "this sweep"]].tolist() == ["sigmoid", "tanh"]


def test_the_reductions_of_stages_are_told_where_they_differ():
    mixed = apply(recipes.DIGITS, {"model.se.reduction_in.stage2": 8})
    assert protocols.ours([mixed], 1)["reduction ratio"] == "8, 16 in stages 2, 3"
    alike = apply(mixed, {"model.se.reduction_in.stage3": 8})
    assert protocols.ours([alike], 1)["reduction ratio"] == "8"
    assert protocols.ours([recipes.DIGITS], 1)["reduction ratio"] == "", "no SE"


def test_only_what_all_state_alike_is_the_same():
    found = of("reduction_ratio")
    assert found.index[found["same"]].tolist() == ["stem", "optimizer", *BLOCK[1:]]
    assert "optimizer" in of("stages").index[of("stages")["same"]]


def test_the_papers_own_protocol_differs_in_little():
    """The recipe of v4 5.1: what is left is what the paper does not state or does otherwise."""
    found = of("architectures", [apply(recipes.IMAGENET_100, {"model.se.reduction": 16})])
    alike = {"width", "stem", "augmentation", "optimizer", "momentum", "batch size", "learning rate", "schedule"}
    assert alike | {"epochs", "initialisation", *BLOCK} == set(found.index[found["same"]])
    assert found.loc["evaluation", "this sweep"] == "single centre crop of 224 pixels, shorter side 256"
    assert "network" not in found.index


def test_a_narrow_network_that_starts_as_the_identity_says_so():
    ours = protocols.ours([recipes.DIGITS_RESNET50], 1)
    assert (ours["width"], ours["stem"]) == ("0.125", "for small images")
    assert ours["initialisation"] == "He et al. (ICCV 2015), residual branches from 0"
    assert ours["schedule"] == "cosine to 0 over all epochs; 3 epochs of warm-up"


def test_what_rows_vary_is_listed_or_said_to_vary():
    rates = [apply(recipes.DIGITS, {"train.learning_rate": rate}) for rate in (0.1, 0.2, 0.3, 0.4)]
    assert protocols.ours(rates[:2], 3)["learning rate"] == "0.1 / 0.2"
    assert protocols.ours(rates, 3)["learning rate"] == "varies by row"


def test_augmentation_and_schedule_in_words():
    trial = apply(recipes.DIGITS, {"data.flip": True, "data.cutout": 0.5, "train.warmup_epochs": 2.0})
    ours = protocols.ours([trial], 1)
    assert ours["augmentation"] == "zero padding of 1 pixel and random crop, flip, Cutout of 0.5 of the side"
    assert ours["schedule"] == "cosine to 0 over all epochs; 2 epochs of warm-up"


@pytest.mark.parametrize("name", NAMES)
def test_every_table_has_a_protocol_that_is_stated(name):
    stated = {line["protocol"] for line in lines("protocols")}
    assert set(protocols.PROTOCOLS[name].values()) <= stated
    found = of(name)
    sources = [c for c in found.columns if c in ("v4", "CVPR")]
    assert (found.loc[["data set", "training images"], sources] != "not stated").all(axis=None)


def test_every_stated_item_is_one_of_ours():
    assert {line["item"] for line in lines("protocols")} <= set(protocols.ours(ROWS, 1))
    assert all(line["where"] and line["value"] for line in lines("protocols"))

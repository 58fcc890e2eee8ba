"""Which trials may be one tensor program, and the groups that a sweep's trials make."""

import itertools
from typing import Any

import pytest

from senet_lab.shapes import groups, shape
from senet_lab.spec import Data, Model, Train, Trial, apply
from tests.conftest import TINY

SE = apply(TINY, {"model.se.reduction": 2})


def trial(**changes: Any) -> Trial:
    return apply(SE, {key.replace("__", "."): value for key, value in changes.items()})


FREE = [
    {"seed": 7},
    {"train__learning_rate": 0.3},
    {"train__weight_decay": 1e-3},
    {"train__schedule": "constant"},
    {"train__warmup_epochs": 0.5},
    {"model__se__reduction": 4},
    {"model__se__reduction_in__stage2": 4},
    {"model__se__gate": "tanh"},
    {"model__se__squeeze": "max"},
    {"model__se__stages": [2]},
    {"model__weights": "some/file.pt"},
]
BINDING = [
    {"model__depth": 6},
    {"model__widths": (8,)},
    {"model__se__placement": "pre"},
    {"model__se__bias": True},
    {"data__validation": 101},
    {"data__flip": True},
    {"train__epochs": 3},
    {"train__batch_size": 32},
    {"train__momentum": 0.8},
    {"train__nesterov": False},
    {"train__label_smoothing": 0.1},
    {"train__precision": "bfloat16"},
]
STREAMED = Data(source="folder:x", validation=10, image_size=32)
VGG = Model(family="vgg", dropout=0.5)  # type: ignore[call-arg]
ALONE = [
    SE.model_copy(update={"data": STREAMED}),
    apply(SE, {"model.se.squeeze": "none"}),
    SE.model_copy(update={"model": SE.model.model_copy(update={"se": SE.model.se.model_copy(update={"gate": "own"})})}),  # type: ignore[union-attr]
    SE.model_copy(update={"model": VGG}),
    SE.model_copy(update={"model": Model(family="shake_shake")}),
]


@pytest.mark.parametrize("change", FREE, ids=str)
def test_what_members_need_not_share_is_no_part_of_the_shape(change: dict[str, Any]) -> None:
    assert shape(trial(**change)) == shape(SE) is not None


@pytest.mark.parametrize("change", BINDING, ids=str)
def test_what_members_share_is_part_of_the_shape(change: dict[str, Any]) -> None:
    assert shape(trial(**change)) not in (shape(SE), None)


@pytest.mark.parametrize("alone", ALONE, ids=["streamed", "map", "own gate", "dropout", "shake"])
def test_what_cannot_be_one_program_has_no_shape(alone: Trial) -> None:
    assert shape(alone) is None


def test_every_setting_is_either_shared_or_free() -> None:
    """A new field of `Train` or `Data` is shared until somebody says otherwise."""
    told = {key.split("__")[1] for change in (*FREE, *BINDING) for key in change if key.startswith("train")}
    assert set(Train.model_fields) - told == {"drops", "decay"}, "both are of the schedule, which is free"


def rows(seeds: int, *settings: dict[str, Any]) -> list[Trial]:
    """In the order of running: all rows of a seed, then the next seed."""
    return [trial(seed=seed, **one) for seed in range(seeds) for one in settings]


def test_a_group_has_one_shape_and_keeps_seeds_whole() -> None:
    trials = rows(4, {}, {"model__se__reduction": 4}, {"model__se": None}, {"model__se__placement": "pre"})
    made = groups(trials, lambda kind: 7)
    assert sorted(itertools.chain(*made)) == list(range(16)), "each once"
    assert made == ((0, 1, 2, 4, 5, 6), (3, 7, 11, 15), (8, 9, 10, 12, 13, 14)), "three of a seed; without SE too"


def test_where_a_group_is_smaller_than_a_seed_it_is_full() -> None:
    assert groups(rows(2, *FREE[1:4]), lambda kind: 2) == ((0, 1), (2, 3), (4, 5))


def test_without_se_the_first_shape_of_the_network_is_joined_or_its_own() -> None:
    trials = rows(1, {"model__se": None}, {"model__se__placement": "pre"}, {}, {"model__depth": 6, "model__se": None})
    assert groups(trials, lambda kind: 8) == ((0, 1), (2,), (3,))
    assert groups(rows(3, {"model__se": None}), lambda kind: 2) == ((0, 1), (2,))


def test_sizes_are_by_shape_and_one_means_as_ever() -> None:
    trials = rows(2, {}, {"model__depth": 6}, {"model__se__squeeze": "none"})
    deep = shape(trials[1])
    assert groups(trials, lambda kind: 1) == ((0,), (1,), (2,), (3,), (4,), (5,))
    assert groups(trials, lambda kind: 4 if kind == deep else 1) == ((0,), (1, 4), (2,), (3,), (5,))
    assert groups([], lambda kind: 4) == ()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 12, 100])
@pytest.mark.parametrize("missing", [(), (0, 4, 5, 11), tuple(range(0, 18, 2))])
def test_every_trial_is_in_one_group_that_is_not_too_large(size: int, missing: tuple[int, ...]) -> None:
    settings = ({}, {"model__se__reduction": 4}, {"model__se": None}, {"model__se__gate": "relu"}, {"model__depth": 6})
    trials = [t for i, t in enumerate(rows(4, *settings)) if i not in missing]
    made = groups(trials, lambda kind: size)
    assert sorted(itertools.chain(*made)) == list(range(len(trials)))
    assert all(len(group) <= size and list(group) == sorted(group) for group in made)
    assert [group[0] for group in made] == sorted(group[0] for group in made)
    for group in made:
        assert len({shape(trials[i]) for i in group if trials[i].model.se}) <= 1
    if size >= 5:
        homes = {(trials[i].seed, trials[i].model.title): set[int]() for i in range(len(trials))}
        for number, group in enumerate(made):
            for i in group:
                homes[trials[i].seed, trials[i].model.title].add(number)
        assert all(len(home) == 1 for home in homes.values()), "no seed is torn"

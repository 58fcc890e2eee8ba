"""Settings by name."""

import pytest

from senet_lab import data, recipes
from senet_lab.errors import SpecError
from senet_lab.spec import Trial


def test_recipes_are_found_by_their_name_in_lower_case() -> None:
    assert recipes.named("digits") is recipes.DIGITS


@pytest.mark.parametrize(("name", "near"), [("digts", "digits"), ("DIGITS", "digits"), ("named", "digits")])
def test_another_name_is_refused_with_those_there_are(name: str, near: str) -> None:
    with pytest.raises(SpecError, match=f"none called '{name}'.*{near}"):
        recipes.named(name)


RECIPES = {name: value for name, value in vars(recipes).items() if isinstance(value, Trial)}
TRAINING_IMAGES = {"cifar10": 50_000, "cifar100": 50_000, "folder:imagenet": 1_281_167, "folder:places365": 1_803_460}
"""Published numbers of those that are not here."""


def test_every_setting_of_the_paper_has_a_recipe() -> None:
    assert {"DIGITS", "CIFAR10", "CIFAR100", "IMAGENET", "IMAGENET_100", "PLACES365"} <= set(RECIPES)
    assert all(recipes.named(name.lower()) is recipe for name, recipe in RECIPES.items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_trains_on_data_that_can_spare_its_validation_part(recipe: Trial) -> None:
    source = recipe.data.source
    pool = TRAINING_IMAGES[source] if source in TRAINING_IMAGES else data.facts(recipe.data).pool
    data.check(data.Facts(pool, 1, 3, 32, 10), recipe.data.validation)
    assert recipe.train.batch_size <= pool - recipe.data.validation
    assert recipe.seed == 0


def test_the_imagenet_recipes_are_the_papers_two_protocols() -> None:
    """v4 section 6 with footnote 2, and v4 section 5.1; weight decay by the author."""
    fixed, short = recipes.IMAGENET.train, recipes.IMAGENET_100.train
    assert (fixed.epochs, fixed.drops, fixed.batch_size, fixed.learning_rate) == (270, (125, 200, 250), 256, 0.1)
    assert (short.epochs, short.drops, short.batch_size, short.learning_rate) == (100, (30, 60, 90), 1024, 0.6)
    assert (fixed.label_smoothing, short.label_smoothing) == (0.1, 0.0)
    assert {(t.momentum, t.nesterov, t.weight_decay, t.decay) for t in (fixed, short)} == {(0.9, False, 1e-4, 0.1)}
    assert recipes.PLACES365.model.title == "ResNet-152"


def test_the_shipped_recipe_is_frozen() -> None:
    """Another value would be another setting under the same name: make a new recipe instead."""
    assert recipes.DIGITS.model_dump(exclude_defaults=True) == {
        "model": {"depth": 6, "widths": (16, 32)},
        "data": {"source": "digits", "validation": 200, "crop_padding": 1},
        "train": {"epochs": 20, "batch_size": 64, "learning_rate": 0.1, "weight_decay": 5e-4},
    }

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


@pytest.mark.parametrize("recipe", [v for v in vars(recipes).values() if isinstance(v, Trial)])
def test_a_recipe_trains_on_data_that_can_spare_its_validation_part(recipe: Trial) -> None:
    images = data.load(recipe.data)
    data.check(images, recipe.data.validation)
    assert recipe.train.batch_size <= len(images.pool) - recipe.data.validation
    assert recipe.seed == 0


def test_the_shipped_recipe_is_frozen() -> None:
    """Another value would be another setting under the same name: make a new recipe instead."""
    assert recipes.DIGITS.model_dump(exclude_defaults=True) == {
        "model": {"depth": 6, "widths": (16, 32)},
        "data": {"source": "digits", "validation": 200, "crop_padding": 1},
        "train": {"epochs": 20, "batch_size": 64, "learning_rate": 0.1, "weight_decay": 5e-4},
    }

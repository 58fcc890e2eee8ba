"""Does the effect of a row differ between settings? One sweep, set against the store once a setting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from senet_lab.catalog import LONGEST
from senet_lab.commands import Where, answers, console, to_type
from senet_lab.environment import program
from senet_lab.errors import UserError, printable, shown
from senet_lab.inventory import Inventory
from senet_lab.syntax import digest

OWN = "as in the file"
"""The setting of a sweep that is asked for without a recipe."""


def show_interaction(
    sweep: str, where: Where, recipes: Sequence[str], changes: dict[str, Any], seeds: int | None, reports: Path
) -> None:
    """Print the table and write its files. Raises UserError if there are not two settings, or one has no results."""
    found = _settings(sweep, where, recipes, changes, seeds)
    from senet_lab.results import artifacts, report
    from senet_lab.results.across import across, refuse_same

    refuse_same(found)
    _refuse_empty(found)
    answer = across(
        {name: report.of(one) for name, one in found.items()}, {name: one.planned for name, one in found.items()}
    )
    folder = reports / _name(found)
    written = artifacts.put(artifacts.of_settings(answer), folder)
    console.print(answer.terminal(console.width))
    files = ", ".join(path.name for path in written)
    console.print(printable(f"Written to {folder}: {files}"), soft_wrap=True, markup=False)


def _settings(
    sweep: str, where: Where, recipes: Sequence[str], changes: dict[str, Any], seeds: int | None
) -> dict[str, Inventory]:
    """Name -> the sweep in that setting; one recipe is set against the file's own base."""
    if twice := sorted({name for name in recipes if list(recipes).count(name) > 1}):
        raise UserError(f"--recipe {shown(twice[0])} is given twice; name two different settings")
    if not recipes:
        raise UserError(
            "an interaction needs a second setting: give one --recipe to set beside the sweep file's own base, or "
            f"several to set beside each other, e.g. {program()} interaction {sweep} --recipe digits --recipe cifar10"
        )
    names: list[str | None] = [None, *recipes] if len(recipes) == 1 else [*recipes]
    return {name or OWN: answers(sweep, where, changes, seeds, name) for name in names}


def _refuse_empty(found: dict[str, Inventory]) -> None:
    """Raises UserError naming the settings without a result, and what to type."""
    empty = [name for name, one in found.items() if not one.plan.counts()["done"]]
    if not empty:
        return
    one = found[empty[0]]
    raise UserError(
        f"{one.store.path}: no trial is done of this sweep in the setting{'s' * (len(empty) > 1)} "
        f"{', '.join(empty)}; give the same --set, --seeds and --store as `sweep`, or run it first: "
        f"{to_type('sweep', one)}"
    )


def _name(found: dict[str, Inventory]) -> str:
    """Of the report's folder: the sweep, `interaction`, the settings, and what else was asked otherwise."""
    question = next(iter(found.values())).question
    settings = ["file" if name == OWN else name for name in found]
    rest = [f"{key}-{value}" for key, value in question.changed if key != "recipe"]
    from senet_lab.design import slug

    name = "+".join([question.name, "interaction", *map(slug, [*settings, *rest])])
    return name if len(name) <= LONGEST else f"{question.name}+interaction+{digest([settings, rest])[:12]}"

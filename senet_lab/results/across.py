"""A sweep asked in several settings: what each says, what the contrasts between them say, in frames and words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Group

from senet_lab import catalog, files, inventory
from senet_lab.design import baselines
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import PlannedTrial
from senet_lab.results import interaction, report, studies, tables
from senet_lab.results.figures import WIDE
from senet_lab.results.figures import interaction as figure
from senet_lab.results.interaction import DIFFERS, SAME, UNDECIDED, Setting
from senet_lab.results.report import Report
from senet_lab.results.stats import points


@dataclass(frozen=True)
class Across:
    """The reports of one sweep by setting, the first of which is the reference, and the contrasts to it."""

    reports: Mapping[str, Report]
    contrasts: pd.DataFrame
    """As of `interaction.contrasts`."""

    @property
    def first(self) -> Report:
        """The setting that the others are contrasted with."""
        return next(iter(self.reports.values()))

    @property
    def margin(self) -> float:
        """Of the sweep: what is small enough for an effect is small enough for a difference of effects."""
        return self.first.question.sweep.margin

    def data(self) -> pd.DataFrame:
        """All that the figure draws and all that the contrasts say, a line per row and setting."""
        return figure.frame({name: found.comparison for name, found in self.reports.items()}, self.contrasts)

    def figure(self, width: float = WIDE) -> Figure:
        """Effects beside each other, made for `width` centimetres of paper."""
        return figure.draw(self.data(), self.first.baseline, self.margin, width)

    def figure_caption(self) -> str:
        """A sentence: what is drawn, n, kind of interval."""
        return figure.caption(self.data(), self.first.baseline, self.margin)

    def table(self) -> pd.DataFrame:
        """A line per row and setting in words and percent; the first setting's are what the others differ from."""
        lines, joint = [], "joint " * (len(self.contrasts) > 1)
        heading = tables.difference_heading(self.first.comparison)
        for _, row in self.data().iterrows():
            effect = (row["delta_points"] / 100, row["low_points"] / 100, row["high_points"] / 100)
            ends = (row["contrast_low_points"] / 100, row["contrast_high_points"] / 100)
            contrast = (row["contrast_points"] / 100, *ends)
            is_first = pd.isna(row["reference"])
            lines.append(
                {
                    "variant": row["variant"],
                    "setting": row["setting"],
                    "n": str(row["n"]),
                    heading: tables.interval(*effect, sign="+"),
                    f"Δ of Δ, points [{joint}95 %]": "-" if is_first else tables.interval(*contrast, sign="+"),
                    "verdict": "reference" if is_first else str(row["interaction"]),
                }
            )
        return pd.DataFrame(lines, dtype="str")

    def sentence(self) -> str:
        """Of how many rows the effect differs, is equivalent, is undecided."""
        found, total = Counter(self.contrasts["verdict"]), len(self.contrasts)
        words = {DIFFERS: "differs", SAME: f"is the same within {points(self.margin)}", UNDECIDED: "is undecided"}
        parts = [f"{word} in {found[verdict]}" for verdict, word in words.items() if found[verdict]]
        return (
            f"Of {total} contrasts, the effect {', '.join(parts)}." if parts else "No row is compared in two settings."
        )

    def caption(self) -> str:
        """What the numbers of the table are."""
        paired, welch = ((self.contrasts["method"] == m).any() for m in ("paired", "Welch"))
        several = len(self.contrasts) > 1
        joint = f"the {len(self.contrasts)} intervals hold jointly at 95 % (Bonferroni)" if several else "95 % interval"
        few = bool((self.contrasts[["n", "n_reference"]] < 2).to_numpy().any())
        sentences = (
            self.sentence(),
            f"Δ: difference to {self.first.baseline}, paired by seed; its intervals hold jointly within a setting.",
            f"Δ of Δ: the difference of that effect to the one in {next(iter(self.reports))}; below 0 the row does "
            f"better here than there; {joint}.",
            "Same data: t test over the seeds that both settings have, as a seed draws the same split and order in "
            "both; Welch's test would take them for independent."
            if paired
            else "",
            "Different data: Welch's t test, as no seed of one belongs to a seed of the other." if welch else "",
            f"Differs: {'Holm-adjusted ' * several}p < .05. Equivalent: two one-sided tests against "
            f"{points(self.margin)}{', Holm' * several}.",
            "Contrasts with fewer than 2 seeds have no test." if few else "",
        )
        return " ".join(s for s in sentences if s)

    def terminal(self, width: int = tables.NARROW) -> Group:
        """The table for a terminal of `width` columns."""
        title = f"{self.first.question.name}: effects in {len(self.reports)} settings"
        return Group(tables.terminal(self.table(), title, self.caption(), width))

    def markdown(self) -> str:
        """Question, table and figure as a page."""
        question = self.first.question
        head = f"# {question.name}: {', '.join(self.reports)}\n\n{question.text}\n\n"
        body = tables.markdown(self.table(), "Effects by setting", self.caption())
        return f"{head}{body}\n![interaction](interaction.png)\n\n{self.figure_caption()}\n"


def across(reports: Mapping[str, Report], planned: Mapping[str, tuple[PlannedTrial, ...]]) -> Across:
    """Contrast the settings of `reports` with the first; `planned` tells what each is trained on."""
    settings = tuple(
        Setting(name, found.trials, found.baselines, frozenset(trial.data for trial in planned[name]))
        for name, found in reports.items()
    )
    margin = next(iter(reports.values())).question.sweep.margin
    return Across(reports, interaction.contrasts(settings, margin))


def refuse_same(found: Mapping[str, Inventory]) -> None:
    """Raises UserError where two settings have a comparison's trials in common: it would be set against itself."""
    for (first, one), (second, other) in combinations(found.items(), 2):
        ours, theirs = _ids(one), _ids(other)
        against = baselines(one.question.sweep, one.question.rows)
        same = [a for a, b in against.items() if all(ours[row] == theirs.get(row) for row in (a, b))]
        if same:
            rows = "all rows" if len(same) == len(against) else ", ".join(same)
            raise UserError(
                f"{one.question.name}: the settings {first} and {second} have the same trials of {rows}, which would "
                f"be set against themselves; name settings that differ, e.g. by another recipe"
            )


def _ids(found: Inventory) -> dict[str, frozenset[str]]:
    """Of the trials of each row."""
    ids: dict[str, set[str]] = {}
    for planned in found.planned:
        ids.setdefault(planned.variant.label, set()).add(planned.id)
    return {label: frozenset(own) for label, own in ids.items()}


def open_across(
    name_or_path: str,
    recipes: Sequence[str],
    store: Path | str = "runs",
    *,
    settings: Mapping[str, Any] | None = None,
    seeds: int | None = None,
    data_dir: Path | str = "data",
) -> Across:
    """What the store holds of a sweep asked in the settings of `recipes`; the others as in `open_sweep`.

    Raises UserError for settings that are the same.
    """
    asked, root = catalog.read(catalog.find(name_or_path)), files.place(store)
    found = {}
    for recipe in recipes:
        question = catalog.derive(asked, dict(settings or {}), recipe=recipe, seeds=seeds)
        found[recipe], _ = studies.measured(inventory.take(question, root, Path(data_dir)))
    refuse_same(found)
    return across(
        {name: report.of(one) for name, one in found.items()}, {name: one.planned for name, one in found.items()}
    )

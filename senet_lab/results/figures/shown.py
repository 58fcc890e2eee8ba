"""What the figures of a sweep are made from."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from senet_lab.results.studies import Tried


@dataclass(frozen=True)
class Shown:
    """The frames of `load`, `stats` and `beside`, and the words for what they are compared to."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame
    beside: pd.DataFrame | None
    baseline: str
    """As it stands after "difference to"."""
    margin: float
    """Fraction."""
    tried: Tried | None = None
    """Where studies chose the rows, or what they were trained with."""
    chosen: pd.DataFrame | None = None
    """Then, what they chose: see `studies.chosen`."""

    @property
    def labels(self) -> list[str]:
        """The rows in the order of the table."""
        return [str(label) for label in self.summary["variant"]]

    @property
    def baselines(self) -> list[str]:
        """Rows that others are compared to, in the order of the table."""
        found = set(self.comparison["baseline"])
        return [label for label in self.labels if label in found]

    @property
    def factor(self) -> str | None:
        """The dotted path that the rows vary, if it is one."""
        paths = [c for c in self.summary.columns if "." in c]
        return paths[0] if len(paths) == 1 else None

    @property
    def values(self) -> dict[str, Any]:
        """Label -> value of the only factor; None for controls, where it is off, and of several factors."""
        if self.factor is None:
            return dict.fromkeys(self.labels)
        columns = (self.summary["variant"], self.summary[self.factor], self.summary["control"])
        return {label: None if control or _absent(v) else v for label, v, control in zip(*columns, strict=True)}

    @property
    def numeric(self) -> bool:
        """Whether the rows lie along a number: two values at least, and one row each."""
        found = [v for v in self.values.values() if v is not None]
        return len(found) > 1 and all(map(_number, found)) and len(set(found)) == len(found)

    @property
    def has_published(self) -> bool:
        """Whether the paper has a pair of rows that this sweep compares."""
        return self.beside is not None and bool(self.beside["paper"].notna().any())

    @property
    def has_front(self) -> bool:
        """Whether a search had several objectives."""
        return self.tried is not None and len(self.tried.objectives) > 1 and self.has_tried

    @property
    def has_importances(self) -> bool:
        """Whether it is known how much each setting of a search matters."""
        return self.tried is not None and len(self.tried.importances) > 0

    @property
    def has_search(self) -> bool:
        """Whether the rows are the best of one study."""
        return self.tried is not None and self.tried.search is not None and self.has_tried

    @property
    def has_tried(self) -> bool:
        """Whether a candidate was trained to its end, so that there is something to draw."""
        return self.tried is not None and bool((self.tried.candidates["outcome"] == "done").any())


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

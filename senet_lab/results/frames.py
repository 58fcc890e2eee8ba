"""What is known of a question: its frames, and the records, store and studies behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from senet_lab.candidates import Trials
from senet_lab.catalog import Question
from senet_lab.design import baselines
from senet_lab.records import TrialRecord
from senet_lab.results import captions, figures
from senet_lab.results import studies as of_studies
from senet_lab.results.load import Answers
from senet_lab.results.provenance import Provenance
from senet_lab.results.replay import State
from senet_lab.store import Store

if TYPE_CHECKING:
    from senet_lab.data import Facts


@dataclass(frozen=True, repr=False)
class Frames:
    """A question and what its trials say; the frames are those of `load` and `stats`."""

    question: Question
    rows: pd.DataFrame
    trials: pd.DataFrame
    epochs: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame
    beside: pd.DataFrame | None = None
    """The published table with the rows of this sweep; see `beside.join`."""
    protocol: pd.DataFrame | None = None
    """How those networks were trained and how these are; see `published.protocols`."""
    answers: Mapping[str, Answers] = field(default_factory=dict, repr=False)
    """Row -> which test images its trials got right."""
    records: tuple[TrialRecord, ...] = field(default=(), repr=False)
    store: Store | None = None
    """Where the trials are kept: labels, gates and environments are read from it when they are asked for."""
    looks: State | None = None
    """Where seeds were added until the rows were decided: the looks that the comparison comes from."""
    provenance: Provenance | None = None
    """What the trials came from and cost."""
    images: "Mapping[str, Facts]" = field(default_factory=dict, repr=False)
    """Data source -> its numbers of images, where they are known."""
    studies: tuple[Trials, ...] = field(default=(), repr=False)
    """What chose the rows, or what they were trained with; nothing of it is in the other frames."""

    @property
    def tried(self) -> of_studies.Tried | None:
        """The studies as frames, where there are some."""
        return of_studies.tried(self.studies)

    def chosen(self) -> pd.DataFrame:
        """What studies chose, beside what fresh seeds say of it; see `studies.chosen`. No lines without studies."""
        tried = self.tried
        return pd.DataFrame() if tried is None else of_studies.chosen(tried, self.summary, self.epochs)

    @property
    def baseline(self) -> str:
        """What the rows are compared to: a row's label, or e.g. "the same network without SE"."""
        return captions.compared_to(self.question.sweep, self.baselines)

    @property
    def baselines(self) -> dict[str, str]:
        """Label -> label of the row that it is compared to."""
        return baselines(self.question.sweep, self.question.rows)

    @property
    def factors(self) -> tuple[str, ...]:
        """The dotted paths that the rows vary."""
        return tuple(c for c in self.rows.columns if "." in c)

    def setting(self) -> str:
        """Data and test images, as a sentence begins: "On digits (891 test images)"."""
        data = sorted({row.trial.data.kind for row in self.question.rows})
        images = sorted(set(self.trials["n_test"]))
        return f"On {' and '.join(data)}" + (f" ({images[0]:,} test images)" if len(images) == 1 else "")

    def shown(self) -> figures.Shown:
        """What the figures are made from."""
        frames = (self.trials, self.epochs, self.summary, self.comparison, self.beside)
        tried, chosen = self.tried, self.chosen() if self.studies else None
        return figures.Shown(*frames, self.baseline, self.question.sweep.margin, tried, chosen)

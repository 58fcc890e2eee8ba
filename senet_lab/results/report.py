"""What the store says of a question: frames, and what is made of them. `artifacts` writes the files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Group

from senet_lab.catalog import Question
from senet_lab.design import baselines
from senet_lab.errors import UserError, choices, shown
from senet_lab.plan import PlannedTrial
from senet_lab.records import TrialRecord
from senet_lab.results import (
    beside,
    best,
    captions,
    cells,
    figures,
    keys,
    latex,
    load,
    notebook,
    paper,
    parts,
    prose,
    published,
    stats,
    tables,
)
from senet_lab.results.aggregates import Aggregate, aggregates
from senet_lab.results.load import Answers
from senet_lab.results.pair import Images, Pair, pair
from senet_lab.results.provenance import Provenance, trace
from senet_lab.store import Store

if TYPE_CHECKING:
    from senet_lab.data import Facts


@dataclass(frozen=True, repr=False)
class Report:
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
    store: Store | None = None
    """Where the trials are kept: labels, gates and environments are read from it when they are asked for."""
    provenance: Provenance | None = None
    """What the trials came from and cost."""
    images: "Mapping[str, Facts]" = field(default_factory=dict, repr=False)
    """Data source -> its numbers of images, where they are known."""

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

    def table(self) -> pd.DataFrame:
        """The table in words and percent, a line per row."""
        return tables.report_frame(self.summary, self.comparison)

    def terminal(self, width: int = tables.NARROW) -> Group:
        """The table for a terminal of `width` columns, with what its numbers mean; below it, the paper's."""
        results = tables.terminal(self.table(), self.question.name, self.caption(), width)
        if self.beside is None:
            return Group(results)
        frame, caption = self._beside(self.beside), paper.beside_caption(self.beside, self.baseline)
        return Group(results, "", tables.terminal(frame, "beside the paper", caption, width) if len(frame) else caption)

    def _beside(self, found: pd.DataFrame) -> pd.DataFrame:
        return paper.beside_frame(found, self.rows["variant"], tables.difference_heading(self.comparison))

    def __repr__(self) -> str:
        return f"<{self.question.report_name}: {len(self.rows)} rows, {len(self.trials)} trials>"

    def _repr_html_(self) -> str:
        caption = f"<p><small>{escape(self.caption())}</small></p>"
        return notebook.page(self.question.report_name, self.question.text, notebook.html(self.table()), caption)

    def row(self, text: str) -> str:
        """The row called `text`: its label, or the value of the one setting that it varies.

        Raises UserError, with those there are, otherwise.
        """
        labels = self.rows["variant"].tolist()
        fitting = [str(label) for label in labels if label.partition("=")[2] == text and "," not in label]
        if text in labels or len(fitting) != 1:
            return known(labels, text, self.question.name)
        return fitting[0]

    def compare(self, a: str | float, b: str | float) -> notebook.Compared:
        """Two rows in full, by label or value; shown as tables in a notebook."""
        found = self.pair(self.row(str(a)), self.row(str(b)))
        return notebook.Compared(found, prose.paragraph(found, self.summary, self.setting()))

    def pair(self, a: str, b: str) -> Pair:
        """Two rows, by their labels, in full. Raises UserError if they are the same."""
        if a == b:
            raise UserError(f"{self.question.name}: {a} is compared to itself; give two rows")
        images = None
        if a in self.answers and b in self.answers:
            ours = self.answers[a]
            images = Images(ours, self.answers[b], self.store.labels(ours.images[0]) if self.store else None)
        return pair(self.trials, self.rows, (a, b), self.question.sweep.margin, images)

    def setting(self) -> str:
        """Data and test images, as a sentence begins: "On digits (891 test images)"."""
        data = sorted({row.trial.data.kind for row in self.question.rows})
        images = sorted(set(self.trials["n_test"]))
        return f"On {' and '.join(data)}" + (f" ({images[0]:,} test images)" if len(images) == 1 else "")

    def marks(self) -> pd.DataFrame:
        """What the figure draws, a line per mark."""
        return tables.figure_frame(self.summary, self.comparison, self.beside)

    def figure(self) -> Figure:
        """Test error, differences and parameters of every row; see `figures.draw`."""
        factor = self.factors[0] if len(self.factors) == 1 else None
        return figures.draw(self.marks(), factor, self.baseline, self.question.sweep.margin)

    def caption(self) -> str:
        """What the numbers of the table are: n, intervals, tests, correction, margin, the cost of deciding."""
        sweep, stale = self.question.sweep, int(self.trials["stale"].sum())
        text = captions.table(self.summary, self.comparison, self.baseline, sweep.margin, sweep.seeds)
        return f"{text} {stale} trials are of older code." if stale else text

    def aggregates(self) -> tuple[Aggregate, ...]:
        """The rows as named numbers with their verdicts, in the order of the table."""
        return aggregates(self.summary, self.comparison)

    def sheet(self) -> cells.Sheet:
        """Every number of the table as it is printed, under a name of its own."""
        question, stale = self.question, bool(self.trials["stale"].any())
        told = best.best(self.trials, self.rows)
        return cells.Sheet(
            keys.table(question, stale),
            keys.command(question, stale),
            cells.rows(self.summary, self.comparison, set(told.loc[told["best"], "variant"])),
            cells.facts(question, self.baseline),
        )

    def latex(self) -> str:
        """The table for a paper; see `latex.table`."""
        sweep = self.question.sweep
        said = captions.method(self.summary, self.comparison, self.baseline, sweep.margin, sweep.seeds)
        setting = latex.setting(published.protocols.ours([row.trial for row in self.question.rows], sweep.seeds))
        sentences = [self.question.text.partition("\n")[0], *said, latex.BOLD, setting, *self._otherwise()]
        return latex.table(self.sheet(), sentences, stats.interval_name(self.comparison))

    def _otherwise(self) -> list[str]:
        """What was asked otherwise than the sweep's file does, and what is counted that is not of this code."""
        changed = [f"{key}={value}" for key, value in self.question.changed]
        stale = int(self.trials["stale"].sum())
        said = [f"Asked otherwise than the sweep does: {', '.join(changed)}."] if changed else []
        return said + ([f"{stale} trials are of older code."] if stale else [])

    def markdown(self) -> str:
        """The report as a page: question, table, figure; the published numbers and protocols with their source."""
        head = f"# {self.question.name}\n\n{self.question.text}\n\n"
        page = head + tables.markdown(self.table(), "Results", self.caption()) + "\n![Figure](figure.png)\n"
        if self.beside is None or self.protocol is None:
            return page
        sections = (
            (self._beside(self.beside), "Beside the paper", paper.beside_caption(self.beside, self.baseline)),
            (paper.published_frame(self.beside), "Published", paper.published_note(self.beside)),
            (paper.protocol_frame(self.protocol), "Protocols", paper.protocol_note(self.protocol)),
        )
        return "\n".join([page, *(tables.markdown(*section) for section in sections)])


def known(labels: list[str], text: str, sweep: str) -> str:
    """`text`, if it is one of `labels`. Raises UserError naming those there are."""
    if text not in labels:
        raise UserError(f"{sweep}: there is no row {shown(text)}; {choices(text, labels)}")
    return text


def analyse(
    question: Question,
    planned: Iterable[PlannedTrial],
    records: Iterable[TrialRecord],
    include_stale: bool = False,
    store: Store | None = None,
) -> Report:
    """What the stored trials say about a question; nothing is written."""
    planned, records = tuple(planned), tuple(records)
    rows = load.rows(planned, records, include_stale=include_stale)
    trials = load.trials(planned, records, include_stale=include_stale)
    sweep = question.sweep
    comparison = stats.compare(trials, rows, baselines(sweep, question.rows), sweep.margin)
    answers = load.answers(planned, records, include_stale=include_stale)
    summary, comparison = parts.added(stats.summarise(trials, rows), comparison, answers)
    found = Report(
        question,
        rows,
        trials,
        load.epochs(planned, records, include_stale=include_stale),
        summary,
        comparison,
        answers=answers,
        store=store,
        provenance=trace(planned, records, trials["id"], store),
    )
    if sweep.published is None:
        return found
    protocol = published.protocols.load(sweep.published, [row.trial for row in question.rows], sweep.seeds)
    return replace(
        found, beside=beside.join(published.load(sweep.published), question.rows, comparison), protocol=protocol
    )

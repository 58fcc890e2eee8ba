"""What the store says of a question: frames, and what is made of them. `artifacts` writes the files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Group, RenderableType

from senet_lab.candidates import Trials
from senet_lab.catalog import Question
from senet_lab.design import baselines
from senet_lab.errors import UserError, choices, shown
from senet_lab.inventory import Inventory
from senet_lab.plan import PlannedTrial
from senet_lab.records import TrialRecord
from senet_lab.results import (
    beside,
    captions,
    cells,
    figures,
    load,
    notebook,
    paper,
    parts,
    prose,
    published,
    selected,
    stats,
    tables,
    written,
)
from senet_lab.results import studies as of_studies
from senet_lab.results.aggregates import Aggregate, aggregates
from senet_lab.results.frames import Frames
from senet_lab.results.pair import Asked, Images, Pair, pair
from senet_lab.results.provenance import trace
from senet_lab.results.replay import State
from senet_lab.store import Store

if TYPE_CHECKING:
    from senet_lab.results.activations import Activations


@dataclass(frozen=True, repr=False)
class Report(Frames):
    """A question's frames, and all that is made of them."""

    def table(self) -> pd.DataFrame:
        """The table in words and percent, a line per row."""
        return tables.report_frame(self.summary, self.comparison)

    def terminal(self, width: int = tables.NARROW) -> Group:
        """The table for a terminal of `width` columns, with what its numbers mean; below it, the paper's."""
        results = tables.terminal(self.table(), self.question.name, self.caption(), width)
        parts = [results, *self._chosen(width)]
        if self.beside is None:
            return Group(*parts)
        frame, caption = self.beside_rows(self.beside), paper.beside_caption(self.beside, self.baseline)
        return Group(*parts, "", tables.if_any(frame, "Beside the paper", caption, width))

    def _chosen(self, width: int) -> tuple[RenderableType, ...]:
        if not self.studies:
            return ()
        frame, title, caption = written.chosen(self)
        return "", tables.if_any(selected.folded(frame), title, caption, width)

    def beside_rows(self, found: pd.DataFrame) -> pd.DataFrame:
        """Ours and the paper's differences as text; `found` is `beside`."""
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
        if text in labels:
            return text
        if len(fitting) == 1:
            return fitting[0]
        raise UserError(f"{self.question.name}: there is no row {shown(text)}; {choices(text, labels)}")

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
        asked = Asked(self.rows, self.comparison, self.question.sweep.margin, written.spends(self))
        return pair(self.trials, asked, (a, b), images)

    @property
    def figure_names(self) -> tuple[str, ...]:
        """The figures that apply, in the order in which they are shown."""
        return figures.names(self.shown())

    def figure(self, name: str = "error", width: float = figures.WIDE) -> Figure:
        """A figure of `figure_names`, made for `width` centimetres of paper. Raises UserError for another name."""
        return figures.draw(name, self.shown(), width)

    def figure_data(self, name: str = "error") -> pd.DataFrame:
        """All numbers that the figure draws; units stand in the columns' names."""
        shown = self.shown()
        return figures.kind(name, shown).frame(shown)

    def figure_caption(self, name: str = "error") -> str:
        """A sentence: what is drawn, n, kind of interval."""
        shown = self.shown()
        kind = figures.kind(name, shown)
        return kind.caption(kind.frame(shown), shown)

    def caption(self) -> str:
        """What the numbers of the table are: n, intervals, tests, correction, margin, the cost of deciding."""
        sweep, stale = self.question.sweep, int(self.trials["stale"].sum())
        text = captions.table(self.summary, self.comparison, self.baseline, sweep.margin, sweep.seeds)
        if self.looks is not None:
            text = captions.until_decided(self.summary, self.comparison, self.baseline, self.looks)
        if (tried := self.tried) is not None:
            text = f"{text} {selected.short(tried)}"
        return f"{text} {stale} trials are of older code." if stale else text

    def excitation(
        self,
        row: str | None = None,
        seed: int | None = None,
        classes: Sequence[str] | None = None,
        with_paper: bool | None = None,
    ) -> "Activations":
        """The gates of one trial and what those of all say; raises UserError where none were kept.

        See `activations.analyse`. Reads the run folders.
        """
        from senet_lab.results import activations, kept

        found = kept.kept(self.question, self.trials, self.records, self.store)
        return activations.analyse(found, row, seed, classes, with_paper)

    def aggregates(self) -> tuple[Aggregate, ...]:
        """The rows as named numbers with their verdicts, in the order of the table."""
        return aggregates(self.summary, self.comparison)

    def sheet(self) -> cells.Sheet:
        """Every number of the table as it is printed, under a name of its own."""
        return written.sheet(self)

    def latex(self) -> str:
        """The table for a paper; see `latex.table`."""
        return written.latex_table(self)

    def markdown(self) -> str:
        """The report as a page: question, table, figures; the published numbers and protocols with their source."""
        return written.markdown(self)


def analyse(
    question: Question,
    planned: Iterable[PlannedTrial],
    records: Iterable[TrialRecord],
    include_stale: bool = False,
    store: Store | None = None,
    *,
    looks: State | None = None,
    studies: tuple[Trials, ...] = (),
) -> Report:
    """What the stored trials say about a question; nothing is written.

    With `looks`, the comparison is theirs, and `planned` are the trials that they use. `studies` chose the rows, or
    what they were trained with: see `studies.measured`. Raises UserError for a question whose studies are not given,
    as its rows would not be those that were chosen.
    """
    if question.study is not None and not studies:
        raise UserError(
            f"{question.name}: its rows are known when its study has chosen; run `sweep` until it has, then report that"
        )
    planned, records = tuple(planned), tuple(records)
    rows = load.rows(planned, records, include_stale=include_stale)
    trials = load.trials(planned, records, include_stale=include_stale)
    sweep = question.sweep
    against = baselines(sweep, question.rows)
    comparison = stats.compare(trials, rows, against, sweep.margin) if looks is None else looks.comparison
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
        records=records,
        store=store,
        looks=looks,
        provenance=trace(planned, records, trials["id"], store),
        studies=studies,
    )
    if sweep.published is None:
        return found
    seeds = sweep.seeds if looks is None else looks.span
    protocol = published.protocols.load(sweep.published, [row.trial for row in question.rows], seeds)
    return replace(
        found, beside=beside.join(published.load(sweep.published), question.rows, comparison), protocol=protocol
    )


def of(found: Inventory, include_stale: bool = False, looks: State | None = None) -> Report:
    """What the store says of a question; of what its studies chose, where it has some: see `studies.measured`."""
    found, chose = of_studies.measured(found)
    asked = (found.question, found.planned, found.records, include_stale, found.store)
    return analyse(*asked, looks=looks, studies=chose)

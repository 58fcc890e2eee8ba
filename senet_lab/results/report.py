"""The report of a sweep: frames, and the files that are made of them. Same store, same bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from rich.table import Table

from senet_lab.catalog import Question
from senet_lab.design import baseline
from senet_lab.plan import PlannedTrial
from senet_lab.records import TrialRecord
from senet_lab.results import figures, load, published, stats, tables

PNG = {"Software": "senet-lab"}
PDF = {"Creator": "senet-lab", "Producer": "senet-lab", "CreationDate": None}
DOTS_PER_INCH = 200
MORE_SEEDS = (
    "More seeds: for 80 % power if the observed difference and spread are the true ones; the time is that of the "
    "trials one after another."
)


@dataclass(frozen=True)
class Report:
    """A question and what its trials say; the frames are those of `load` and `stats`."""

    question: Question
    rows: pd.DataFrame
    trials: pd.DataFrame
    epochs: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame
    published: pd.DataFrame | None = None
    files: tuple[Path, ...] = ()
    """What `save` wrote, in a fixed order."""

    @property
    def baseline(self) -> str:
        """Label of the row that the others are compared to."""
        return baseline(self.question.sweep, self.question.rows).label

    def table(self) -> pd.DataFrame:
        """The table in words and percent, a line per row."""
        return tables.report_frame(self.summary, self.comparison)

    def terminal(self, width: int = tables.NARROW) -> Table:
        """The table for a terminal of `width` columns, with what its numbers mean below it."""
        return tables.terminal(self.table(), self.question.name, self.caption(), width)

    def marks(self) -> pd.DataFrame:
        """What the figure draws, a line per mark."""
        return tables.figure_frame(self.summary, self.comparison, self.published)

    def figure(self) -> Figure:
        """Test error, differences and parameters of every row; see `figures.draw`."""
        factors = [c for c in self.rows.columns if "." in c]
        factor = factors[0] if len(factors) == 1 else None
        return figures.draw(self.marks(), factor, self.baseline, self.question.sweep.margin)

    def caption(self) -> str:
        """What the numbers of the table are: n, intervals, tests, correction, margin."""
        missing = int((self.summary["wanted"] - self.summary["n"]).sum())
        stale, margin = int(self.trials["stale"].sum()), 100 * self.question.sweep.margin
        sentences = [
            f"n: trials of {self.question.sweep.seeds} seeds" + (f", {missing} are missing." if missing else "."),
            "Test error at the last epoch: mean and 95 % Student-t interval over seeds.",
            f"Δ: difference to {self.baseline}, paired by seed; its interval is at the corrected level "
            f"({stats.family_text(self.comparison)}) and excludes 0 exactly where the adjusted paired t test has "
            f"p < .05: better or worse.",
            f"Equivalent: two one-sided t tests against the margin of {margin:g} points, Holm.",
            MORE_SEEDS if (self.comparison["verdict"] == "undecided").any() else "",
            stats.ties_text(self.comparison),
            stats.sign_flip_text(self.comparison),
            f"{stale} trials are of older code." if stale else "",
        ]
        return " ".join(s for s in sentences if s)

    def markdown(self) -> str:
        """The report as a page: question, table, figure, and the published numbers with their source."""
        head = f"# {self.question.name}\n\n{self.question.text}\n\n"
        page = head + tables.markdown(self.table(), "Results", self.caption()) + "\n![Figure](figure.png)\n"
        if self.published is None:
            return page
        base = self.question.sweep.base
        note = (
            f"Compare the differences, not the errors: these are {published.SETTING}, each against its own original; "
            f"the results above are {base.model.family} of depth {base.model.depth} on {base.data.source}, "
            f"{base.train.epochs} epochs. With n = 1 a difference has no interval."
        )
        return page + "\n" + tables.markdown(tables.published_frame(self.published), "Published", note)

    def save(self, folder: Path) -> "Report":
        """Write everything into `folder`, replacing what an earlier report left; the same report with `files`."""
        folder.mkdir(parents=True, exist_ok=True)
        names = ("table.csv", "table.md", "trials.csv", "figure.png", "figure.pdf", "figure.csv")
        table_csv, table_md, trials_csv, figure_png, figure_pdf, figure_csv = files = [folder / n for n in names]
        tables.full_frame(self.summary, self.comparison).to_csv(table_csv, index=False)
        table_md.write_text(self.markdown(), encoding="utf-8")
        self.trials.to_csv(trials_csv, index=False)
        figure = self.figure()
        figure.savefig(figure_png, dpi=DOTS_PER_INCH, metadata=PNG)
        figure.savefig(figure_pdf, metadata=PDF)
        self.marks().to_csv(figure_csv, index=False)
        return replace(self, files=tuple(files))


def analyse(
    question: Question,
    planned: Iterable[PlannedTrial],
    records: Iterable[TrialRecord],
    include_stale: bool = False,
) -> Report:
    """What the stored trials say about a question; nothing is written."""
    planned, records = tuple(planned), tuple(records)
    rows = load.rows(planned, records, include_stale=include_stale)
    trials = load.trials(planned, records, include_stale=include_stale)
    sweep = question.sweep
    return Report(
        question,
        rows,
        trials,
        load.epochs(planned, records, include_stale=include_stale),
        stats.summarise(trials, rows),
        stats.compare(trials, rows, baseline(sweep, question.rows).label, sweep.margin),
        published.load(sweep.published) if sweep.published else None,
    )


def write(
    question: Question,
    planned: Iterable[PlannedTrial],
    records: Iterable[TrialRecord],
    folder: Path,
    include_stale: bool = False,
) -> Report:
    """`analyse`, and the files in `folder` itself: table.csv, table.md, trials.csv, figure.png, .pdf and .csv."""
    return analyse(question, planned, records, include_stale).save(folder)

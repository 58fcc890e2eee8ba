"""A report as text to keep: Markdown, LaTeX, and every number as it is printed."""

from typing import TYPE_CHECKING

import pandas as pd

from senet_lab.results import best, captions, cells, keys, latex, paper, published, selected, stats, tables
from senet_lab.results.signflip import ALPHA

if TYPE_CHECKING:
    from senet_lab.results.report import Report


def spends(report: "Report") -> float:
    """What a family of tests may err with that is asked now: all, or where seeds are added, what this look spends."""
    return ALPHA if report.looks is None else report.looks.design.spends(max(1, report.looks.look))


def sheet(report: "Report") -> cells.Sheet:
    """Every number of the table as it is printed, under a name of its own."""
    question, stale, looks = report.question, bool(report.trials["stale"].any()), report.looks is not None
    told = best.best(report.trials, report.rows, report.comparison, spends(report))
    facts = cells.facts(question, report.baseline)
    return cells.Sheet(
        keys.table(question, stale, looks),
        keys.command(question, stale, looks),
        cells.rows(report.summary, report.comparison, set(told.loc[told["best"], "variant"])),
        facts if report.looks is None else facts | {"seeds": report.looks.span},
    )


def latex_table(report: "Report") -> str:
    """The table for a paper; see `latex.table`."""
    sweep = report.question.sweep
    frames = (report.summary, report.comparison, report.baseline)
    seeds: int | str = sweep.seeds
    if report.looks is None:
        said: tuple[str, ...] = captions.method(*frames, sweep.margin, sweep.seeds)
    else:
        said, seeds = captions.method_of_looks(*frames, report.looks), report.looks.span
    setting = latex.setting(published.protocols.ours([row.trial for row in report.question.rows], seeds))
    sentences = [
        report.question.text.partition("\n")[0],
        *said,
        *tuning(report),
        latex.bold(spends(report)),
        setting,
        *_otherwise(report),
    ]
    return latex.table(report.sheet(), sentences, stats.interval_name(report.comparison))


def tuning(report: "Report") -> tuple[str, ...]:
    """How rows came to what studies chose, in sentences; nothing where there were none."""
    tried = report.tried
    return () if tried is None else selected.sentences(tried, _seeds(report))


def chosen(report: "Report") -> tuple[pd.DataFrame, str, str]:
    """Frame, title and caption of what studies chose."""
    assert report.tried is not None
    found = report.chosen()
    return selected.frame(found), selected.TITLE, selected.caption(report.tried, found, _seeds(report))


def _seeds(report: "Report") -> int:
    return report.question.sweep.seeds if report.looks is None else report.looks.design.first


def _otherwise(report: "Report") -> list[str]:
    """What was asked otherwise than the sweep's file does, and what is counted that is not of this code."""
    stale = int(report.trials["stale"].sum())
    return _changed(report) + ([f"{stale} trials are of older code."] if stale else [])


def _changed(report: "Report") -> list[str]:
    changed = [f"{key}={value}" for key, value in report.question.changed]
    return [f"Asked otherwise than the sweep does: {', '.join(changed)}."] if changed else []


def markdown(report: "Report") -> str:
    """The report as a page: question, table, figure; the published numbers and protocols with their source."""
    name = keys.table(report.question, bool(report.trials["stale"].any()), report.looks is not None)
    head = "\n\n".join([f"# {name}", report.question.text, *_changed(report), ""])
    drawn = (f"\n![{name}]({name}.png)\n\n{report.figure_caption(name)}\n" for name in report.figure_names)
    selection = "\n" + tables.markdown(*chosen(report)) if report.studies else ""
    page = head + tables.markdown(report.table(), "Results", report.caption()) + selection + "".join(drawn)
    if report.beside is None or report.protocol is None:
        return page
    sections = (
        (report.beside_rows(report.beside), "Beside the paper", paper.beside_caption(report.beside, report.baseline)),
        (paper.published_frame(report.beside), "Published", paper.published_note(report.beside)),
        (paper.protocol_frame(report.protocol), "Protocols", paper.protocol_note(report.protocol)),
    )
    return "\n".join([page, *(tables.markdown(*section) for section in sections)])

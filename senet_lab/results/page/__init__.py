"""A report as one self-contained HTML page: nothing is fetched, nothing runs, everything is escaped.

`html` puts sections together, which are data (`layout`); `page.html.j2` draws them. Other rooms add theirs
as `more`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import pandas as pd
from markupsafe import Markup

from senet_lab.results import outcomes, paper, selected, stats, tables, written
from senet_lab.results.folder import STUDIED
from senet_lab.results.page import account, answer, checklist, limits, picture, protocol, typography
from senet_lab.results.page.layout import Block, Copy, Folded, Paste, Section, Table, Text
from senet_lab.results.page.layout import Picture as Picture

if TYPE_CHECKING:
    from senet_lab.results.report import Report

HERE = Path(__file__).parent
LEFT = ("verdict", "sign", "reference", "entry", "to", "row here", "note", "item")


def html(report: "Report", pictures: Iterable[Picture] = (), more: Iterable[Section] = ()) -> str:
    """The page of `report` with its figures; `more`: sections that stand after the results."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"image": picture.source, "size": picture.size}
    environment.filters |= {"prose": typography.prose, "number": typography.number, "heading": typography.heading}
    environment.filters["label"] = typography.label
    anchors = answer.anchors(tuple(report.rows["variant"]))
    head, _, rest = report.question.text.partition("\n\n")
    return environment.get_template("page.html.j2").render(
        name=report.question.name,
        title=" ".join(head.split()) or report.question.name,
        rest=[" ".join(p.split()) for p in rest.split("\n\n") if p.strip()],
        changed=report.question.changed,
        seeds=protocol.seeds(report),
        sources=list(protocol.sources(report)),
        margin=stats.points(report.question.sweep.margin),
        groups=answer.groups(report),
        notices=limits.notices(report),
        lines=answer.lines(report),
        scale=answer.scale(report),
        joint=stats.interval_name(report.comparison),
        baseline=report.baseline,
        anchors=anchors,
        sections=[s for s in _sections(report, tuple(pictures), tuple(more), anchors) if s.blocks],
    )


def _sections(
    report: "Report", pictures: tuple[Picture, ...], more: tuple[Section, ...], anchors: dict[str, str]
) -> tuple[Section, ...]:
    found = report.provenance
    results = Table(report.table(), report.caption(), stacked=True, links=anchors, left=LEFT)
    return (
        Section("results", "Results", (results,)),
        Section("selection", "Selection", _selection(report, tuple(p for p in pictures if p.name in STUDIED))),
        Section("figures", "Figures", tuple(p for p in pictures if p.name not in STUDIED)),
        Section("paper", "Beside the paper", _beside(report)),
        *more,
        Section("protocol", "Protocol", protocol.training(report)),
        Section("statistics", "Statistics", protocol.statistics(report)),
        Section("limits", "Limits", (Text(limits.limits(report), points=True),)),
        Section("reproduce", "Make it again", account.reproduction(report)),
        Section("compute", "Compute", account.cost(found) if found else ()),
        Section("trials", "Trials", account.trials(found) if found else ()),
        Section("checklist", "Paper checklist", _checklist(report)),
    )


def _selection(report: "Report", pictures: tuple[Picture, ...]) -> tuple[Block, ...]:
    """What was chosen and from what; nothing without studies."""
    if (tried := report.tried) is None:
        return ()
    frame, _, caption = written.chosen(report)
    candidates = selected.candidates(tried)
    note = "As asked for, row by row; validation images, the last epoch. selection.csv has all of it."
    every = Table(candidates, note, left=("row", "outcome", "settings"))
    return (
        Table(frame, caption, stacked=True, left=("chosen",)),
        *pictures,
        Folded(f"All {len(candidates):,} candidates{f': {told}' if (told := outcomes.told(tried)) else ''}", (every,)),
    )


def _beside(report: "Report") -> tuple[Block, ...]:
    if report.beside is None or report.protocol is None:
        return ()
    ours = paper.beside_frame(report.beside, report.rows["variant"], tables.difference_heading(report.comparison))
    caption = paper.beside_caption(report.beside, report.baseline)
    first: Block = Table(ours, caption, stacked=True, left=LEFT) if len(ours) else Text((caption,))
    differs, printed = paper.protocol_frame(report.protocol), paper.published_frame(report.beside)
    return (
        first,
        Text((Markup(SOURCE),)),
        Folded("What differs in the protocol", (_words(differs, paper.protocol_note(report.protocol)),)),
        Folded("Every published number", (Table(printed, paper.published_note(report.beside), left=LEFT),)),
    )


SOURCE = (
    'The paper: Hu, Shen, Albanie, Sun, Wu, "Squeeze-and-Excitation Networks", '
    '<a href="https://arxiv.org/abs/1709.01507v4">arXiv:1709.01507v4</a>.'
)


def _words(frame: pd.DataFrame, caption: str) -> Table:
    return Table(frame, caption, left=tuple(frame.columns))


def _checklist(report: "Report") -> tuple[Block, ...]:
    found = checklist.items(report)
    return (
        Text(
            (
                "Items 4 to 8 of the NeurIPS paper checklist, for the experiments of this page. A click into a "
                "paragraph selects all of it. What only the authors know is left open in brackets.",
            )
        ),
        *(Paste(f"{item.number}. {item.title}", item.answer, item.text) for item in found),
        Copy("All items as plain text", checklist.plain(found)),
        Copy("All items as LaTeX, for the official checklist file", checklist.latex(found)),
    )

"""The files of a report. Same store, same bytes."""

import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from senet_lab import apart
from senet_lab.errors import UserError
from senet_lab.results import activations, columns, figures, kept, latex, page, paper, tables
from senet_lab.results.across import Across
from senet_lab.results.activations import Activations
from senet_lab.results.figures.style import style
from senet_lab.results.folder import FILES, FORMER, PUBLISHED, SELECTION, of_figure, writing
from senet_lab.results.page.layout import Picture, Section, Table, Text
from senet_lab.results.report import Report

METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": "senet-lab"},
    "pdf": {"Creator": "senet-lab", "Producer": "senet-lab", "CreationDate": None},
    "svg": {"Creator": "senet-lab", "Date": None},
}
"""Of each format: no date, no version."""
DOTS_PER_INCH = 200


TITLES = {
    "error": "Error of every row",
    "differences": "Differences and the margin",
    "cost": "Error against cost",
    "curves": "Learning curves",
    "published": "Beside the published differences",
    "budget": "Error against the budget",
    "front": "Error and cost of the candidates",
    "importance": "Which settings matter",
    "parallel": "Settings and results of the candidates",
    "slices": "Error against each setting",
}


@dataclass(frozen=True)
class Drawing:
    """A figure as its files and for a page."""

    png: bytes
    pdf: bytes
    svg: str


def artifacts(report: Report, ask: apart.Ask = apart.here) -> dict[str, bytes]:
    """Name -> content of every file of a report, in a fixed order; `ask` is asked for figures while others are made."""
    shown = report.shown()
    coming = {name: ask(draw, name, shown) for name in report.figure_names}
    said = gates(report)
    table = tables.full_frame(report.summary, report.comparison)
    files = {
        "table.csv": csv(table),
        "table.md": report.markdown().encode(),
        "table.tex": report.latex().encode(),
        "macros.tex": latex.macros(report.sheet()).encode(),
        "table_alone.tex": latex.ALONE.encode(),
        "trials.csv": csv(report.trials),
        "columns.csv": csv(columns.described(_columns(report, table))),
    }
    drawn: dict[str, Drawing] = {name: coming[name]() for name in reversed(coming)}  # who helps began with the first
    drawings = {name: drawn[name] for name in coming}
    for name, drawing in drawings.items():
        files |= named(name, drawing.png, drawing.pdf, report.figure_data(name))
    if report.beside is not None and report.protocol is not None:
        files |= {"paper.csv": csv(paper.as_csv(report.beside)), "protocol.csv": csv(report.protocol)}
    if (tried := report.tried) is not None:
        files |= {"selection.csv": csv(tried.candidates), "chosen.csv": csv(report.chosen())}
    return {"report.html": page.html(report, pictures(report, drawings), said).encode(), **files}


def _columns(report: Report, table: pd.DataFrame) -> dict[str, Iterable[str]]:
    """File -> its columns."""
    found: dict[str, Iterable[str]] = {"table.csv": table.columns, "trials.csv": report.trials.columns}
    if (tried := report.tried) is not None:
        found |= {"selection.csv": tried.candidates.columns, "chosen.csv": report.chosen().columns}
    return found


def pictures(report: Report, drawings: Mapping[str, Drawing] | None = None) -> tuple[Picture, ...]:
    """The figures as they stand in the page; `drawings`: by name, where they are drawn already."""
    drawn = drawings or {name: draw(name, report.shown()) for name in report.figure_names}
    return tuple(Picture(n, TITLES[n], report.figure_caption(n), drawing.svg) for n, drawing in drawn.items())


def draw(name: str, shown: figures.Shown) -> Drawing:
    """A figure of a report in all its formats."""
    return formats(figures.draw(name, shown))


WORDS = ("block", "row", "statement", "verdict")
CHANNELS = "every ceil(C / 50)-th channel, as in v4 Fig. 6"
SEEDS = "Above: gates over all images, sorted; below: numbers of whole blocks by depth; 95 % Student-t intervals."


def gates(report: Report) -> tuple[Section, ...]:
    """What the page says of the gates, where trials have kept them: not those of older records, or without SE."""
    if not (held := kept.kept(report.question, report.trials, report.records, report.store)).rows():
        return ()
    try:
        found = activations.analyse(held)
    except UserError as error:
        return (Section("excitation", "Excitation", (Text((f"The gates are not shown. {error}.",)),)),)
    one = found.figure()
    pictures = (
        Picture(
            "excitation", "Gates by class", f"{found.title}: means over the images of a class; {CHANNELS}.", svg(one)
        ),
        Picture("excitation_seeds", "Gates over seeds", SEEDS, svg(found.seeds_figure())),
    )
    said = (Table(frame, caption, stacked=True, left=WORDS) for frame, _, caption in found.sections())
    return (Section("excitation", "Excitation", (*pictures, *said)),)


def formats(figure: Figure) -> Drawing:
    """A figure in the formats that are kept."""
    return Drawing(saved(figure, "png"), saved(figure, "pdf"), svg(figure))


def drawn(name: str, figure: Figure, data: pd.DataFrame) -> dict[str, bytes]:
    """A figure as PNG and PDF, and what it draws as CSV."""
    return named(name, saved(figure, "png"), saved(figure, "pdf"), data)


def named(name: str, png: bytes, pdf: bytes, data: pd.DataFrame) -> dict[str, bytes]:
    """A figure's files by their names."""
    return dict(zip(of_figure(name), (png, pdf, csv(data)), strict=True))


def saved(figure: Figure, format: str) -> bytes:
    """A figure as a file of that format; the same figure, the same bytes."""
    content = io.BytesIO()
    with style():
        figure.savefig(content, format=format, dpi=DOTS_PER_INCH, metadata=METADATA[format])
    return content.getvalue()


def svg(figure: Figure) -> str:
    """A figure for a page, letters as outlines, so that it looks the same everywhere."""
    return saved(figure, "svg").decode()


def csv(frame: pd.DataFrame) -> bytes:
    """`frame` as CSV, without its index."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def of_settings(answer: Across) -> dict[str, bytes]:
    """Name -> content of every file about a sweep in several settings."""
    return {"interaction.md": answer.markdown().encode(), **drawn("interaction", answer.figure(), answer.data())}


def write(report: Report, folder: Path, ask: apart.Ask = apart.here) -> tuple[Path, ...]:
    """Write the artifacts into `folder` and take away those of an earlier report that this one has not.

    `ask`: see `artifacts`. Returns their paths. Raises UserError if that cannot be written.
    """
    return put(artifacts(report, ask), folder, {*FILES, *PUBLISHED, *SELECTION, *FORMER})


def put(files: Mapping[str, bytes], folder: Path, former: Collection[str] = ()) -> tuple[Path, ...]:
    """Write `files` into `folder` and take away what is named in `former` besides; returns their paths.

    Raises UserError if that cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in {*former} - files.keys():
            (folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return tuple(folder / name for name in files)


def of_excitation(found: Activations) -> dict[str, bytes]:
    """Name -> content of the files of what the gates say, in a fixed order."""
    title = f"# {found.title}\n\n![Gates by class](excitation.png)\n\n![Within classes](excitation_within.png)\n\n"
    page = title + "![Over seeds](excitation_seeds.png)\n\n"
    return {
        "excitation.md": (page + "\n".join(tables.markdown(*section) for section in found.sections())).encode(),
        **drawn("excitation", found.figure(), found.curves()),
        **drawn("excitation_within", found.within_figure(), found.bands()),
        **drawn("excitation_seeds", found.seeds_figure(), found.over_seeds()),
        "excitation_blocks.csv": csv(found.summary),
        "excitation_trials.csv": csv(found.measured.numbers),
        "excitation_claims.csv": csv(found.claims),
    }


def write_excitation(found: Activations, folder: Path) -> tuple[Path, ...]:
    """Write these files into `folder`, beside those of a report. Raises UserError if that cannot be written."""
    return put(of_excitation(found), folder)

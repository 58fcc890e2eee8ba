"""The files of a report. Same store, same bytes."""

import io
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from senet_lab.results import columns, latex, page, paper, tables
from senet_lab.results.folder import FILES, PUBLISHED, writing
from senet_lab.results.report import Report

PNG = {"Software": "senet-lab"}
PDF = {"Creator": "senet-lab", "Producer": "senet-lab", "CreationDate": None}
SVG = {"Creator": "senet-lab", "Date": None}
DOTS_PER_INCH = 200


def artifacts(report: Report) -> dict[str, bytes]:
    """Name -> content of every file of a report, in a fixed order."""
    table, figure = tables.full_frame(report.summary, report.comparison), report.figure()
    files = {
        "report.html": page.html(report, pictures(report, figure)).encode(),
        "table.csv": csv(table),
        "table.md": report.markdown().encode(),
        "table.tex": report.latex().encode(),
        "macros.tex": latex.macros(report.sheet()).encode(),
        "table_alone.tex": latex.ALONE.encode(),
        "trials.csv": csv(report.trials),
        "columns.csv": csv(columns.described(table.columns, report.trials.columns)),
        **drawn("figure", figure, report.marks()),
    }
    if report.beside is not None and report.protocol is not None:
        files |= {"published.csv": csv(paper.as_csv(report.beside)), "protocol.csv": csv(report.protocol)}
    return files


def drawn(name: str, figure: Figure, data: pd.DataFrame) -> Mapping[str, bytes]:
    """A figure as PNG and PDF, and what it draws as CSV."""
    png, pdf = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH, metadata=PNG)
    figure.savefig(pdf, format="pdf", metadata=PDF)
    return {f"{name}.png": png.getvalue(), f"{name}.pdf": pdf.getvalue(), f"{name}.csv": csv(data)}


def pictures(report: Report, figure: Figure) -> tuple[page.Picture, ...]:
    """The report's figure as it stands in the page."""
    caption = (
        f"a: test error with 95 % interval. b: difference to {report.baseline}, with the margin. c: parameters. "
        f"The numbers that it draws are in figure.csv."
    )
    return (page.Picture("figure", "Error, difference and size of every row", caption, svg(figure)),)


def svg(figure: Figure) -> str:
    """A figure as SVG text, letters as outlines, so that it looks the same everywhere."""
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "senet-lab"}):
        figure.savefig(text, format="svg", metadata=SVG)
    return text.getvalue()


def csv(frame: pd.DataFrame) -> bytes:
    """`frame` as CSV, without its index."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def write(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write the artifacts into `folder` and take away those of an earlier report that this one has not.

    Returns their paths. Raises UserError if that cannot be written.
    """
    files = artifacts(report)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in {*FILES, *PUBLISHED} - files.keys():
            (folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return tuple(folder / name for name in files)

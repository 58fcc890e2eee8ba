"""The files of a report. Same store, same bytes."""

import io
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from senet_lab.results import columns, latex, paper, tables
from senet_lab.results.folder import FILES, PUBLISHED, writing
from senet_lab.results.report import Report

PNG = {"Software": "senet-lab"}
PDF = {"Creator": "senet-lab", "Producer": "senet-lab", "CreationDate": None}
DOTS_PER_INCH = 200


def artifacts(report: Report) -> dict[str, bytes]:
    """Name -> content of every file of a report, in a fixed order."""
    table = tables.full_frame(report.summary, report.comparison)
    files = {
        "table.csv": csv(table),
        "table.md": report.markdown().encode(),
        "table.tex": report.latex().encode(),
        "macros.tex": latex.macros(report.sheet()).encode(),
        "table_alone.tex": latex.ALONE.encode(),
        "trials.csv": csv(report.trials),
        "columns.csv": csv(columns.described(table.columns, report.trials.columns)),
        **drawn("figure", report.figure(), report.marks()),
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

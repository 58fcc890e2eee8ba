"""Tables and macros set by a real pdflatex, once for all cases: what the page says is read from the PDF."""

import re
import shutil
import subprocess

import pytest

from senet_lab import catalog
from senet_lab.results import artifacts, keys, latex, report

NASTY = {
    r"50%_of{a}&b#c~d^e$f\g": 0.3,
    "[first], then *": 0.31,
    "Δ×α ≤ 2²…é ł中": 0.32,
    "p<.05|`x'": 0.33,
    "Shake-Even 29 2x4x64d + Cutout": 0.34,
    "interrupted=yes,gate=hard_sigmoid,model.se.reduction=16": 0.35,
    "a_word_of_" + "w" * 45: 0.36,
}
PAPER = r"""\documentclass{article}
\usepackage[french]{babel}
"""
WRONG = (30, 31, 33, 29)


def asked(make, name, seeds=4, changed=(), **design):
    """The report of a synthetic sweep: each row one image worse than the one before, the second without a seed."""
    question = make.question(name, seeds, **design) if design else catalog.read(catalog.find(name))
    question = catalog.replace(question, changed=changed)
    planned = make.plan(question)
    seeds = question.sweep.seeds
    wrong = {
        row.label: [WRONG[s % 4] + i * 3 + (s * i) % 2 for s in range(seeds)] for i, row in enumerate(question.rows)
    }
    wrong[question.rows[1].label] = wrong[question.rows[1].label][:-1]
    return report.analyse(question, planned, make.records(planned, wrong))


@pytest.fixture(scope="module")
def reports(make):
    """Name of a folder -> the report of one case each."""
    make = make
    named = {label: {"train.learning_rate": rate} for label, rate in NASTY.items()}
    two = {"model.se.reduction": (2, 4, 16), "model.se.gate": ("sigmoid", "tanh"), "model.se.stages": ("all", (3,))}
    return {
        "ratio": asked(make, "reduction_ratio"),
        "two": asked(make, "two_factors", 8, (("seeds", "8"), ("train.epochs", "5")), grid=two),
        "networks": asked(make, "architectures"),
        "nasty": asked(make, "nasty", 3, variants=named, baseline="p<.05|`x'"),
        "single": asked(make, "single", 1, grid={"model.se.reduction": (2, 4)}),
    }


@pytest.fixture(scope="module")
def page(reports, tmp_path_factory):
    """(text, log) of one paper with every table and number of all reports."""
    folder = tmp_path_factory.mktemp("paper")
    lines = [r"\documentclass{article}", r"\usepackage{booktabs}"]
    for name, found in reports.items():
        artifacts.write(found, folder / name)
        lines.append(rf"\input{{{name}/macros}}")
    lines.append(r"\begin{document}")
    for name, found in reports.items():
        sheet = found.sheet()
        lines += [rf"\input{{{name}/table}}", r"\begin{raggedright}"]
        lines += [rf"<{i}: \senetlab{{{keys.escaped(key)}}}>\par" for i, key in enumerate(sheet.texts)]
        lines += [r"\end{raggedright}", r"\clearpage"]
    ratio = reports["ratio"].sheet().name
    lines += [rf"\section{{In a heading: \senetlab{{{ratio}:reduction=8:difference}}}}", r"\end{document}"]
    return compiled(folder, "\n".join(lines))


def compiled(folder, text, name="paper"):
    """(text of the PDF, log) of a document."""
    pdflatex = shutil.which("pdflatex")
    assert pdflatex, "pdflatex is not installed: apt-get install texlive-latex-base texlive-latex-recommended"
    (folder / f"{name}.tex").write_text(text)
    command = [pdflatex, "-interaction=nonstopmode", "-no-shell-escape", f"{name}.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    return folder / f"{name}.pdf", re.sub(r"\n(?=\S)", "", (folder / f"{name}.log").read_text("latin-1"))

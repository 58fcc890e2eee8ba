"""Tables and macros, set by a real pdflatex, once for all cases."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from senet_lab import catalog
from senet_lab.results import keys, latex, manuscript, report

NASTY = (
    r"50%_of{a}&b#c~d^e$f\g",
    "[first], then *",
    "\u0394\u00d7\u03b1 \u2264 2\u00b2\u2026\u00e9 \u0142\u4e2d",
    "p<.05|`x'",
    "Shake-Even 29 2x4x64d + Cutout",
    "interrupted=yes,gate=hard_sigmoid,model.se.reduction=16",
    "a_word_of_" + "w" * 30,
)
COUNTS = ("error", "error.low", "n", "difference", "difference.high", "p", "params", "macs", "seconds")
OVERFULL = re.compile(r"Overfull \\hbox \(([\d.]+)pt")


def asked(make, name, seeds, changed=(), **design):
    """A synthetic report: each row a little worse than the one before, the second without its last seed."""
    question = make.question(name, seeds, **design) if design else catalog.read(catalog.find(name))
    question = replace(question, changed=changed)
    planned = make.plan(question)
    wrong = {
        row.label: [30 + 3 * i + (7 * seed + seed * i) % 5 for seed in range(question.sweep.seeds)]
        for i, row in enumerate(question.rows)
    }
    wrong[question.rows[1].label].pop()
    return report.analyse(question, planned, make.records(planned, wrong))


@pytest.fixture(scope="module")
def reports(make):
    """Case -> its report."""
    rates = {label: {"train.learning_rate": 0.3 + i / 100} for i, label in enumerate(NASTY)}
    two = {"model.se.reduction": (2, 4, 16), "model.se.gate": ("sigmoid", "tanh"), "model.se.stages": ("all", (3,))}
    return {
        "ratio": asked(make, "reduction_ratio", 20),
        "two": asked(make, "two_factors", 8, (("seeds", "8"), ("train.epochs", "5")), grid=two),
        "networks": asked(make, "architectures", 3),
        "nasty": asked(make, "nasty", 3, variants=rates, baseline=NASTY[3]),
        "single": asked(make, "single", 1, grid={"model.se.reduction": (2, 4)}),
    }


@pytest.fixture(scope="module")
def paper(reports, tmp_path_factory):
    """(log, PDF) of one paper with all tables, that prints every number into the log as `<case n: ...>`."""
    folder = tmp_path_factory.mktemp("paper")
    lines = [r"\documentclass{article}", r"\usepackage{booktabs}"]
    for case, found in reports.items():
        (folder / case).mkdir()
        (folder / case / "table.tex").write_text(found.latex())
        (folder / case / "macros.tex").write_text(latex.macros(found.sheet()))
        lines.append(rf"\input{{{case}/macros}}")
    lines.append(r"\begin{document}")
    for case, found in reports.items():
        lines += [rf"\input{{{case}/table}}", r"\clearpage"]
        lines += [
            rf"\typeout{{<{case} {i}: \senetlab{{{keys.escaped(key)}}}>}}\senetlab{{{keys.escaped(key)}}}\par"
            for i, key in enumerate(found.sheet().texts)
        ]
    lines += [
        r"\section{In a heading: \senetlab{reduction_ratio:reduction=8:difference}}",
        r"\catcode`\:=13 \def:{active}",  # as babel's French has it
        r"\typeout{<colon = \senetlab{reduction_ratio:reduction=8:error}>}",
        r"\end{document}",
    ]
    return compiled(folder, "\n".join(lines))


def compiled(folder: Path, text: str) -> tuple[str, Path]:
    """(log, PDF) of a document in `folder`."""
    pdflatex = shutil.which("pdflatex")
    assert pdflatex, "pdflatex is not installed: apt-get install texlive-latex-base texlive-latex-recommended"
    (folder / "paper.tex").write_text(text)
    command = [pdflatex, "-interaction=nonstopmode", "-no-shell-escape", "paper.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120, env=os.environ | {"max_print_line": "9999"})
    return (folder / "paper.log").read_text("latin-1"), folder / "paper.pdf"


def test_every_table_and_number_is_set_without_a_complaint_and_fits_a_page(paper):
    log, pdf = paper
    assert re.findall(r"^!.*", log, flags=re.M) == []
    assert pdf.exists()
    assert [float(width) for width in OVERFULL.findall(log) if float(width) > 1] == []
    assert "Missing character" not in log and "too large" not in log


def test_the_alone_document_shows_the_table_by_itself(reports, tmp_path):
    files = {"table.tex": reports["ratio"].latex(), "macros.tex": latex.macros(reports["ratio"].sheet())}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        assert "documentclass" not in content, "arXiv would take it for a paper"
    log, pdf = compiled(tmp_path, latex.ALONE)
    assert pdf.exists() and "\n!" not in log


def test_a_macro_is_the_number_as_the_table_prints_it(reports, paper):
    log, _ = paper
    for case, found in reports.items():
        sheet = found.sheet()
        printed = dict(re.findall(rf"<{case} (\d+): (.*)>", log))
        assert len(printed) == len(sheet.texts) == 3 + 15 * len(sheet.rows)
        for i, (key, text) in enumerate(sheet.texts.items()):
            if key.rpartition(":")[2] in COUNTS:
                assert manuscript.plain(printed[str(i)]) == text, key
    assert "<colon = " + reports["ratio"].sheet().texts["reduction_ratio:reduction=8:error"] in log


def test_what_the_page_says(paper):
    """Where poppler is: the numbers of r = 4, of which a seed is missing, on the page."""
    if not (pdftotext := shutil.which("pdftotext")):
        pytest.skip("pdftotext reads the page; the log of LaTeX has been read above")
    shown = subprocess.run([pdftotext, "-layout", str(paper[1]), "-"], capture_output=True, text=True, timeout=60)
    assert re.search(r"reduction=4 +17,640 +19/20 +3\.\d\d \[3\.\d\d, 3\.\d\d\] +\u22121\.\d\d \[", shown.stdout)


def test_an_unknown_name_is_an_error_and_not_silence(reports, tmp_path):
    (tmp_path / "macros.tex").write_text(latex.macros(reports["ratio"].sheet()))
    used = r"\senetlab{reduction_ratio:reduction=8:eror}"
    text = rf"\documentclass{{article}}\input{{macros}}\begin{{document}}x{used}\section{{{used}}}\end{{document}}"
    log, _ = compiled(tmp_path, text)
    assert "! Package senet-lab Error: reduction_ratio:reduction=8:eror is no number of a table." in log


def table_of(found):
    """(caption as one line, row by label as its cells)."""
    text = found.latex()
    caption = re.search(r"\\caption\{%\n(.*?)\}\n", text, re.S)[1]
    rows = [line for line in text.splitlines() if "% senet-lab: " in line]
    cells = {line.rpartition("% senet-lab: ")[2]: line.rpartition(r" \\ %")[0].strip().split(" & ") for line in rows}
    return " ".join(caption.split()), cells


def test_the_caption_says_what_a_reader_needs(reports):
    caption, _ = table_of(reports["two"])
    for said in (
        "$n$: trials of a row, one for each of 8 seeds; of all 104 trials 1 is missing.",
        r"95\,\% Student-t interval",
        r"difference to no\_se, paired by seed; the 12 intervals hold jointly",
        "paired t test, Holm-adjusted $p < .05$.",
        "two one-sided t tests against the margin of 0.5 points, Holm.",
        "Bold: the lowest mean error and every row that cannot be told from it",
        "Setting: digits, network ResNet-6 (CIFAR), epochs 20, batch size 64, learning rate 0.1.",
        "Asked otherwise than the sweep does: seeds=8, train.epochs=5.",
    ):
        assert said in caption, said
    assert "more seeds" not in caption.lower(), "planning is none of the reader's business"
    assert "Asked otherwise" not in table_of(reports["ratio"])[0]


def test_rows_carry_their_n_and_their_name(reports):
    _, rows = table_of(reports["ratio"])
    assert [*rows] == [f"reduction_ratio:{row}" for row in (*(f"reduction={r}" for r in (2, 4, 8, 16, 32)), "no_se")]
    assert rows["reduction_ratio:reduction=4"][:3] == ["reduction=4", "17,640", "19/20"]
    assert rows["reduction_ratio:no_se"][-3:] == ["--", "", "baseline"]


def test_seeds_that_the_baseline_lacks_show_beside_the_difference(make):
    question = make.question("few", 4, grid={"model.se.reduction": (2, 4)})
    planned = make.plan(question)
    wrong = {"reduction=2": [30, 31, 33, 31], "reduction=4": [30, 32, 33], "no_se": [36, 35, 39]}
    found = report.analyse(question, planned, make.records(planned, wrong))
    _, rows = table_of(found)
    assert rows["few:reduction=2"][-2].endswith("], $n=3$") and "4" in rows["few:reduction=2"]
    assert "$n=" not in rows["few:reduction=4"][-2] and "3/4" in rows["few:reduction=4"]
    assert found.table()["Δ points [joint 95 %]"].str.contains(r"\(n=3\) \[").tolist() == [True, False, False]
    assert found.sheet().texts["few:reduction=2:difference.n"] == "3"


def test_bold_is_the_best_and_what_cannot_be_told_from_it(make):
    question = make.question("few", 8, grid={"model.se.reduction": (2, 4)})
    planned = make.plan(question)
    noise = [0, 2, 1, 3, 0, 1, 2, 1]
    wrong = {
        "reduction=2": [30 + n for n in noise],
        "reduction=4": [30 + n for n in reversed(noise)],
        "no_se": [60 + n for n in noise],
    }
    found = report.analyse(question, planned, make.records(planned, wrong))
    _, rows = table_of(found)
    assert [manuscript.bold(cells[-5]) for cells in rows.values()] == [True, True, False]


def test_a_wide_table_leaves_costs_to_the_macros(reports):
    head = {case: next(x for x in found.latex().splitlines() if "Row &" in x) for case, found in reports.items()}
    assert "Params & Mult-adds" in head["single"]
    assert "Params & $n$" in head["networks"] and "Row & $n$" in head["two"]
    assert r"\senetlabset{two_factors+seeds-8+train.epochs-5:no_se:macs}{1,150,000}" in latex.macros(
        reports["two"].sheet()
    )


def test_the_first_line_makes_the_file_again(reports, make):
    two = "% senet-lab report two_factors.py --seeds 8 --set train.epochs=5"
    assert reports["two"].latex().splitlines()[0] == two
    assert latex.macros(reports["two"].sheet()).splitlines()[0] == two
    assert reports["ratio"].latex().splitlines()[0] == "% senet-lab report reduction_ratio"
    question = make.question("old", 2)
    records = [make.record(p) for p in make.plan(question, "code-1")]
    stale = report.analyse(question, make.plan(question, "code-2"), records, include_stale=True)
    assert stale.latex().splitlines()[0].endswith("--include-stale")
    assert "12 trials are of older code." in stale.latex()


def test_where_images_lie_on_this_machine_is_not_printed():
    items = {"data set": "folder:/home/me/imagenet", "network": "ResNet-50", "epochs": "100"}
    items |= {"batch size": "256", "learning rate": "0.6"}
    assert latex.setting(items).startswith("Setting: folder imagenet, network ResNet-50, epochs 100")

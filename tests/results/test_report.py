"""The files of a report: which, what they say, and that they are a function of the store."""

import base64
import dataclasses
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from senet_lab import catalog
from senet_lab.records import Evaluation
from senet_lab.results import artifacts, columns, latex, report, written
from senet_lab.results.replay import State
from senet_lab.results.sequential import Design
from tests.results import studied

TABLES = ["table.csv", "table.md", "table.tex", "macros.tex", "table_alone.tex", "trials.csv", "columns.csv"]
FILES = ["report.html", *TABLES] + [
    f"{name}.{end}" for name in ("error", "differences", "cost", "curves") for end in ("png", "pdf", "csv")
]
PUBLISHED = ["published.png", "published.pdf", "published.csv", "paper.csv", "protocol.csv"]


def test_the_files(question, planned, records, tmp_path):
    answer = report.analyse(question, planned, records)
    written = artifacts.write(answer, tmp_path / "reports" / "reduction_ratio")
    assert [p.name for p in written] == FILES + PUBLISHED
    assert sorted(p.name for p in (tmp_path / "reports" / "reduction_ratio").iterdir()) == sorted(FILES + PUBLISHED)
    named = {p.name: p for p in written}
    table = pd.read_csv(named["table.csv"])
    assert table["mean"].tolist() == answer.summary["mean"].tolist()
    assert table["n_pairs"].tolist()[:3] == [20, 20, 18]
    assert len(pd.read_csv(named["trials.csv"])) == 118
    assert len(pd.read_csv(tmp_path / "reports/reduction_ratio/error.csv")) == 6 + 118
    assert len(pd.read_csv(tmp_path / "reports/reduction_ratio/published.csv")) == 5 + 5 + 4


@pytest.mark.usefixtures("undrawn")
def test_the_test_set_has_its_part(make, question, planned, tmp_path):
    """Bits of the records reach the caption and table.csv."""
    generator = np.random.default_rng(0)
    records = []
    for wanted in planned:
        correct = generator.random(900) > np.linspace(0, 0.07, 900)
        bits = base64.b64encode(np.packbits(correct).tobytes()).decode()
        test = Evaluation(error=1 - correct.mean(), loss=0.1, images=900, correct=bits)
        records.append(make.record(wanted, test=test))
    answer = report.analyse(question, planned, records)
    assert "these 900 test images" in answer.caption()
    artifacts.write(answer, tmp_path)
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["se_seeds"].tolist() == pytest.approx((table["sd"] / np.sqrt(table["n"])).tolist())
    assert table["delta_se_test"].notna().sum() == table["family"].max() == 5
    assert (table["images"] == 900).all()


@pytest.mark.usefixtures("undrawn")
def test_every_column_of_the_tables_is_explained(question, planned, records):
    """Those of `stats`, `parts` and `load` each have a meaning of their own in columns.csv, none is left over."""
    files = artifacts.artifacts(report.analyse(question, planned, records))
    said = pd.read_csv(io.BytesIO(files["columns.csv"]))
    for name, known in (("table.csv", columns.TABLE), ("trials.csv", columns.TRIALS)):
        there = pd.read_csv(io.BytesIO(files[name])).columns.tolist()
        assert said.loc[said["file"] == name, "column"].tolist() == there
        assert {c for c in there if "." not in c} == set(known)
    assert said["meaning"].notna().all()
    fractions = said.loc[said["unit"] == "fraction", "column"]
    assert {"mean", "delta_low", "test_error", "margin"} <= set(fractions)


def test_same_store_same_bytes(question, planned, records, tmp_path):
    first = artifacts.write(report.analyse(question, planned, records), tmp_path / "1")
    second = artifacts.write(report.analyse(question, planned, reversed(records)), tmp_path / "2")
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_the_page_says_what_was_asked_otherwise(make, question, planned, records):
    """As the table for a paper does; the bare name would be that of other numbers."""
    other = dataclasses.replace(question, changed=(("train.epochs", "1"),))
    page = report.analyse(other, planned, records).markdown()
    assert page.startswith("# reduction_ratio+train.epochs-1\n")
    assert "\nAsked otherwise than the sweep does: train.epochs=1.\n" in page
    assert "Asked otherwise" not in report.analyse(question, planned, records).markdown()


def test_the_page_says_what_its_numbers_are(question, planned, records):
    page = report.analyse(question, planned, records).markdown()
    for said in (
        "How narrow may the bottleneck be?",
        "20 seeds; of all 120 trials 2 are missing",
        "95 % Student-t interval",
        "the 5 intervals hold jointly at 95 % (Student t, Bonferroni)",
        "Holm-adjusted p < .05",
        "margin of 0.5 points",
        "arXiv:1709.01507v4 Table 10",
        "n = 1",
        "| network | ResNet-50 | ResNet-50 | ResNet-6 (CIFAR) |",
        "| data set | ImageNet 2012 | ImageNet 2012 | digits |",
    ):
        assert said in page


def test_few_seeds_are_named(make):
    question = make.question(seeds=3)
    planned = make.plan(question)
    wrong = {row.label: (30, 31, 33) for row in question.rows}
    assert (
        "sign-flip tests, which assume less, cannot reach .05 with Holm over 5"
        in report.analyse(question, planned, make.records(planned, wrong)).caption()
    )


def test_an_empty_store_has_a_report_too(question, planned, tmp_path):
    written = report.analyse(question, planned, [])
    artifacts.write(written, tmp_path)
    assert set(written.comparison["verdict"]) == {"undecided"}
    assert "120 are missing" in written.caption()


def test_results_of_older_code_count_when_asked_and_are_named(make):
    question = make.question(seeds=2)
    planned, older = make.plan(question, "code-2"), make.plan(question, "code-1")
    records = [make.record(p) for p in older]
    assert report.analyse(question, planned, records).trials.empty
    assert "12 trials are of older code" in report.analyse(question, planned, records, include_stale=True).caption()


@pytest.mark.usefixtures("undrawn")
def test_sweeps_without_a_published_table(make, tmp_path):
    question = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "relu")})
    planned = make.plan(question)
    written = report.analyse(question, planned, [make.record(p) for p in planned])
    assert written.beside is None
    assert "Published" not in written.markdown()
    assert [p.name for p in artifacts.write(written, tmp_path)] == FILES


@pytest.mark.usefixtures("undrawn")
def test_published_numbers_of_an_earlier_report_do_not_stay(make, question, planned, tmp_path):
    artifacts.write(report.analyse(question, planned, []), tmp_path)
    for name in ("figure.png", "figure.pdf", "figure.csv"):  # of an earlier version
        (tmp_path / name).write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    other = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "relu")})
    artifacts.write(report.analyse(other, make.plan(other), []), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*FILES, "notes.txt"])


@pytest.mark.parametrize(
    ("design", "points"),
    [
        ({"grid": {"train.learning_rate": (0.05, 0.2)}}, []),  # three rows without SE: which is the paper's?
        (
            {"grid": {"model.se.reduction": (2, 4), "model.se.gate": ("sigmoid", "tanh")}},
            [
                ("reduction=2,gate=sigmoid", -1.01),
                ("reduction=4,gate=sigmoid", -1.05),
                ("reduction=4,gate=sigmoid", -1.59),
            ],
        ),
        (
            {"grid": {"model.se.reduction": (2, 4)}, "baseline": {"model.se.reduction": 4}},
            [("reduction=2", 0.04), ("no_se", 1.05), ("no_se", 1.59)],
        ),
    ],
)
def test_the_papers_points_are_of_the_same_comparison(make, design, points):
    """Each is the difference between the two published rows that the sweep compares, or is not there."""
    question = make.question(seeds=2, **design, published="reduction_ratio")
    planned = make.plan(question)
    written = report.analyse(question, planned, [make.record(p) for p in planned])
    paper = written.figure_data("published") if points else pd.DataFrame()
    found = [(row["variant"], round(row["delta_points"], 6)) for _, row in paper.iterrows() if row["source"] != "ours"]
    assert found == points
    assert ("published" in written.figure_names) == bool(points)
    assert "arXiv:1709.01507v4 Table 10" in written.markdown()
    assert ("has none of the pairs of rows" in written.markdown()) == (not points)


def test_counterparts(make):
    """Two networks, each compared to itself without SE; a third has no counterpart."""
    plain = {"A": {"model.depth": 6}, "B": {"model.depth": 10}}
    variants = {
        name: settings
        for label, base in plain.items()
        for name, settings in ((label, base), (f"SE-{label}", base | {"model.se.reduction": 2}))
    }
    variants["alone"] = {"model.depth": 14, "model.se.reduction": 2}
    question = make.question(seeds=3, variants=variants, counterpart={"model.se": None}, controls=())
    planned = make.plan(question)
    wrong = {label: (30, 31, 33) for label in variants} | {"SE-B": (20, 22, 22), "SE-A": (29, 32, 33)}
    written = report.analyse(question, planned, make.records(planned, wrong))
    assert written.comparison[["variant", "baseline"]].to_numpy().tolist() == [["SE-A", "A"], ["SE-B", "B"]]
    assert written.table()["verdict"].tolist()[::2] == ["baseline", "baseline", "not compared"]
    assert written.baseline == "the same network without SE"
    assert "Δ: difference to the same network without SE, paired by seed; the 2 intervals" in written.caption()
    assert {a.label: a.verdict for a in written.aggregates()}["alone"] == "not compared"


@pytest.mark.parametrize("name", sorted(catalog.names()))
def test_every_shipped_sweep_stands_beside_its_table(make, name):
    """Of each shipped question: every compared row that the paper has is joined, at 80 columns nothing is cut."""
    question, studies = studied.invented(catalog.read(catalog.find(name)))
    planned = make.plan(question)
    wrong = {row.label: [30 + (i + seed) % 5 for seed in range(3)] for i, row in enumerate(question.rows)}
    written = report.analyse(question, planned, make.records(planned, wrong), studies=studies)
    text = io.StringIO()
    Console(file=text, width=80).print(written.terminal(80))
    assert "…" not in text.getvalue() and max(map(len, text.getvalue().splitlines())) <= 80
    if question.sweep.published is None:
        assert question.search is not None
        return
    joined = set(written.beside.dropna(subset="paper")["variant"])
    assert set(written.comparison["variant"]) == joined
    alone = written.beside.loc[written.beside["fits"] != 1, "entry"].tolist()
    assert alone == (["ResNet-50"] if name in ("squeeze_operator", "excitation_operator", "integration") else [])
    assert "Beside the paper" in text.getvalue()


def test_what_a_look_spends_is_all_that_bold_and_other_pairs_may_err_with(question, planned, records):
    """Look 2 spends .05 / 6 = .0083; p values of the sweep's own comparisons are adjusted already."""
    answer = report.analyse(question, planned, records)
    design = Design(answer.baselines, 0.005, first=8)
    at_second = replace(answer, looks=State(design, 2, answer.comparison, {}, {}))
    assert (written.spends(answer), written.spends(at_second)) == (0.05, pytest.approx(0.05 / 6))
    for found, said in ((answer, "p < .05; or its verdict)."), (at_second, "p < .0083; or its verdict).")):
        assert latex.bold(written.spends(found)).endswith(said)
    other, own = at_second.pair("reduction=2", "reduction=32"), at_second.pair("reduction=2", "no_se")
    assert (other.family.alpha, own.family.alpha) == (pytest.approx(0.05 / 6), 0.05)
    assert "judged at 0.0083, which this look spends" in at_second.compare("2", "32").sentence
    nothing = replace(answer, looks=State(design, 0, answer.comparison, {}, {}))
    assert written.spends(nothing) == pytest.approx(0.05 / 2)

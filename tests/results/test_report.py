"""The files of a report: which, what they say, and that they are a function of the store."""

import pandas as pd
import pytest

from senet_lab.results import report

FILES = ["table.csv", "table.md", "trials.csv", "figure.png", "figure.pdf", "figure.csv"]


def test_the_files(question, planned, records, tmp_path):
    written = report.write(question, planned, records, tmp_path / "reports" / "reduction_ratio")
    assert [p.name for p in written.files] == FILES
    assert sorted(p.name for p in (tmp_path / "reports" / "reduction_ratio").iterdir()) == sorted(FILES)
    table = pd.read_csv(written.files[0])
    assert table["mean"].tolist() == written.summary["mean"].tolist()
    assert table["n_pairs"].tolist()[:3] == [20, 20, 18]
    assert len(pd.read_csv(written.files[2])) == 118
    assert len(pd.read_csv(written.files[5])) == 26


def test_same_store_same_bytes(question, planned, records, tmp_path):
    first = report.write(question, planned, records, tmp_path / "1")
    second = report.write(question, planned, reversed(records), tmp_path / "2")
    for a, b in zip(first.files, second.files, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_the_page_says_what_its_numbers_are(question, planned, records):
    page = report.analyse(question, planned, records).markdown()
    for said in (
        "How narrow may the bottleneck be?",
        "20 seeds, 2 are missing",
        "95 % Student-t interval",
        "the 5 intervals hold jointly at 95 % (Student t, Bonferroni)",
        "Holm-adjusted p < .05",
        "margin of 0.5 points",
        "arXiv:1709.01507v4 Table 10",
        "n = 1",
        "cifar_resnet of depth 6 on digits",
    ):
        assert said in page


def test_few_seeds_are_named(make):
    question = make.question(seeds=3)
    planned = make.plan(question)
    wrong = {row.label: (30, 31, 33) for row in question.rows}
    assert (
        "No sign-flip test can reach .05" in report.analyse(question, planned, make.records(planned, wrong)).caption()
    )


def test_an_empty_store_has_a_report_too(question, planned, tmp_path):
    written = report.write(question, planned, [], tmp_path)
    assert set(written.comparison["verdict"]) == {"undecided"}
    assert "120 are missing" in written.caption()


def test_results_of_older_code_count_when_asked_and_are_named(make):
    question = make.question(seeds=2)
    planned, older = make.plan(question, "code-2"), make.plan(question, "code-1")
    records = [make.record(p) for p in older]
    assert report.analyse(question, planned, records).trials.empty
    assert "12 trials are of older code" in report.analyse(question, planned, records, include_stale=True).caption()


def test_sweeps_without_a_published_table(make, tmp_path):
    question = make.question(seeds=2, grid={"model.se.gate": ("sigmoid", "relu")})
    planned = make.plan(question)
    written = report.write(question, planned, [make.record(p) for p in planned], tmp_path)
    assert written.published is None
    assert "Published" not in written.markdown()


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"grid": {"train.learning_rate": (0.05, 0.2)}}, "this sweep train.learning_rate against no_se"),
        (
            {"grid": {"model.se.reduction": (2, 4), "model.se.gate": ("sigmoid", "tanh")}},
            "this sweep model.se.reduction, model.se.gate against no_se",
        ),
        (
            {"grid": {"model.se.reduction": (2, 4)}, "baseline": {"model.se.reduction": 4}},
            "this sweep model.se.reduction against reduction=4",
        ),
    ],
)
def test_the_papers_points_stand_only_among_what_they_vary(make, design, said):
    question = make.question(seeds=2, **design, published="reduction_ratio")
    planned = make.plan(question)
    written = report.analyse(question, planned, [make.record(p) for p in planned])
    assert set(written.marks()["source"]) == {"ours"}
    assert not any("paper" in t.get_text() for t in written.figure().legends[0].get_texts())
    page = written.markdown()
    assert f"The published table varies model.se.reduction against the network without SE, {said}: its points" in page
    assert "arXiv:1709.01507v4 Table 10" in page


def test_the_papers_points_stand_beside_their_own_factor(question, planned, records):
    written = report.analyse(question, planned, records)
    assert set(written.marks()["source"]) == {"ours", "v4", "CVPR"}
    assert "not in the figure" not in written.markdown()

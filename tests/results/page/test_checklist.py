"""The paragraphs for the paper checklist say this sweep's numbers, and can be pasted into LaTeX."""

import re
from dataclasses import replace

import pytest

from senet_lab.records import Environment
from senet_lab.results import report
from senet_lab.results.page import account, checklist


def test_items_have_the_sweeps_numbers(question, planned, records):
    four, five, six, seven, eight = checklist.items(report.analyse(question, planned, records))
    assert [i.number for i in (four, five, six, seven, eight)] == [4, 5, 6, 7, 8]
    assert "118 training runs" in four.text
    assert five.answer == "TODO" and "[AUTHORS: say where code and data can be had.]" in five.text
    assert "learning rate 0.1" in six.text and "epochs 20" in six.text
    assert "18 to 20 seeds" in seven.text and "p < .05 after Holm over the 5 comparisons" in seven.text
    assert "0.5 points" in seven.text
    assert "2.0 s on average" in eight.text and "118 trials" in eight.text and "2 not run yet" in eight.text


def test_nothing_is_claimed_that_is_not_there(make):
    question = make.question(seeds=1)
    planned = make.plan(question)
    empty = checklist.items(report.analyse(question, planned, []))
    assert [i.answer for i in empty] == ["NA", "TODO", "Yes", "NA", "NA"]
    single = checklist.items(report.analyse(question, planned, [make.record(t) for t in planned]))
    assert single[3].answer == "No" and "no claim of a difference" in single[3].text


@pytest.mark.parametrize(
    ("diff", "uncommitted"),
    [
        (None, ""),
        ("+x\n-y\n", "2 lines of diff, kept in the store"),
        ("Untracked: mine.py\n", "1 Python file untracked, kept by name alone"),
        ("Untracked: a.py\nUntracked: b.py\n+x\n", "1 line of diff, kept in the store; 2 Python files untracked, kept"),
    ],
)
def test_a_commit_is_told_with_what_it_has_not(question, planned, records, diff, uncommitted):
    answer = report.analyse(question, planned, records)
    here = Environment(
        command="senet-lab sweep mine", python="3.12", platform="Linux", cpu="A", cores=2, gpus=(), packages={},
        git_commit="c0ffee", git_diff=diff,
    )  # fmt: skip
    found = replace(answer.provenance, environments={"e": here})
    said = checklist.items(replace(answer, provenance=found))[1].text
    assert f"(git commit c0ffee{', with uncommitted changes' * bool(diff)})" in said
    told = dict(account.software(found, "e", here))["git commit"]
    assert told.startswith(f"c0ffee with uncommitted changes ({uncommitted}" if diff else "c0ffee, no uncommitted")


def test_latex_has_no_bare_special(question, planned, records):
    odd = replace(question, changed=(("data.source", "folder:50%_of $all & #1 {x}~^\\"),))
    text = checklist.latex(checklist.items(report.analyse(odd, planned, records)))
    assert r"folder:50\%\_of \char36{}all \& \#1 \{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}" in text
    assert not re.search(r"(?<!\\)[%&#_]|[^\x00-\x7f]", text), "all ASCII, all escaped"
    assert r"\texttt{senet-lab sweep reduction\_ratio" in text
    assert text.count(r"\answerYes{}") == 4 and r"\answerTODO{}" in text

"""What was chosen, in words: in the terminal, the page, the caption of a paper's table, the files."""

import io
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from senet_lab.results import artifacts, columns, folder, page, report, selected
from senet_lab.results.page import account, checklist, limits, protocol
from senet_lab.spec import ASHA, Float, Search
from tests.results import studied


def printed(answer, width):
    text = io.StringIO()
    Console(file=text, width=width).print(answer.terminal(width))
    return text.getvalue()


def test_the_terminal_has_the_score_that_chose_beside_those_of_fresh_seeds():
    text = printed(studied.tuned(), 80)
    assert max(map(len, text.splitlines())) <= 80 and "…" not in text
    below = text.partition("What was chosen")[2]
    assert "chosen by" in below and "fresh seeds" in below
    line = next(line for line in below.splitlines() if line.startswith("reduction=16"))
    numbers = [word for word in line.split() if "." in word and "[" not in word and "=" not in word]
    assert numbers == ["3.00", "5.20", "3.52"]
    assert "+1.20 points from what chose" in " ".join(below.split())


def test_long_settings_are_folded_not_cut():
    text = printed(studied.searched(), 80)
    assert "…" not in text and max(map(len, text.splitlines())) <= 80
    assert "placement=post" in text


def test_what_is_said_of_tuning():
    tried = studied.tuned().tried
    first, second = selected.sentences(tried, 3)
    assert first == (
        "Every row was tuned by itself: 3 candidates (random search) over learning_rate (0.01 to 1, log), judged on "
        "validation images at the last epoch by validation error."
    )
    assert second == "The best of each row was trained again on 3 fresh seeds; only these are reported."
    assert selected.sentences(tried, 1)[1].startswith("The best of each row was trained again on 1 fresh seed;")


def test_what_is_said_of_a_search():
    answer = studied.searched()
    tried, k = answer.tried, len(answer.rows) - 1
    first, second = selected.sentences(tried, 3)
    assert "One search: 24 candidates (Optuna's TPE) over se (off, on), reduction (2, 4, 8, 16)" in first
    assert "by validation error and parameters; parameters at most 18,000." in first
    assert tried.candidates["on_front"].sum() == k
    assert second.startswith(f"The {k} on the Pareto front and the base were trained again on 3 fresh seeds;")
    single = studied.searched(objectives=("error",), limits={}, confirm=2)
    assert "The best 2 and the base were trained again" in selected.sentences(single.tried, 3)[1]
    said = selected.caption(tried, answer.chosen(), 3)
    assert "Of all candidates 1 failed and was replaced and 1 was over a limit and not trained." in said


def _among(front, chosen, base, **asked):
    """What is said of who was trained again, with so many on the front and chosen; `base`: it is one of these."""
    tried = studied.searched(confirm=1, **asked).tried
    found = tried.candidates.head(front).assign(on_front=True, measured_as="candidate")
    found["chosen"] = [i < chosen for i in range(front)]
    if base:
        found.loc[0, "measured_as"] = found["row"][0]
    return selected.sentences(replace(tried, candidates=found), 3)[1].partition(" trained again")[0]


def test_the_base_is_not_told_twice_where_it_is_one_of_those_chosen():
    assert _among(3, 3, base=True) == "Of the 3 on the Pareto front 2 and the base, which is one of the 3, were"
    assert _among(3, 2, base=False) == "Of the 3 on the Pareto front 2 and the base were"
    assert _among(3, 3, base=False) == "The 3 on the Pareto front and the base were"
    assert _among(1, 1, base=False) == "The one on the Pareto front and the base were"
    assert _among(1, 1, base=True) == "The base, alone on the Pareto front, was"
    assert _among(3, 1, base=True) == "Of the 3 on the Pareto front the base alone was"
    one = {"objectives": ("error",), "limits": {}}
    assert _among(3, 2, base=False, **one) == "The best 2 and the base were"
    assert _among(3, 2, base=True, **one) == "The best 2, the base among them, were"
    assert _among(3, 1, base=False, **one) == "The best and the base were"
    assert _among(3, 1, base=True, **one) == "The best, which is the base, was"
    assert _among(3, 0, base=False) == "No candidate may be chosen, and only the base was"


def test_a_study_that_had_fewer_than_its_budget_says_why():
    answer = studied.tuned()
    short = tuple(replace(s, exhausted="the grid has no more") for s in answer.studies[:1])
    answer = replace(answer, studies=(*short, *answer.studies[1:]))
    assert "reduction=2 had fewer than 3: the grid has no more." in " ".join(printed(answer, 100).split())


@pytest.mark.parametrize("make", [studied.tuned, studied.searched])
def test_the_paper_is_told(make):
    answer = make()
    tex = " ".join(answer.latex().split())
    for sentence in selected.sentences(answer.tried, 3):
        assert sentence.split(" over ")[0].replace("%", r"\%") in tex
    assert "on validation images; the numbers are of fresh seeds." in answer.caption()
    assert "## What was chosen" in answer.markdown()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("make", [studied.tuned, studied.searched])
def test_the_files(make, tmp_path):
    answer = make()
    names = {path.name for path in artifacts.write(answer, tmp_path)}
    figures = {"budget", "slices"} | ({"front", "importance", "parallel"} if make is studied.searched else set())
    assert names & set(folder.SELECTION) == {
        "selection.csv", "chosen.csv", *(file for name in figures for file in folder.of_figure(name))
    }  # fmt: skip
    candidates = pd.read_csv(tmp_path / "selection.csv")
    assert len(candidates) == sum(len(s.candidates) for s in answer.studies)
    assert pd.read_csv(tmp_path / "chosen.csv")["selection_error"].notna().all()
    said = pd.read_csv(tmp_path / "columns.csv").groupby("file")["column"].agg(list)
    assert said["selection.csv"] == candidates.columns.tolist()
    assert {c for c in said["selection.csv"] if "." not in c} == set(columns.SELECTION)
    assert said["chosen.csv"] == list(columns.CHOSEN)
    for name in figures:
        assert len(pd.read_csv(tmp_path / f"{name}.csv"))


@pytest.mark.usefixtures("undrawn")
def test_files_of_a_study_do_not_stay(question, planned, tmp_path):
    artifacts.write(studied.searched(), tmp_path)
    artifacts.write(report.analyse(question, planned, []), tmp_path)
    assert not {path.name for path in tmp_path.iterdir()} & set(folder.SELECTION)


@pytest.mark.usefixtures("undrawn")
def test_the_page_has_a_section_of_its_own():
    answer = studied.searched()
    found = page._sections(answer, artifacts.pictures(answer), (), {})
    parts = {section.anchor: section for section in found}
    names = [block.name for block in parts["selection"].blocks if block.kind == "picture"]
    assert names == ["budget", "front", "importance", "parallel", "slices"]
    assert not {*names} & {block.name for block in parts["figures"].blocks}
    folded = parts["selection"].blocks[-1]
    assert folded.title == TRIED and len(folded.blocks[0].frame) == 27
    assert "trials that settings were chosen by" in parts["compute"].blocks[1].frame["row"].tolist()


TRIED = "All 27 candidates: 24 trained to their end, 1 failed, 1 over a limit, 1 repeated"


def test_the_page_of_other_sweeps_has_none(question, planned, records):
    found = page._sections(report.analyse(question, planned, records), (), (), {})
    assert next(section for section in found if section.anchor == "selection").blocks == ()


def test_nothing_is_said_to_be_the_same_that_was_tuned(question, planned, records):
    tuned, other = studied.tuned(), report.analyse(question, planned, records)
    settings = checklist.items(tuned)[2].text
    assert "the same in all rows but for what is compared and what was tuned." in settings
    assert "3 candidates (random search)" in settings and "and what to tune were chosen" in settings
    assert "and what was tuned" not in checklist.items(other)[2].text
    assert "decide what is chosen" in protocol.last_epoch(tuned) and "decide nothing" in protocol.last_epoch(other)
    told, untold = " ".join(limits.limits(tuned)), " ".join(limits.limits(other))
    assert "the best learning_rate of 3 candidates of its own" in told and "not tuned for each" not in told
    assert "not tuned for each" in untold
    assert "The test images were not used to choose anything here." in told and "test images chose" not in told
    assert "24 trials of one search" in " ".join(limits.limits(studied.searched()))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, ""),
        (
            {"objectives": ("error",), "limits": {}, "stopping": ASHA()},
            "which candidates are stopped early depends on which run at the same time",
        ),
        ({"objectives": ("error", "latency"), "limits": {}}, "the seconds an image are measured anew"),
        ({"objectives": ("error",), "limits": {"latency": 0.01}}, "the seconds an image are measured anew"),
    ],
)
def test_what_is_trained_besides_and_whether_it_would_choose_the_same(asked, why):
    answer = studied.searched(**asked)
    item = checklist.items(answer)[0].text
    made = " ".join(map(str, account.reproduction(answer)[1].paragraphs))
    assert "Besides these runs 24 candidates were trained to choose settings by" in item
    assert "here 24 candidates chose settings." in made
    if why:
        assert f"Because {why}, it may then choose other settings; a run of given settings stays the same." in item
        assert f"Because {why}, other settings may be chosen there; a trial of given settings stays the same." in made
    else:
        assert "other settings" not in item and "other settings" not in made


def test_a_sweep_without_candidates_promises_the_same_runs(question, planned, records):
    answer = report.analyse(question, planned, records)
    assert "candidates" not in checklist.items(answer)[0].text + str(account.reproduction(answer)[1])
    assert "Besides these runs 9 candidates were" in checklist.items(studied.tuned())[0].text


def test_candidates_are_told_from_other_trials():
    text = checklist.items(studied.tuned())[4].text
    assert "9 that settings were chosen by" in text and "not asked for" not in text


def test_a_space_in_words():
    search = Search(
        base=studied.recipes.DIGITS,
        space={"train.learning_rate": Float(low=0.001, high=1, log=True), "train.momentum": Float(low=0, high=0.9)},
        trials=2,
        seeds=2,
        margin=0.005,
    )
    tried = replace(studied.tuned().tried, study=search)
    assert selected.space(tried) == "learning_rate (0.001 to 1, log) and momentum (0 to 0.9)"

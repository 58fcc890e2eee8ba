"""The answer above everything else: who is in which group, sentences that agree with themselves, strips to scale."""

from dataclasses import replace

import pytest

from senet_lab.results import report
from senet_lab.results.page import answer

RATIOS = ("reduction=2", "reduction=4", "reduction=8", "reduction=16", "reduction=32")


@pytest.fixture
def found(make):
    """r = 2 is better by 9 of 900 images, r = 4 worse, r = 8 equal, r = 16 too noisy, r = 32 without trials."""
    question = make.question(seeds=8)
    noise = (0, 1, -1, 2, -2, 1, -1, 0)
    wrong = {
        "no_se": [30 + e for e in noise],
        "reduction=2": [21 + e + (i % 2) for i, e in enumerate(noise)],
        "reduction=4": [39 + e + (i % 2) for i, e in enumerate(noise)],
        "reduction=8": [30 + e + (i % 2) for i, e in enumerate(noise)][:7],
        "reduction=16": [30 + 6 * e + i for i, e in enumerate(noise)],
    }
    planned = make.plan(question)
    return report.analyse(question, planned, make.records(planned, wrong))


def test_rows_are_grouped_by_verdict(found):
    told = {g.verdict: g for g in answer.groups(found)}
    assert {v: g.labels for v, g in told.items()} == {
        "better": ("reduction=2",),
        "worse": ("reduction=4",),
        "equivalent": ("reduction=8",),
        "undecided": ("reduction=16", "reduction=32"),
    }
    assert (told["better"].against, told["equivalent"].against) == ("than no_se", "to no_se")
    assert "margin of 0.5 points" in told["equivalent"].note
    assert told["undecided"].note.startswith("not a tie")
    assert "would probably decide reduction=16 (80 % power" in told["undecided"].note
    assert "sweep with --until-decided adds them and keeps 5 %" in told["undecided"].note


def test_the_row_that_needs_the_fewest_seeds_is_named_wherever_it_stands(found):
    undecided = found.comparison["verdict"] == "undecided"
    needs = found.comparison.assign(
        more_seeds=[{"reduction=32": 7.0}.get(v, 10.0) for v in found.comparison["variant"]]
    )
    note = answer._open(needs[undecided], looks=False)
    assert "about 7 more seeds would probably decide reduction=32 (80 % power" in note
    assert "would probably decide it (" in answer._open(needs[undecided].head(1), looks=False)


def test_a_sentence_agrees_with_itself(found):
    """Where a seed is missing, both errors are those of the common seeds: their difference is the one that is told."""
    line = {x.label: x for x in answer.lines(found)}["reduction=8"]
    ours, theirs = (float(part.split(" %")[0]) for part in line.sentence.split(" against "))
    assert f" against {theirs:.2f} %, both over the 7 common seeds alone: " in line.sentence, "the table has 8 of no_se"
    told = float(line.sentence.split(": ")[1].split(" points")[0])
    assert told == pytest.approx(ours - theirs, abs=0.011)
    assert told == pytest.approx(100 * 3 / 7 / 900, abs=0.005)
    assert line.sentence.count("common seeds") == 1


def test_minus_signs_and_probabilities(found):
    line = answer.lines(found)[0]
    assert line.sentence.startswith("2.39 % test error against 3.33 %: \N{MINUS SIGN}0.94 points, joint 95 % interval")
    assert line.sentence.endswith("adjusted p < .001")
    assert (answer.signed(0.00001), answer.signed(-0.00001), answer.signed(-0.01)) == (
        "0.00",
        "0.00",
        "\N{MINUS SIGN}1.00",
    )


def test_strips_share_one_scale(found):
    """Places are linear in the difference, and every interval and the margin lie inside."""
    scale, lines = answer.scale(found), [x for x in answer.lines(found) if x.strip]
    deltas = dict(zip(found.comparison["variant"], found.comparison["delta"], strict=True))
    unit = (scale.margin_high - scale.zero) / found.question.sweep.margin
    assert scale.zero - scale.margin_low == pytest.approx(scale.margin_high - scale.zero, abs=0.02)
    for line in lines:
        assert line.strip.at == pytest.approx(scale.zero + unit * deltas[line.label], abs=0.1)
        assert 0 < line.strip.low < line.strip.at < line.strip.high < 100
    assert 0 < scale.margin_low < scale.margin_high < 100
    reached = [x for line in lines for x in (line.strip.low, line.strip.high)] + [scale.margin_low, scale.margin_high]
    assert 2 < min(reached) < 10 and 90 < max(reached) < 98, "the scale ends a little beyond all that it shows"


@pytest.mark.parametrize(
    ("low", "high", "left", "right"),
    [
        (-0.08, -0.02, "\N{MINUS SIGN}8.5 points", ""),
        (0.02, 0.08, "", "+8.5 points"),
        (-0.04, 0.02, "\N{MINUS SIGN}4.4 points", "+2.4"),
        (-0.02, 0.04, "\N{MINUS SIGN}2.4", "+4.4 points"),
    ],
)
def test_no_label_of_the_scale_stands_on_another(found, low, high, left, right):
    """The unit is on the side with more room, and an end that is close to 0 has no label."""
    moved = found.comparison.assign(delta_low=low, delta=(low + high) / 2, delta_high=high)
    scale = answer.scale(replace(found, comparison=moved))
    assert (scale.low, scale.high) == (left, right)


def test_without_trials_there_is_no_strip_and_no_number(make):
    question = make.question(seeds=3)
    empty = report.analyse(question, make.plan(question), [])
    assert all(x.strip is None and not any(c.isdigit() for c in x.sentence) for x in answer.lines(empty))
    assert answer.groups(empty)[0].note == "too few seeds that a row shares with what it is compared to"


def test_anchors_are_one_a_row_whatever_the_labels():
    found = answer.anchors(("a b", "a-b", 'x"><script>', "é"))
    assert len(set(found.values())) == 4
    assert all(c.isalnum() or c in "-._" for anchor in found.values() for c in anchor)

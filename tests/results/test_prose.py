"""Sentences to paste say what the numbers say, and are whole where numbers are missing."""

import re

import pytest

from senet_lab.results import prose, report


def test_the_paragraph_carries_every_number(question, planned, records):
    found = report.analyse(question, planned, records)
    pair = found.pair("reduction=2", "reduction=32")
    told = prose.paragraph(pair, found.summary, found.setting())
    d = pair.difference
    assert told.startswith("On digits (900 test images), the test error after the last epoch was")
    for number in (f"{100 * d['mean']:+.2f} points", f"95 % CI {100 * d['low']:+.2f} to {100 * d['high']:+.2f}"):
        assert number in told
    assert f"paired t(19) = {d['t']:.2f}, unadjusted p " in told and "sign-flip permutation test" in told
    assert f"After Holm over all 15 pairs, p {prose.p_value(d['p_all_pairs'])} for a difference" in told
    assert told.count("n = 20 seeds") == 2
    assert "reduction=2 is better than reduction=32." in told
    assert "nan" not in told and "other test images" not in told, "these records kept no bits"


def test_the_sentence_has_the_p_that_the_verdict_goes_by(question, planned, records):
    found = report.analyse(question, planned, records)
    for _, line in found.comparison.iterrows():
        told = found.compare(line["variant"], line["baseline"]).sentence
        assert f"After Holm over the 5 comparisons of the sweep, p {prose.p_value(line['p_holm'])} for" in told
        assert f"p {prose.p_value(line['p_tost_holm'])} for equivalence:" in told


def test_one_comparison_is_corrected_for_nothing(make):
    question = make.question(seeds=3, grid={"model.se.reduction": (2,)})
    planned = make.plan(question)
    found = report.analyse(question, planned, make.records(planned, {"reduction=2": (1, 2, 4), "no_se": (2, 2, 3)}))
    assert "As the only comparison of the sweep, p " in found.compare("2", "no_se").sentence


def test_errors_of_the_common_seeds_are_told_where_a_row_has_more(question, planned, records):
    """r = 8 lacks two seeds: its error and that of no_se, each over its own seeds, are not apart by the difference."""
    found = report.analyse(question, planned, records)
    told = found.compare("8", "no_se").sentence
    ours, theirs = re.search(r"points, (.{4}) % against (.{4}) % with these seeds alone \(of this pair", told).groups()
    difference = 100 * found.pair("reduction=8", "no_se").difference["mean"]
    assert float(ours) - float(theirs) == pytest.approx(difference, abs=0.011)
    assert "seeds alone" not in found.compare("2", "no_se").sentence


@pytest.mark.parametrize(("se", "said"), [(0.0, "by less than these seeds can show"), (2e-5, "under 0.01 points")])
def test_what_test_images_add_is_never_nothing(question, planned, records, se, said):
    found = report.analyse(question, planned, records)
    pair = found.pair("reduction=2", "no_se")
    pair.difference["se_test"] = se
    told = prose.paragraph(pair, found.summary, found.setting())
    assert said in told and "0.00 points" not in told
    assert "0.00" not in prose.facts(pair).set_index("what")["value"]["1 SE by the images"]


@pytest.mark.parametrize("seeds", [0, 1, 2, 5])
def test_nothing_is_said_that_few_seeds_do_not_tell(make, seeds):
    question = make.question(seeds=5)
    planned = make.plan(question)
    wrong = {row.label: (30, 33, 31, 36, 29)[:seeds] for row in question.rows} | {"no_se": (31, 31, 35, 30, 30)[:seeds]}
    found = report.analyse(question, planned, make.records(planned, wrong))
    pair = found.pair("reduction=2", "no_se")
    told = prose.paragraph(pair, found.summary, found.setting()) + prose.mcnemar(pair)
    assert "nan" not in told and "sign-flip" not in told
    assert ("Nothing can be tested" in told) == (seeds < 2)
    assert ("95 % CI" in told) == (seeds > 1)
    assert prose.facts(pair)["value"].str.contains("nan").sum() == 0


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0004, "< .001"),
        (0.0312, "= .031"),
        (0.0499, "= .050"),
        (0.31, "= .31"),
        (1.0, "= 1.00"),
        (float("nan"), "not defined"),
    ],
)
def test_p_values(p, text):
    assert prose.p_value(p) == text


def test_facts_in_a_line_each(question, planned, records):
    pair = report.analyse(question, planned, records).pair("reduction=8", "no_se")
    facts = prose.facts(pair).set_index("what")["value"]
    wins, ties, losses = map(int, re.findall(r"\d+", facts["seeds for a, ties, b"]))
    assert wins + ties + losses == 18 and wins == (pair.seeds["a"] < pair.seeds["b"]).sum()

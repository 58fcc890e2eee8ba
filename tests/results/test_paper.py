"""What a report says of the published table: text, and nothing invented."""

import json

import pytest

from senet_lab.results import paper, report, tables


@pytest.fixture
def written(question, planned, records):
    return report.analyse(question, planned, records)


def test_our_difference_with_interval_then_the_papers(written):
    frame = paper.beside_frame(written.beside, written.rows["variant"]).set_index("variant")
    assert list(frame.columns) == ["n", tables.DIFFERENCE, "paper, v4", "paper, CVPR", "sign"]
    assert frame.loc["reduction=2"].tolist() == ["20", "-0.64 [-0.99,-0.29]", "-1.01", "-", "agrees"]
    assert frame.loc["reduction=16", ["paper, v4", "paper, CVPR"]].tolist() == ["-1.02", "-1.51"]
    assert frame.loc["reduction=32", "sign"] == "ours undecided"
    assert "no_se" not in frame.index


def test_rows_keep_the_order_of_the_sweep(written):
    labels = written.rows["variant"].tolist()[::-1]
    assert paper.beside_frame(written.beside, labels)["variant"].tolist() == labels[1:]


def test_documents_that_disagree_are_named(written):
    beside = written.beside.copy()
    beside.loc[(beside["source"] == "CVPR") & (beside["entry"] == "4"), "sign"] = "opposite"
    beside.loc[(beside["source"] == "v4") & (beside["entry"] == "4"), "sign"] = "agrees"
    frame = paper.beside_frame(beside, ["reduction=4"])
    assert frame["sign"].tolist() == ["v4 agrees, CVPR opposite"]


def test_the_caption_says_n_and_data_and_what_the_differences_are_to(written, make):
    text = paper.beside_caption(written.beside, "no_se")
    assert "the same comparison on ImageNet, one run each (n = 1), hence no interval; differences to no_se" in text
    assert "Signs are compared where this sweep finds a difference." in text
    assert "one measurement" not in text
    question = make.question(seeds=2, grid={"train.learning_rate": (0.2, 0.3)}, published="reduction_ratio")
    other = report.analyse(question, make.plan(question), [])
    assert paper.beside_caption(other.beside, "no_se").startswith("The published table (ImageNet) has none of the")


def test_published_numbers_carry_their_source_n_and_place(written):
    frame = paper.published_frame(written.beside)
    assert frame.iloc[3].tolist() == [
        "arXiv:1709.01507v4 Table 10", "16", "1", "22.28", "-1.02", "original", "28.1 M", "-", "reduction=16", "",
    ]  # fmt: skip
    assert frame.iloc[5].tolist()[4:6] == ["-", "original"]


def test_sampling_error_of_one_published_error(written):
    """sqrt(.2275 x .7725 / 50,000) = 0.19 points."""
    assert "50,000 test images alone leave in one of these errors is about 0.19 points" in paper.published_note(
        written.beside
    )


def test_protocols_list_what_differs_and_name_what_does_not(written):
    frame = paper.protocol_frame(written.protocol)
    assert list(frame.columns) == ["item", "v4", "CVPR", "this sweep"]
    assert "optimizer" not in set(frame["item"]) and "epochs" in set(frame["item"])
    assert paper.protocol_note(written.protocol).startswith(
        "The same in all: stem, optimizer, squeeze, gate, placement. "
    )


def test_settings_are_json_in_files(written):
    assert json.loads(paper.as_csv(written.beside)["settings"][3])["model.se.reduction"] == 16

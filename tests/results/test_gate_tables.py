"""Tables of gates: what stands in them, and that they fit a terminal."""

import io
import math

import numpy as np
import pandas as pd
import pytest
from gated import frame, network
from rich.console import Console

from senet_lab.results import excitation, gate_tables, selectivity


@pytest.fixture
def numbers():
    """Three seeds of two rows with long names."""
    found = [
        selectivity.of_trial(frame(network(seed)), (0, 3, 6, 9)).assign(variant=variant, seed=seed)
        for variant in ("reduction=16,gate=sigmoid", "placement=identity")
        for seed in range(3)
    ]
    return pd.concat(found, ignore_index=True)


def block_table(numbers, paper=None):
    summary = excitation.over_seeds(numbers, ["variant", "block"], selectivity.STATISTICS)
    return gate_tables.block_frame(summary[summary["variant"] == "placement=identity"], paper)


@pytest.mark.parametrize(
    ("numbers_", "text"),
    [
        ((0.5,), "0.500"),
        ((0.5, 0.45, 0.55), "0.500 ±0.050"),
        ((-0.00001, -0.2, 0.2), "0.000 ±0.200"),
        ((math.nan,), "-"),
        ((0.5, math.nan, math.nan), "0.500"),
    ],
)
def test_a_number_with_half_its_interval(numbers_, text):
    assert gate_tables.number(*numbers_) == text


def test_blocks_by_depth_then_the_paper_s(numbers):
    found = block_table(numbers, excitation.paper())
    assert found["block"].tolist()[:4] == ["SE_2_1", "SE_3_1", "SE_4_1", "paper SE_2_3"]
    assert found["n"].tolist()[2:4] == ["3", "1"]
    own = numbers.query("variant == 'placement=identity' and block == 'SE_3_1'")["spread"]
    assert found.loc[1, "spread of classes"].split(" ±")[0] == f"{np.mean(own):.3f}"
    assert found.set_index("block").loc["paper SE_5_2", ["mean gate", "between share", "near 1"]].tolist() == [
        "0.975",
        "-",
        "0.980",
    ]


def test_statements_without_a_number_are_left_out_and_that_is_said(numbers):
    claims = excitation.claims(numbers)
    found, caption = gate_tables.claim_frame(claims), gate_tables.claim_caption(claims)
    assert "mean |1 - gate|: last block" in set(found["statement"])
    assert "mean |1 - gate|: last block but one" not in set(found["statement"])
    assert "Left out: what takes three blocks, or two of the last stage." in caption
    assert "first to last: SE_2_1 to SE_4_1." in caption
    assert "No interval: all seeds have the same number" in caption  # rank 1 in every seed
    shares = found[found["statement"] == "channels near 1: last block"]
    assert set(shares["verdict"]) == {"no claim"}
    assert "No claim: a number to read beside the paper's" in caption
    assert "No claim" not in gate_tables.claim_caption(claims[claims["claim"] == "trend"])


@pytest.mark.parametrize("which", ["blocks", "claims"])
def test_a_terminal_of_80_columns_cuts_nothing(numbers, which):
    if which == "blocks":
        table, caption = block_table(numbers, excitation.paper()), gate_tables.block_caption(list("0369"), 90)
    else:
        table, caption = gate_tables.claim_frame(excitation.claims(numbers)), "what it is"
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(gate_tables.terminal(table, "title", caption))
    text = console.export_text()
    assert "…" not in text and max(map(len, text.splitlines())) <= 80
    for cell in table.drop(columns=["row"], errors="ignore").to_numpy().ravel():
        assert all(part in text for part in cell.split(" ±")), cell
    if which == "claims":
        assert text.count("placement=identity") == 1, "a row is named once"


def test_the_caption_says_why_channels_are_not_averaged():
    assert "another order" in gate_tables.block_caption(["0", "1"], 90)

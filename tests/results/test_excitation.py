"""The paper's digitised curves against the table worked out beside them, and what seeds say together."""

import math

import numpy as np
import pandas as pd
import pytest
from gated import fill, frame, network, place
from scipy import stats

from senet_lab.gates import grid_stride
from senet_lab.results import excitation, selectivity
from senet_lab.results.published.excitation import CLASSES, curves

TABLE = {
    "SE_2_3": (0.396, 0.027, 0.888, 0.045, 0.238, (0.039, 0.031)),
    "SE_3_4": (0.418, 0.158, 0.832, 0.049, 0.189, (0.047, 0.036)),
    "SE_4_6": (0.341, 0.077, 0.766, 0.206, 0.643, (0.077, 0.078)),
    "SE_5_1": (0.613, 0.206, 0.939, 0.343, 0.744, (0.159, 0.169)),
    "SE_5_2": (0.975, 0.000, 0.999, 0.001, 0.006, (0.001, 0.001)),
    "SE_5_3": (0.159, 0.097, 0.250, 0.221, 0.253, (0.120, 0.086)),
}
"""Mean, least and most of "all", mean and largest spread, mean band of goldfish and plane: from the same vector
graphics, before they were rounded to four digits."""
GRID = {
    "SE_2_3": (256, 6, 43, 252),
    "SE_3_4": (512, 11, 47, 506),
    "SE_4_6": (1024, 21, 49, 1008),
    "SE_5_1": (2048, 41, 50, 2009),
    "SE_5_2": (2048, 41, 50, 2009),
    "SE_5_3": (2048, 41, 50, 2009),
}
"""Channels, stride, points plotted, last channel, as measured in the figures."""


@pytest.mark.parametrize("block", TABLE)
def test_the_paper_s_curves_give_the_numbers_beside_them(block):
    own = excitation.paper().set_index("block").loc[block]
    mean, least, most, spread, spread_most, bands = TABLE[block]
    close = {"abs": 0.00061}  # half a unit of the table, and of the curves' last digit
    assert own["mean"] == pytest.approx(mean, **close)
    assert (own["least"], own["most"]) == (pytest.approx(least, **close), pytest.approx(most, **close))
    assert (own["spread"], own["spread_most"]) == (pytest.approx(spread, **close), pytest.approx(spread_most, **close))
    assert own["within"] == pytest.approx(np.mean(bands), **close)
    assert math.isnan(own["share"]), "the figures do not tell it"


@pytest.mark.parametrize("block", GRID)
def test_the_paper_s_channels_are_every_so_manieth(block):
    own = curves().query("block == @block and `class` == -1")
    channels, stride, points, last = GRID[block]
    assert (own["channels"].unique().tolist(), len(own), own["channel"].max()) == ([channels], points, last)
    assert own["channel"].tolist() == list(range(0, channels, stride)) and grid_stride(channels) == stride


def test_the_saturated_block_and_its_exception():
    own = curves().query("block == 'SE_5_2' and `class` == -1")
    assert (own["mean"] > 0.9).sum() == 49 and own.loc[own["mean"] <= 0.9, "channel"].tolist() == [1353]
    assert excitation.paper().set_index("block").loc["SE_5_2", "near_one"] == pytest.approx(49 / 50)


def test_the_paper_s_class_means_of_its_last_block():
    means = curves().query("block == 'SE_5_3'").groupby("class")["mean"].mean()
    expected = {"goldfish": 0.215, "pug": 0.056, "plane": 0.078, "cliff": 0.274}
    assert means[-1] == pytest.approx(0.159, abs=0.0006)
    assert [means[n] for n in range(4)] == pytest.approx([expected[word] for word in CLASSES], abs=0.0006)


def test_bands_are_of_goldfish_and_plane_alone():
    known = curves().dropna(subset="sd")
    assert set(known["class"]) == {0, 2} and len(known) == 2 * sum(points for _, _, points, _ in GRID.values())


def numbers(seeds, **network_settings):
    """The numbers of one row's seeds."""
    found = [
        selectivity.of_trial(frame(network(seed, **network_settings)), (0, 3, 6, 9)).assign(variant="SE", seed=seed)
        for seed in seeds
    ]
    return pd.concat(found, ignore_index=True)


def test_the_interval_is_student_s():
    found = numbers(range(5))
    line = excitation.over_seeds(found, ["variant", "block"], ["spread"]).iloc[0]
    values = found.loc[found["block"] == "SE_2_1", "spread"]
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (line["n"], line["mean"], line["low"], line["high"]) == (5, *map(pytest.approx, (values.mean(), low, high)))


def test_an_interval_is_not_cut_as_that_of_an_error_is():
    """Gates of relu are beyond 1, and half an interval is told for both sides."""
    assert excitation.interval(np.array([2.0, 4.0, 9.0])) == pytest.approx(
        stats.t.interval(0.95, 2, 5.0, stats.sem([2.0, 4.0, 9.0]))
    )


def test_channels_in_another_order_change_no_number_over_seeds():
    """Three seeds that differ by the order of their channels alone have no spread at all; by channel they would."""
    images = network(0)
    trials = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(8)
        gates = frame({name: x[:, order] for name, x in images.items()})
        trials.append(selectivity.of_trial(gates, (0, 9)).assign(variant="SE", seed=seed))
    found = pd.concat(trials)
    for name in selectivity.STATISTICS:
        assert np.ptp(found.query("block == 'SE_4_1'")[name].to_numpy()) < 1e-12


def said(found, key):
    return found.set_index("claim").loc[key]


def test_claims_of_a_network_that_does_as_the_paper_says():
    found = excitation.claims(numbers(range(6)))
    rises = said(found, "later_specific")
    assert (rises["n"], rises["first"], rises["last"], rises["verdict"]) == (6, "SE_2_1", "SE_4_1", "holds")
    per_seed = numbers(range(6)).pivot(index="seed", columns="block", values="apart")
    differences = per_seed["SE_4_1"] - per_seed["SE_2_1"]
    low, high = stats.t.interval(0.95, 5, differences.mean(), stats.sem(differences))
    assert (rises["mean"], rises["low"], rises["high"]) == tuple(map(pytest.approx, (differences.mean(), low, high)))
    assert said(found, "trend")["mean"] == 1.0 and said(found, "trend")["verdict"] == "holds"  # six equal seeds
    assert said(found, "last_identity")["verdict"] == "", "the paper does not say it of the last block: its own is .84"
    assert said(found, "last_near_one")["verdict"] == ""
    assert said(found, "last_but_one_identity")["n"] == 0, "the block before is of another stage"


def test_a_network_the_other_way_round_and_one_seed_alone():
    turned = numbers(range(4), blocks=("SE_4_1", "SE_3_1", "SE_2_1")).iloc[::-1]
    found = excitation.claims(turned)
    assert said(found, "later_specific")["verdict"] == said(found, "within_rises")["verdict"] == "does not hold"
    assert said(found, "trend")["mean"] == -1.0
    alone = excitation.claims(numbers([0]))
    assert set(alone["verdict"]) == {"undecided", ""}


def test_a_last_stage_that_lets_everything_pass():
    open_ = pd.DataFrame(
        [
            {"variant": "SE", "seed": seed, "block": f"SE_5_{n}", "stage": "5"} | dict.fromkeys(COLUMNS, 0.5)
            | {"identity": identity + 0.01 * seed, "near_one": 1 - identity}
            for seed in range(3)
            for n, identity in ((1, 0.5), (2, 0.02), (3, 0.08))
        ]
    )  # fmt: skip
    found = excitation.claims(open_)
    assert said(found, "last_but_one_identity")["verdict"] == "holds"
    assert said(found, "last_identity")["mean"] == pytest.approx(0.09) and said(found, "last_identity")["verdict"] == ""
    assert math.isnan(said(found, "trend")["mean"]), "all blocks alike have no order"


COLUMNS = [name for name in selectivity.COLUMNS if name not in ("block", "stage")]


def test_the_paper_s_own_claims():
    """Two ranks and differences that the table of its curves gives by hand."""
    found = excitation.claims(numbers([0])).set_index("claim")["paper"]
    between = [_between(curves().query(f"block == '{block}' and `class` >= 0")) for block in ("SE_2_3", "SE_5_3")]
    assert found["later_specific"] == pytest.approx(between[1] - between[0])
    assert found["within_rises"] == pytest.approx((0.120 + 0.086 - 0.039 - 0.031) / 2, abs=0.001)
    assert found["trend"] == pytest.approx(1 - 6 * (4 + 0 + 4 + 4 + 16 + 4) / (6 * 35))  # ranks 3 2 5 6 1 4
    assert found["within_follows"] == pytest.approx(1 - 6 * (1 + 1 + 1 + 0 + 0 + 1) / (6 * 35))  # 2 3 4 6 1 5
    assert (found["last_but_one_near_one"], found["last_near_one"]) == (pytest.approx(0.98), 0)
    assert (found["last_but_one_identity"], found["last_identity"]) == (
        pytest.approx(1 - 0.975, abs=0.001),
        pytest.approx(1 - 0.159, abs=0.001),
    )


def _between(own):
    """Variance of four means of 50 images, less a fiftieth of the variance within, which two classes tell."""
    means = own.pivot(index="class", columns="channel", values="mean").var()
    return math.sqrt((means - own.groupby("channel")["sd"].apply(lambda sd: (sd**2).mean()) / 49).mean())


def test_blocks_that_tell_no_class_apart_do_not_become_specific_by_their_noise():
    """The deviation within a class rises threefold from block to block, all classes are alike: nothing holds."""
    draw, labels = np.random.default_rng(0), np.repeat(np.arange(10), 6)
    images = [{f"SE_{stage}_1": draw.normal(0.5, 0.01 * 3**stage, (60, 16)) for stage in (1, 2)} for _ in range(20)]
    found = pd.concat(
        [
            selectivity.of_trial(frame(x, labels), (0, 3, 6, 9)).assign(variant="SE", seed=s)
            for s, x in enumerate(images)
        ]
    )
    spreads = found.pivot(index="seed", columns="block", values="spread")
    assert (spreads["SE_2_1"] > spreads["SE_1_1"]).all(), "sampling alone"
    assert said(excitation.claims(found), "later_specific")["verdict"] == "undecided"


def test_each_trial_is_read_once_and_damaged_ones_are_counted(make, tmp_path):
    question = make.question(seeds=2, grid={"model.se.reduction": (2, 16)})
    held = fill(make, question, place(tmp_path, question))
    next((tmp_path / "runs").rglob("reduction-2_seed-1*/gates.parquet")).write_bytes(b"cut")
    found = excitation.measure(held, (0, 9))
    assert found.damaged == 1
    assert found.numbers.groupby("variant")["seed"].unique().map(list).to_dict() == {
        "reduction=16": [0, 1],
        "reduction=2": [0],
    }
    assert len(found.numbers) == 3 * 3 and len(found.profiles) == 3 * 3 * 8

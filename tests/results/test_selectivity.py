"""Order-free numbers of a block: the same whatever the order of channels, and against numbers worked out elsewhere."""

import numpy as np
import pandas as pd
import pytest
from gated import LABELS, frame, network
from scipy import stats

from senet_lab.results import selectivity


def numbers(x_NC, labels=LABELS, shown=(0, 3, 6, 9)):
    """The line of a single block."""
    return selectivity.of_trial(frame({"SE_2_1": np.asarray(x_NC, float)}, np.asarray(labels)), shown).iloc[0]


def test_permuted_channels_change_nothing():
    images = network(0)
    order = np.random.default_rng(1).permutation(8)
    ours, theirs = frame(images), frame({name: x[:, order] for name, x in images.items()})
    for of in (lambda f: selectivity.of_trial(f, (0, 3, 6, 9)), selectivity.profile):
        pd.testing.assert_frame_equal(of(ours), of(theirs), rtol=1e-12)
    assert not ours.query("`class` == -1")["mean"].equals(theirs.query("`class` == -1")["mean"]), "they were permuted"


def test_the_share_between_classes_is_that_of_the_analysis_of_variance():
    generator = np.random.default_rng(2)
    labels = np.repeat(np.arange(4), [3, 8, 5, 9])  # unequal classes
    x_NC = generator.normal(0.5, 0.1, (25, 6)) + 0.1 * labels[:, None] * np.arange(6)
    f = stats.f_oneway(*(x_NC[labels == k] for k in range(4))).statistic
    expected = f * 3 / (f * 3 + 21)
    assert numbers(x_NC, labels, (0, 1))["share"] == pytest.approx(expected.mean(), rel=1e-5)


def test_a_known_share_and_channels_that_stand_still():
    a, b = 0.2, 0.1
    one = np.array([0.5 - a - b, 0.5 - a + b, 0.5 + a - b, 0.5 + a + b])
    still = np.full(4, 0.3)
    labels = [0, 0, 1, 1]
    assert numbers(np.stack([one, still], 1), labels, (0, 1))["share"] == pytest.approx(a * a / (a * a + b * b))
    assert np.isnan(numbers(np.stack([still, still], 1), labels, (0, 1))["share"])


def test_each_number_of_a_block():
    x_NC = np.array([[0.95, 0.02, 0.4], [0.97, 0.04, 0.6], [0.99, 0.00, 0.8], [0.97, 0.02, 0.8]])
    found = numbers(x_NC, [0, 0, 1, 1], (0, 1))
    assert (found["block"], found["stage"], found["channels"]) == ("SE_2_1", "2", 3)
    assert found["mean"] == pytest.approx((0.97 + 0.02 + 0.65) / 3)
    assert (found["near_one"], found["near_zero"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert found["identity"] == pytest.approx((0.03 + 0.98 + 0.35) / 3)
    assert found["spread"] == pytest.approx((0.02 + 0.02 + 0.3) / 3)
    assert found["spread_most"] == pytest.approx(0.3)
    assert found["within"] == pytest.approx((0.01 + 0.01 + 0.1 + 0.01 + 0.01 + 0.0) / 6)
    assert (found["least"], found["most"]) == (pytest.approx(0.02), pytest.approx(0.97))


def test_the_spread_is_of_the_shown_classes_alone():
    x_NC = np.array([[0.1], [0.5], [0.9]])
    assert [numbers(x_NC, [0, 1, 2], shown)["spread"] for shown in ((0, 1), (0, 2))] == pytest.approx([0.4, 0.8])
    assert np.isnan(numbers(x_NC, [0, 1, 2], (1,))["spread"])


def test_a_profile_is_sorted_and_knows_where_its_channels_are():
    found = selectivity.profile(frame({"SE_2_1": np.array([[0.2, 0.8, 0.5, 0.6]] * 2)}, np.array([0, 1])))
    assert found["mean"].tolist() == pytest.approx([0.8, 0.6, 0.5, 0.2])
    assert found["at"].tolist() == [0.125, 0.375, 0.625, 0.875]


def names(*per_stage: int) -> list[str]:
    return [f"SE_{stage}_{n}" for stage, count in enumerate(per_stage, 2) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("there", "shown"),
    [
        (names(3, 4, 6, 3), ["SE_2_3", "SE_3_4", "SE_4_6", "SE_5_1", "SE_5_2", "SE_5_3"]),  # as in v4 Fig. 6
        (names(3, 4, 23, 3), ["SE_2_3", "SE_3_4", "SE_4_23", "SE_5_1", "SE_5_2", "SE_5_3"]),
        (names(1, 1), ["SE_2_1", "SE_3_1"]),
        (names(2, 2, 2), names(2, 2, 2)),
        (names(18, 18, 18), ["SE_2_18", "SE_3_18", "SE_4_15", "SE_4_16", "SE_4_17", "SE_4_18"]),
        (names(9), ["SE_2_4", "SE_2_5", "SE_2_6", "SE_2_7", "SE_2_8", "SE_2_9"]),
        (names(*[2] * 8), ["SE_4_2", "SE_5_2", "SE_6_2", "SE_7_2", "SE_8_2", "SE_9_2"]),
    ],
)
def test_blocks_are_chosen_as_in_the_paper(there, shown):
    assert list(selectivity.shown_blocks(there)) == shown

"""The paper's numbers, looked up again in the paper."""

import pytest

from senet_lab.errors import UserError
from senet_lab.results import published


@pytest.mark.parametrize(
    ("source", "value", "error", "delta", "params"),
    [
        ("v4", 2, 0.2229, -0.0101, 45.7),
        ("v4", 16, 0.2228, -0.0102, 28.1),
        ("v4", 32, 0.2272, -0.0058, 26.9),
        ("v4", "original", 0.2330, 0.0, 25.6),
        ("CVPR", 4, 0.2321, -0.0159, 35.7),
        ("CVPR", 16, 0.2329, -0.0151, 28.1),
        ("CVPR", "original", 0.2480, 0.0, 25.6),
    ],
)
def test_reduction_ratio(source, value, error, delta, params):
    table = published.load("reduction_ratio")
    line = table[(table["source"] == source) & (table["value"] == value)].squeeze()
    assert line["test_error"] == pytest.approx(error, abs=1e-9)
    assert line["delta"] == pytest.approx(delta, abs=1e-9)
    assert line["params_millions"] == params


def test_every_entry_is_one_run_and_no_number_is_counted_twice():
    table = published.load("reduction_ratio")
    assert table["source"].unique().tolist() == ["v4", "CVPR"]
    assert len(table) == 11
    assert set(table["n"]) == {1}


def test_unknown_tables_are_refused_with_those_there_are():
    with pytest.raises(UserError, match="did you mean 'reduction_ratio'"):
        published.load("reduction_ratios")

"""Named numbers: each under its own name, nothing invented."""

import pytest

from senet_lab.results import report, stats


@pytest.fixture
def found(question, planned, records):
    """(report, label -> aggregate)."""
    written = report.analyse(question, planned, records)
    return written, {a.label: a for a in written.aggregates()}


def test_a_row_has_its_numbers_under_their_names(found):
    written, rows = found
    mean, against = written.summary.set_index("variant"), written.comparison.set_index("variant")
    assert list(rows) == mean.index.tolist()
    one, summary, compared = rows["reduction=8"], mean.loc["reduction=8"], against.loc["reduction=8"]
    assert one.metrics == {
        "test_error.mean": summary["mean"],
        "test_error.ci_low": summary["ci_low"],
        "test_error.ci_high": summary["ci_high"],
        "n_seeds": 18,
        "params": 17_320,
        "macs": 1_150_320,
        "delta.mean": compared["delta"],
        "delta.ci_low": compared["delta_low"],
        "delta.ci_high": compared["delta_high"],
        "delta.p_holm": compared["p_holm"],
    }
    assert (one.verdict, one.sentence) == (compared["verdict"], stats.verdict_text(compared))


def test_intervals_enclose_their_means(found):
    for name, row in found[1].items():
        for what in ("test_error", "delta") if name != "no_se" else ("test_error",):
            low, mean, high = (row.metrics[f"{what}.{end}"] for end in ("ci_low", "mean", "ci_high"))
            assert low < mean < high


def test_better_is_below_the_baseline(found):
    row, base = found[1]["reduction=2"], found[1]["no_se"]
    assert row.verdict == "better"
    assert row.metrics["delta.ci_high"] < 0
    difference = row.metrics["test_error.mean"] - base.metrics["test_error.mean"]
    assert row.metrics["delta.mean"] == pytest.approx(difference)


def test_the_baseline_is_compared_to_nothing(found):
    base = found[1]["no_se"]
    assert (base.verdict, base.sentence) == ("baseline", "baseline")
    assert not any(name.startswith("delta") for name in base.metrics)


def test_what_is_not_known_is_left_out(question, planned, make):
    rows = report.analyse(question, planned, [make.record(planned[0])]).aggregates()
    assert set(rows[0].metrics) == {"test_error.mean", "n_seeds", "params", "macs"}
    assert rows[1].metrics == {"n_seeds": 0}
    assert all(type(value) is float for row in rows for value in row.metrics.values())

"""Learning curves: means and bands by epoch, together or apart."""

import numpy as np
import pytest
from scipy import stats

from senet_lab.records import EpochMetrics
from senet_lab.results import report


def curve(errors):
    """Epochs with these validation errors, twice as high in training."""
    return tuple(
        EpochMetrics(
            epoch=i + 1,
            learning_rate=0.1,
            seconds=1.0,
            train_loss=e,
            train_error=2 * e,
            validation_loss=3 * e,
            validation_error=e,
        )
        for i, e in enumerate(errors)
    )


@pytest.fixture
def curved(make):
    """row label -> seeds x epochs of validation error -> report."""

    def analyse(question, errors):
        planned = make.plan(question)
        records = [make.record(p, epochs=curve(errors(p.variant.label, p.trial.seed))) for p in planned]
        return report.analyse(question, planned, records)

    return analyse


def test_the_band_is_students_interval_of_the_mean(make, curved):
    question = make.question(seeds=4, grid={"model.se.reduction": (2, 4)})
    values = np.random.default_rng(1).uniform(0.1, 0.4, (4, 3))
    marks = curved(question, lambda label, seed: values[seed]).figure_data("curves")
    own = marks[(marks["variant"] == "reduction=2") & (marks["part"] == "validation") & (marks["quantity"] == "error")]
    assert own["epoch"].tolist() == [1, 2, 3] and own["n"].tolist() == [4, 4, 4]
    for epoch, (_, row) in enumerate(own.iterrows()):
        oracle = stats.ttest_1samp(100 * values[:, epoch], 0).confidence_interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx(tuple(oracle))
    train = marks[(marks["part"] == "train") & (marks["quantity"] == "loss") & (marks["variant"] == "no_se")]
    assert train["mean"].tolist() == pytest.approx(values.mean(axis=0).tolist())


def test_one_seed_has_curves_without_a_band(make, curved):
    answer = curved(make.question(seeds=1), lambda label, seed: [0.5, 0.2])
    assert answer.figure_data("curves")["low"].isna().all()
    assert not answer.figure("curves").axes[0].collections


def test_few_rows_share_two_panels_with_the_baseline_in_black(make, curved):
    question = make.question(seeds=2)
    answer = curved(question, lambda label, seed: [0.5, 0.2 + 0.01 * len(label)])
    figure = answer.figure("curves")
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["training part", "validation part"]
    lines = {line.get_label(): line for line in figure.axes[1].get_lines()}
    assert [*lines] == [row.label for row in question.rows]
    assert lines["no_se"].get_color() == "black"
    assert len({line.get_linestyle() + str(line._dash_pattern) for line in lines.values()}) == 6
    assert list(lines["reduction=2"].get_ydata()) == pytest.approx([50, 31])


def test_more_rows_stand_apart_each_beside_its_baseline(make, curved):
    plain = {f"N{i}": {"model.depth": 6 + 2 * i, "model.widths": (16, 32)} for i in (0, 2)}
    rows = {
        f"{s}{n}": b | ({"model.se.reduction": r} if s else {})
        for n, b in plain.items()
        for s, r in (("", 0), ("SE2-", 2), ("SE4-", 4), ("SE8-", 8))
    }
    question = make.question(seeds=2, variants=rows, counterpart={"model.se": None}, controls=())
    answer = curved(question, lambda label, seed: [0.5, 0.1 + 0.01 * seed])
    figure = answer.figure("curves")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in shown] == ["SE2-N0", "SE4-N0", "SE8-N0", "SE2-N2", "SE4-N2", "SE8-N2"]
    assert {(line.get_linestyle(), line.get_color()) for line in shown[0].get_lines()} == {
        (":", "0.55"), ("-", "0.55"), (":", "#00436b"), ("-", "#00436b"),
    }  # fmt: skip


@pytest.mark.parametrize(("last", "scale"), [(0.4, "linear"), (0.01, "log"), (0.0, "symlog")])
def test_the_last_epochs_can_be_told_apart(make, curved, last, scale):
    answer = curved(make.question(seeds=2), lambda label, seed: [0.8, 0.05 if last < 0.1 else 0.5, last])
    assert answer.figure("curves").axes[1].get_yscale() == scale


def test_the_caption_says_which_band(answer):
    assert "band: 95 % Student-t interval of the mean" in answer.figure_caption("curves")

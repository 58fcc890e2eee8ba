"""What the columns of table.csv and trials.csv mean: written beside them as columns.csv."""

from collections.abc import Iterable, Mapping

import pandas as pd

TABLE: Mapping[str, tuple[str, str]] = {
    "variant": ("", "the row's label"),
    "control": ("", "True: a row that the sweep adds to those of its design, e.g. no_se"),
    "wanted": ("trials", "seeds asked for"),
    "params": ("count", "trainable parameters"),
    "macs": ("count", "multiply-adds of one image, forward"),
    "n": ("trials", "trials that are done; every number of the row is of these"),
    "mean": ("fraction", "mean test error at the last epoch, over seeds"),
    "sd": ("fraction", "its standard deviation over seeds (n - 1)"),
    "ci_low": ("fraction", "lower end of the mean's 95 % Student-t interval"),
    "ci_high": ("fraction", "upper end of the mean's 95 % Student-t interval"),
    "seconds": ("s", "mean wall time of a trial"),
    "se_seeds": ("fraction", "standard error of the mean that the seeds contribute"),
    "se_test": ("fraction", "standard error that as many other test images would add"),
    "images": ("count", "test images, where it is known of each which trials got it right"),
    "baseline": ("", "the row that it is compared to; empty for a row that is not compared"),
    "n_pairs": ("seeds", "seeds that both rows have; every number of the difference is of these"),
    "delta": ("fraction", "mean paired difference in test error, row - baseline; below 0 is better"),
    "delta_low": ("fraction", "lower end of its t interval, at `level`"),
    "delta_high": ("fraction", "upper end of its t interval, at `level`"),
    "level": ("probability", "with which one interval misses; all of the table hold jointly with 1 - alpha"),
    "p": ("probability", "paired t test of no difference, not adjusted"),
    "p_holm": ("probability", "the same, Holm-adjusted over `family` comparisons"),
    "p_signflip": ("probability", "exact sign-flip test, not adjusted; empty below six pairs"),
    "p_tost": ("probability", "two one-sided t tests of a difference beyond the margin, not adjusted"),
    "p_tost_holm": ("probability", "the same, Holm-adjusted"),
    "p_better": ("probability", "that a new seed's difference is below 0"),
    "correlation": ("", "of the two rows' errors over common seeds; from three on"),
    "verdict": ("", "better, worse, equivalent or undecided"),
    "within_margin": ("", "True: p_tost_holm < alpha"),
    "margin": ("fraction", "differences below this are called equivalent"),
    "more_seeds": ("seeds", "further ones that would decide with 80 % power; empty if more than 10,000"),
    "more_seconds": ("s", "trial time of these, both rows"),
    "alpha": ("probability", "of a wrong verdict in the table"),
    "family": ("comparisons", "that the corrections cover"),
    "delta_se_seeds": ("fraction", "standard error of the difference that the seeds contribute"),
    "delta_se_test": ("fraction", "standard error of the difference that as many other test images would add"),
}
"""Column of table.csv -> its unit and meaning."""
TRIALS: Mapping[str, tuple[str, str]] = {
    "variant": ("", "the row's label"),
    "control": TABLE["control"],
    "order": ("", "of the row in the sweep, from 0"),
    "seed": ("", "of everything that is drawn at random"),
    "test_error": ("fraction", "at the last epoch"),
    "test_loss": ("nats", "mean cross-entropy on the test images"),
    "n_test": ("count", "test images"),
    "params": TABLE["params"],
    "macs": TABLE["macs"],
    "seconds": ("s", "wall time of the trial"),
    "train_seconds": ("s", "the part of it inside epochs"),
    "id": ("", "of the trial: `senet-lab show ID`; its run folder's name ends in it"),
    "stale": ("", "True: a result of older code"),
}
"""Column of trials.csv -> its unit and meaning."""


def described(table: Iterable[str], trials: Iterable[str]) -> pd.DataFrame:
    """A line per column of both files: `file`, `column`, `unit`, `meaning`; what the sweep varies is dotted."""
    lines = [
        (file, column, *known.get(column, ("", "setting that the sweep varies; empty where it does not apply")))
        for file, known, columns in (("table.csv", TABLE, table), ("trials.csv", TRIALS, trials))
        for column in columns
    ]
    return pd.DataFrame(lines, columns=["file", "column", "unit", "meaning"])

"""What the columns of the CSV files of a report mean: written beside them as columns.csv."""

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
LOOK = {"look": ("", "the row's last look: p_holm and p_tost_holm are adjusted for the looks, too, as `level` is")}
"""Besides, where seeds were added until rows were decided."""
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

SELECTION: Mapping[str, tuple[str, str]] = {
    "row": ("", "the row that it was tried for; of a search its base"),
    "number": ("", "of the candidate in its study, from 0"),
    "batch": ("", "of candidates that were asked for together, from 0"),
    "outcome": ("", "done, stopped, failed, over a limit (not trained), repeated (an earlier one again) or not yet"),
    "validation_error": ("fraction", "at its last epoch: what is chosen by, never what is reported"),
    "validation_loss": ("nats", "mean cross-entropy on the validation images, at its last epoch"),
    "params": TABLE["params"],
    "macs": TABLE["macs"],
    "latency_seconds": (
        "s",
        "that the network takes for one image on the study's device; empty where not asked for",
    ),
    "seconds": ("s", "wall time of its trial; empty where it had none of its own"),
    "eligible": ("", "True: it may be chosen, as it is within budget and limits and was trained to its end"),
    "on_front": ("", "True: no other that may be chosen is as low in all objectives"),
    "chosen": ("", "True: trained again on fresh seeds"),
    "measured_as": ("", "the row of table.csv that is this candidate on fresh seeds"),
}
"""Column of selection.csv -> its unit and meaning."""
CHOSEN: Mapping[str, tuple[str, str]] = {
    "variant": ("", "the row's label"),
    "number": SELECTION["number"],
    "settings": ("", "what was chosen"),
    "selection_error": ("fraction", "validation error that it was chosen by: the lowest of many, so no estimate"),
    "n": ("trials", "fresh seeds that are done"),
    "validation_mean": ("fraction", "mean validation error of these at the last epoch"),
    "validation_low": ("fraction", "lower end of its 95 % Student-t interval"),
    "validation_high": ("fraction", "upper end of its 95 % Student-t interval"),
    "test_mean": ("fraction", "their mean test error, as in table.csv"),
    "test_low": ("fraction", "lower end of its 95 % Student-t interval"),
    "test_high": ("fraction", "upper end of its 95 % Student-t interval"),
    "trials": ("candidates", "that the study had to train"),
    "done": ("candidates", "that were trained to their end"),
    "stopped": ("candidates", "that were stopped early"),
    "failed": ("candidates", "that failed and were replaced"),
    "over": ("candidates", "that were over a limit and not trained"),
    "repeated": ("candidates", "that were earlier ones again"),
}
"""Column of chosen.csv -> its unit and meaning."""
FILES = {"table.csv": {**TABLE, **LOOK}, "trials.csv": TRIALS, "selection.csv": SELECTION, "chosen.csv": CHOSEN}
SETTING = ("", "setting that the sweep varies; empty where it does not apply")
TRIED_SETTING = ("", "setting that the study chose; empty where it does not apply")


def described(files: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """A line per column of each of `files`: `file`, `column`, `unit`, `meaning`; settings are dotted."""
    lines = [
        (file, column, *FILES[file].get(column, TRIED_SETTING if file == "selection.csv" else SETTING))
        for file, columns in files.items()
        for column in columns
    ]
    return pd.DataFrame(lines, columns=["file", "column", "unit", "meaning"])

"""The paper's tables as data, each number with its source; protocols and counts beside them.

Each entry is one training run (n = 1). Numbers that are printed in several places are one measurement
and one entry, with all its references. arXiv v1 is left out: it repeats errors of the CVPR paper.
"""

import pandas as pd

from senet_lab.errors import UserError, choices
from senet_lab.results.published import protocols as protocols
from senet_lab.results.published.counts import Counts as Counts
from senet_lab.results.published.counts import counts as counts
from senet_lab.results.published.entries import CIFAR, NAMES, entries, lines
from senet_lab.results.published.settings import Settings as Settings
from senet_lab.results.published.settings import agrees as agrees
from senet_lab.results.published.settings import in_force as in_force

TEST_IMAGES = {"ImageNet": 50_000, "CIFAR-10": 10_000, "CIFAR-100": 10_000}
"""Images behind each published error, by data set."""
COLUMNS = ["data", "source", "entry", "baseline", "settings", "test_error", "top5_error", "delta"]
COLUMNS += ["params_millions", "gflops", "n", "reference", "note"]


def load(name: str) -> pd.DataFrame:
    """A published table, a line per entry, sources in the order v4, CVPR.

    Columns: `data` (what it was trained on), `source`, `entry` (as the table calls it), `baseline` (the
    entry of the same source that is the network without SE), `settings` (in our words, by dotted path),
    `test_error` (top-1, fraction), `top5_error`, `delta` (to that baseline), `params_millions`, `gflops`
    (multiply-adds), `n` (1), `reference` (document and table), `note`.
    Raises UserError for an unknown name.
    """
    if name not in NAMES:
        raise UserError(f"there is no published table {name!r}; {choices(name, sorted(NAMES))}")
    found = entries(name)
    errors = {(entry.source, entry.name): entry.top1 for entry in found}
    notes = {(n["source"], n["entry"]): n["note"] for n in lines("notes") if n["table"] == name}
    cells = [
        (
            CIFAR.get(entry.source, "ImageNet"),
            entry.source,
            entry.name,
            entry.baseline,
            entry.settings,
            _fraction(entry.top1),
            _fraction(entry.top5),
            _fraction(entry.top1 - errors[entry.source, entry.baseline]),
            entry.params_millions,
            entry.gflops,
            1,
            entry.reference,
            notes.get((entry.source, entry.name), ""),
        )
        for entry in found
    ]
    numbers = dict.fromkeys(("test_error", "top5_error", "delta", "params_millions", "gflops"), "float64")
    return pd.DataFrame(cells, columns=COLUMNS).astype(numbers)


def _fraction(percent: float | None) -> float:
    return float("nan") if percent is None else round(percent / 100, 6)

"""What studies tried and what they chose, as frames. Errors are fractions, those of candidates on validation images.

Candidates have seen no test image, so there is no test error to leave out: what is reported of a choice is measured on
fresh seeds, by the rows of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from senet_lab import selection
from senet_lab.candidates import BUDGETED, Candidate, Trials, shortlist
from senet_lab.design import short_names
from senet_lab.inventory import Inventory
from senet_lab.results import paired
from senet_lab.results.signflip import ALPHA
from senet_lab.spec import Search, Study
from senet_lab.spec.space import AnyDimension, Choice, Int
from senet_lab.spec.study import INDEPENDENT

COSTS = {"params": "params", "macs": "macs", "latency": "latency_seconds"}
"""Objective or limit besides the error -> column of `candidates`."""
OBJECTIVES = {"error": "validation error", "validation_error": "validation error", "params": "parameters"}
OBJECTIVES |= {"validation_loss": "validation loss", "macs": "multiply-adds", "latency": "seconds an image"}
"""In words."""
FIELDS = {"row": "str", "number": "int64", "batch": "int64", "outcome": "str"}
FIELDS |= {"validation_error": "float64", "validation_loss": "float64", "params": "Int64", "macs": "Int64"}
FIELDS |= {"latency_seconds": "float64", "seconds": "float64", "eligible": "bool", "on_front": "bool"}
FIELDS |= {"chosen": "bool", "measured_as": "str"}
IMPORTANCE = {"objective": "str", "method": "str", "setting": "str", "importance": "float64"}
CHOSEN = ["variant", "number", "settings", "selection_error", "n", "validation_mean", "validation_low"]
CHOSEN += ["validation_high", "test_mean", "test_low", "test_high", "trials", "done", "stopped", "failed", "over"]
CHOSEN += ["repeated"]


@dataclass(frozen=True)
class Tried:
    """The studies of a question: one a row, or the one of a search."""

    study: Study
    objectives: tuple[str, ...]
    candidates: pd.DataFrame
    """See `candidates`."""
    importances: pd.DataFrame
    """Of a search: `objective`, `method`, `setting`, `importance`; of one objective and method they sum to 1."""
    exhausted: tuple[tuple[str, str], ...] = ()
    """Row, and why it had fewer candidates than its budget."""
    timed_on: str = ""
    """Device of the latencies."""

    @property
    def search(self) -> Search | None:
        """The search, where it is one."""
        return self.study if isinstance(self.study, Search) else None

    @property
    def names(self) -> dict[str, str]:
        """Dotted path -> short name of what was chosen from, in the order of the space."""
        return {path: short for path, short in zip(self.study.space, _short(self.study), strict=True)}

    @property
    def trained(self) -> str:
        """Candidates of a study that were trained, as text: its budget, or how many it came to."""
        budgeted = self.candidates["outcome"].isin(BUDGETED).groupby(self.candidates["row"]).sum()
        counts = budgeted.clip(upper=self.study.trials)
        ends = dict.fromkeys((int(counts.min()), int(counts.max())))
        return " to ".join(f"{n:,}" for n in ends)

    @property
    def independent(self) -> bool:
        """Whether candidates are draws that know nothing of each other, so that their order means nothing."""
        return self.study.sampler in INDEPENDENT and not (self.candidates["outcome"] == "stopped").any()


def measured(found: Inventory) -> tuple[Inventory, tuple[Trials, ...]]:
    """`found` with what its studies chose for rows, and these studies; a question without studies as it is.

    Raises UserError where it is not known yet what is chosen: no score that chose is ever reported.
    """
    found = selection.confirmed(found)
    return found, selection.read(found.before) if found.before else ()


def tried(studies: Sequence[Trials]) -> Tried | None:
    """`studies` as frames; None of none."""
    if not studies:
        return None
    lines = [line for s in studies for line in s.importances] if isinstance(studies[0].study, Search) else []
    importances = pd.DataFrame([dict(line) for line in lines], columns=list(IMPORTANCE)).astype(IMPORTANCE)
    exhausted = tuple((s.row.label, s.over) for s in studies if s.over)
    first = studies[0]
    return Tried(first.study, first.objectives, candidates(studies), importances, exhausted, first.timed_on)


def candidates(studies: Sequence[Trials]) -> pd.DataFrame:
    """A line per candidate, in the order of rows and numbers.

    Columns: `row`, `number`, `batch`, `outcome` (see `candidates.Outcome`), `validation_error` and `validation_loss`
    (of the last epoch), `params`, `macs`, `latency_seconds` (where it was measured), `seconds` (of its own trial),
    `eligible` (may be chosen), `on_front` (no other that is eligible is as low in all objectives), `chosen`,
    `measured_as` (the row of the table that has it on fresh seeds), and one per setting by dotted path: the number, or
    the option's label; empty where it does not apply.
    """
    lines = [line for study in studies for line in _lines(study)]
    space = studies[0].study.space
    kinds = FIELDS | {path: _kind(dimension) for path, dimension in space.items()}
    cells = {column: [line.get(column) for line in lines] for column in kinds}
    return pd.DataFrame({column: pd.Series(cells[column], dtype=kind) for column, kind in kinds.items()})


def _lines(study: Trials) -> list[dict[str, Any]]:
    front = study.best if len(study.objectives) > 1 else study.best[:1]
    chosen = shortlist(study) if isinstance(study.study, Search) else study.best[:1]
    sets = [{c.number for c in some} for some in (study.eligible, front, chosen)]
    found = []
    for c in study.candidates:
        eligible, on_front, is_chosen = (c.number in numbers for numbers in sets)
        own = c.record if c.outcome in (*BUDGETED, "failed") else None
        found.append(
            {
                "row": study.row.label,
                "number": c.number,
                "batch": c.batch,
                "outcome": c.outcome,
                "validation_error": c.value("validation_error"),
                "validation_loss": c.value("validation_loss"),
                **{column: c.costs.get(cost) for cost, column in COSTS.items()},
                "seconds": own.seconds if own else None,
                "eligible": eligible,
                "on_front": on_front,
                "chosen": is_chosen,
                "measured_as": _measured_as(study, c) if is_chosen else "",
                **c.chosen,
            }
        )
    return found


def _measured_as(study: Trials, candidate: Candidate) -> str:
    """Of what is chosen: the row that has it on fresh seeds; see `selection.question`."""
    own = isinstance(study.study, Search) and candidate.planned.variant.trial != study.row.trial
    return f"candidate {candidate.number}" if own else study.row.label


def expected_best(errors: Sequence[float]) -> npt.NDArray[np.float64]:
    """The expected lowest of k of these n errors, for k = 1..n, drawn without replacement.

    Sum over i of v_(i) C(n - i, k - 1) / C(n, k), v_(i) the i-th lowest: unbiased for k independent candidates (Tang et
    al., "Showing Your Work Doesn't Always Work", ACL 2020); drawn with replacement (Dodge et al., 2019) it is too low.
    """
    ordered = np.sort(np.asarray(errors, np.float64))
    n = len(ordered)
    found = np.empty(n)
    for k in range(1, n + 1):
        i = np.arange(1, n - k + 1)
        weights = k / n * np.concatenate([[1.0], np.cumprod((n - i - k + 1) / (n - i))])
        found[k - 1] = weights @ ordered[: n - k + 1]
    return found


def budget(tried: Tried) -> pd.DataFrame:
    """A line per row and number of candidates k: `variant`, `k`, `error`, `n` (candidates behind it), `kind`.

    "expected": see `expected_best`. Where candidates are not independent there is no such number, and the line is
    "so far": the lowest of the first k that were trained, in the order asked for.
    """
    parts = []
    for row, own in tried.candidates[tried.candidates["outcome"].isin(BUDGETED)].groupby("row", sort=False):
        own = own[: tried.study.trials]
        errors = own["validation_error"].where(own["eligible"])
        lowest = expected_best(errors.dropna().tolist()) if tried.independent else errors.cummin().ffill().to_numpy()
        kind = "expected" if tried.independent else "so far"
        each = {"variant": str(row), "k": np.arange(1, len(lowest) + 1), "error": lowest, "n": len(lowest)}
        parts.append(pd.DataFrame(each | {"kind": kind}))
    empty = pd.DataFrame({"variant": [], "k": [], "error": [], "n": [], "kind": []})
    return pd.concat(parts, ignore_index=True) if parts else empty


def chosen(tried: Tried, summary: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """A line per row of the table that was chosen, in the table's order.

    Columns: `variant`, `number` (in its study), `settings` (as text), `selection_error` (validation, what it was chosen
    by), `n` (fresh seeds), `validation_mean`, `validation_low`, `validation_high` (over these, last epoch),
    `test_mean`, `test_low`, `test_high`, `trials` (the budget of its study) and how many candidates of it came to what.
    """
    known = tried.candidates[tried.candidates["chosen"]].set_index("measured_as")
    last = epochs[epochs["epoch"] == epochs.groupby(["variant", "seed"])["epoch"].transform("max")]
    lines = []
    for _, row in summary[summary["variant"].isin(known.index)].iterrows():
        own = known.loc[row["variant"]]
        again = last.loc[last["variant"] == row["variant"], "validation_error"].to_numpy(np.float64)
        low, high = paired.interval(again, ALPHA, least=0.0)
        outcomes = tried.candidates.loc[tried.candidates["row"] == own["row"], "outcome"]
        counts = {what: int((outcomes == what).sum()) for what in ("done", "stopped", "failed", "repeated")}
        lines.append(
            {
                "variant": row["variant"],
                "number": own["number"],
                "settings": settings_text(tried, own),
                "selection_error": own["validation_error"],
                "n": row["n"],
                "validation_mean": again.mean() if len(again) else np.nan,
                "validation_low": low,
                "validation_high": high,
                "test_mean": row["mean"],
                "test_low": row["ci_low"],
                "test_high": row["ci_high"],
                "trials": tried.study.trials,
                "over": int((outcomes == "over a limit").sum()),
                **counts,
            }
        )
    return pd.DataFrame(lines, columns=CHOSEN)


def settings_text(tried: Tried, candidate: "pd.Series[Any]") -> str:
    """What a candidate chose, in words: `learning_rate=0.31, weight_decay=0.0002`."""
    return ", ".join(
        f"{name}={value_text(candidate[path])}" for path, name in tried.names.items() if pd.notna(candidate[path])
    )


def value_text(value: Any) -> str:
    """A number with three digits, an option by its label, "-" where there is nothing to choose."""
    if pd.isna(value):
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _short(study: Study) -> list[str]:
    names = short_names(set(study.space))
    return [names[path] for path in study.space]


def _kind(dimension: AnyDimension) -> str:
    if isinstance(dimension, Choice):
        return "object"
    return "Int64" if isinstance(dimension, Int) else "float64"

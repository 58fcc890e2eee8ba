"""Run records as tidy frames: what the store holds of the trials that a sweep asks for.

Records are matched by identity, never by the row's name: `id` covers what was asked and the code
that answered, `fingerprint` only what was asked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from senet_lab.design import factors
from senet_lab.plan import PlannedTrial
from senet_lab.records import EpochMetrics, Evaluation, TrialRecord
from senet_lab.spec import Reductions

INTEGERS = {name: "int64" for name in ("order", "seed", "n_test", "wanted", "epoch")}
COUNTS = {"params": "Int64", "macs": "Int64"}  # nullable: a row without trials has none
FLOATS = {"test_error": "float64", "test_loss": "float64", "seconds": "float64", "train_seconds": "float64"}
TRIAL_FIELDS = ["test_error", "test_loss", "n_test", "params", "macs", "seconds", "train_seconds", "id", "stale"]


def trials(
    planned: Iterable[PlannedTrial], records: Iterable[TrialRecord], *, include_stale: bool = False
) -> pd.DataFrame:
    """One line per planned trial that is done, in the order planned.

    Columns: `variant`, `control`, `order` (of the row, from 0), one per factor by dotted path (the
    value in force; None where it does not apply), `seed`, `test_error` (fraction), `test_loss`,
    `n_test` (images), `params`, `macs`, `seconds`, `train_seconds`, `id`, `stale`.
    Results of other code count only with `include_stale`, and only where there is none of this code.
    """
    planned = tuple(planned)
    found = [
        {
            **place,
            "seed": wanted.trial.seed,
            "test_error": record.test.error,
            "test_loss": record.test.loss,
            "n_test": record.test.images,
            "params": record.params,
            "macs": record.macs,
            "seconds": record.seconds,
            "train_seconds": record.train_seconds,
            "id": record.id,
            "stale": record.id != wanted.id,
        }
        for place, wanted, record in _matched(planned, records, include_stale)
        if record.test is not None
    ]
    return _frame(found, [*_place_columns(planned), "seed", *TRIAL_FIELDS])


def epochs(
    planned: Iterable[PlannedTrial], records: Iterable[TrialRecord], *, include_stale: bool = False
) -> pd.DataFrame:
    """The curves of the same trials as `trials`, a line per epoch; columns as in `EpochMetrics`."""
    planned = tuple(planned)
    found = [
        {**place, "seed": wanted.trial.seed, **metrics.model_dump()}
        for place, wanted, record in _matched(planned, records, include_stale)
        for metrics in record.epochs
    ]
    return _frame(found, [*_place_columns(planned), "seed", *EpochMetrics.model_fields])


def rows(
    planned: Iterable[PlannedTrial], records: Iterable[TrialRecord] = (), *, include_stale: bool = False
) -> pd.DataFrame:
    """One line per row of the sweep, also of rows that have no trial yet.

    Columns: `variant`, `control`, `order`, the factors, `wanted` (seeds asked for), and `params` and
    `macs` where any of the row's trials has ended, well or not.
    """
    planned = tuple(planned)
    found = {place["variant"]: {**place, "wanted": 0} for place in _places(planned).values()}
    for wanted in planned:
        found[wanted.variant.label]["wanted"] += 1
    for place, _, record in _matched(planned, records, include_stale, states=("done", "stopped", "failed")):
        if record.params is not None:
            found[place["variant"]] |= {"params": record.params, "macs": record.macs}
    return _frame([*found.values()], [*_place_columns(planned), "wanted", "params", "macs"])


@dataclass(frozen=True)
class Answers:
    """Which test images the trials of a row got right. Legend: S seeds, N images."""

    seeds: tuple[int, ...]
    """Of the lines of `correct_SN`, ascending."""
    correct_SN: npt.NDArray[np.bool_]
    images: tuple[str, int]
    """Data set (digest of its content) and number of test images: rows with the same can be set side by side."""


def answers(
    planned: Iterable[PlannedTrial], records: Iterable[TrialRecord], *, include_stale: bool = False
) -> dict[str, Answers]:
    """Label -> the answers of the same trials as `trials`, a byte each.

    A row is left out where a trial's bits are not known or its trials were tested on different images.
    """
    found: dict[str, dict[int, tuple[str, npt.NDArray[np.bool_] | None]]] = {}
    for place, wanted, record in _matched(tuple(planned), records, include_stale):
        if record.test is not None:
            found.setdefault(place["variant"], {})[wanted.trial.seed] = record.data, _bits(record.test)
    told = {}
    for label, by_seed in found.items():
        lines = [bits for _, (_, bits) in sorted(by_seed.items()) if bits is not None]
        images = {(data, 0 if bits is None else len(bits)) for data, bits in by_seed.values()}
        if len(lines) == len(by_seed) and len(images) == 1:
            told[label] = Answers(tuple(sorted(by_seed)), np.stack(lines), images.pop())
    return told


def _bits(test: Evaluation) -> npt.NDArray[np.bool_] | None:
    packed = np.frombuffer(test.bits(), np.uint8)
    if test.images == 0 or len(packed) != -(-test.images // 8):
        return None
    return np.unpackbits(packed, count=test.images).view(np.bool_)


def factor_names(planned: Iterable[PlannedTrial]) -> tuple[str, ...]:
    """The dotted paths that the planned rows vary."""
    return factors(tuple({t.variant.label: t.variant for t in planned}.values()))


def value_of(trial: object, path: str) -> Any:
    """The setting at a dotted path, None where a part of the path is switched off.

    Of a stage whose blocks have no reduction of their own, the one that they have.
    """
    here: Any = trial
    *parents, last = path.split(".")
    for name in parents:
        here = getattr(here, name, None)
    if isinstance(here, Reductions):
        se, stage = value_of(trial, ".".join(parents[:-1])), int(last.removeprefix("stage"))
        return se.reduction_of(stage) if stage in value_of(trial, "model.hidden_widths") else None
    return getattr(here, last, None)


def _matched(
    planned: tuple[PlannedTrial, ...],
    records: Iterable[TrialRecord],
    include_stale: bool,
    states: tuple[str, ...] = ("done",),
) -> Iterator[tuple[dict[str, Any], PlannedTrial, TrialRecord]]:
    """Each planned trial that has a record, with its row; the latest record of older code if asked."""
    places = _places(planned)
    ended = sorted((r for r in records if r.status in states), key=lambda r: (r.sitting, r.started_at, r.id))
    current = {r.id: r for r in ended}
    older = {r.fingerprint: r for r in ended} if include_stale else {}
    for wanted in planned:
        record = current.get(wanted.id) or older.get(wanted.fingerprint)
        if record is not None:
            yield places[wanted.variant.label], wanted, record


def _places(planned: tuple[PlannedTrial, ...]) -> dict[str, dict[str, Any]]:
    """Label -> the columns that all trials of a row share."""
    names = factor_names(planned)
    variants = {t.variant.label: t.variant for t in planned}
    return {
        label: {"variant": label, "control": v.control, "order": i} | {n: value_of(v.trial, n) for n in names}
        for i, (label, v) in enumerate(variants.items())
    }


def _place_columns(planned: tuple[PlannedTrial, ...]) -> list[str]:
    return ["variant", "control", "order", *factor_names(planned)]


def _frame(found: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """A frame whose column types do not depend on what was found."""
    kinds = {"variant": "str", "id": "str", "control": "bool", "stale": "bool"} | INTEGERS | COUNTS | FLOATS
    cells = {c: [line.get(c) for line in found] for c in columns}
    return pd.DataFrame(
        {c: pd.Series(values, dtype=kinds.get(c, "object" if "." in c else "float64")) for c, values in cells.items()}
    )

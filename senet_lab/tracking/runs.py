"""What a trial and a variant look like in MLflow: names, tags, params, metrics. Pure; no mlflow in here."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from senet_lab.catalog import Question
from senet_lab.credentials import without_credentials
from senet_lab.design import Variant, factors
from senet_lab.identity import fingerprint
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, EpochMetrics, TrialRecord
from senet_lab.tracking import view

KIND, PARENT, NOTE, COMMAND = "senet_lab.kind", "mlflow.parentRunId", "mlflow.note.content", "mlflow.source.name"
CURRENT = "senet_lab.current"
"""Of a variant: "true" if the sweep asks for it, "false" if it asked once and no longer does."""
ENDED = "senet_lab.ended"
"""Written with a trial's last metrics: how and when it ended. Where it is, nothing is missing."""
TOGETHER = "senet_lab.together"
"""Trials that shared one tensor program, where it was more than one."""
CHOSEN = "senet_lab.chosen"
CANDIDATE = "senet_lab.candidate"
"""Of a trial that is made to choose by: its number in the study. Nothing of it is reported."""
STATUS = {"done": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
"""FINISHED promises a test error; the tag `status` tells a trial that was stopped from one that was cut off."""
CURVES = ("train_loss", "train_error", "validation_loss", "validation_error", "learning_rate")
TAG_LENGTH, SHORT = 5000, 12

Point = tuple[str, float, int, int]
"""Name, value, milliseconds, step."""

Key = tuple[str, str]
"""Kind (trial, variant or report) and what tells one from another; runs are found again by it."""


@dataclass
class Run:
    """What is known of a run in MLflow. Times in milliseconds."""

    id: str
    status: str
    name: str
    tags: dict[str, str]
    at: int
    """When the last epoch was logged, or else when the run started."""
    metrics: dict[str, float] = field(default_factory=dict)
    epoch: int | None = 0
    """The last one logged; None: to be looked up."""
    params: set[str] = field(default_factory=set)
    """Those that are there; MLflow lets none be changed."""


@dataclass(frozen=True)
class News:
    """What was heard of a trial."""

    planned: PlannedTrial
    epochs: tuple[EpochMetrics, ...]
    record: TrialRecord | None
    """If it ended."""
    at: float
    """Unix time of the hearing, which is that of the last epoch as long as there is no record."""

    def span(self) -> tuple[float, float]:
        """Start and end so far, Unix time; several sittings count as one that ended when the last one did."""
        if self.record is None:
            return self.at - sum(e.seconds for e in self.epochs), self.at
        return min(self.record.started_at, self.record.ended_at - self.record.seconds), self.record.ended_at


@dataclass(frozen=True)
class VariantAggregate:
    """A row of the table: what its trials together say."""

    label: str
    """Of a row of the question."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """E.g. `test_error.mean`, `delta.p_holm`, `n_seeds`; what is not a number is left out."""
    verdict: str = ""
    sentence: str = ""

    def numbers(self) -> dict[str, float]:
        """As MLflow's table can show them: fractions to five figures, whole numbers whole."""
        known = {k: float(v) for k, v in self.metrics.items() if math.isfinite(v)}
        return {k: v if v.is_integer() else float(f"{v:.5g}") for k, v in known.items()}


def asked(record: TrialRecord) -> PlannedTrial:
    """The trial that `record` answers, as the sweep asked for it when it ran."""
    trial, studied = record.trial.model_copy(update={"seed": 0}), (record.origin, record.tuned, record.candidate)
    variant = Variant(record.variant, record.settings, trial, False, *studied)
    return PlannedTrial(record.id, variant, record.trial, record.fingerprint, record.code, record.data)


def trial_key(planned: PlannedTrial) -> Key:
    return "trial", planned.id


def variant_key(variant: Variant) -> Key:
    return "variant", fingerprint(variant.asked, "")[:SHORT]


REPORT: Key = ("report", "report")


def key_of(tags: Mapping[str, str]) -> Key:
    """The key that a run's tags carry; ("", "") for a run that is not ours."""
    kind = tags.get(KIND, "")
    return kind, tags.get(f"senet_lab.{kind}", "")


def key_tags(key: Key) -> dict[str, str]:
    return {KIND: key[0], f"senet_lab.{key[0]}": key[1]}


def trial_tags(planned: PlannedTrial, parent: str) -> dict[str, str]:
    """Tags that a trial's run is born with."""
    identity = key_tags(variant_key(planned.variant)) | key_tags(trial_key(planned))
    if planned.variant.candidate is not None:
        identity[CANDIDATE] = str(planned.variant.candidate)
    marks = {"fingerprint": planned.fingerprint, "code": planned.code, "data": planned.data}
    return identity | {f"senet_lab.{k}": v[:SHORT] for k, v in marks.items()} | {PARENT: parent, "status": "running"}


def trial_params(planned: PlannedTrial) -> dict[str, str]:
    """The whole configuration by dotted path, seed included."""
    return dict(_flat(planned.trial.model_dump(mode="json")))


def variant_params(variant: Variant) -> dict[str, str]:
    """The whole configuration by dotted path, without seed; and what differs from the sweep's base as it is named."""
    named = {key: str(value) for key, value in variant.settings.items()}
    whole = named | dict(_flat(variant.asked.model_dump(mode="json", exclude={"seed"})))
    return {key: value for key, value in whole.items() if key not in variant.tuned}


def chosen_tags(variant: Variant) -> dict[str, str]:
    """What a study has chosen for a row: a tag, as it changes with the budget and MLflow lets no param be changed."""
    return {CHOSEN: ", ".join(f"{key}={value}" for key, value in variant.tuned.items())} if variant.tuned else {}


def ended(record: TrialRecord) -> str:
    """The value of the tag `ENDED`."""
    return f"{record.status} {record.ended_at:.3f}"


def ended_tags(record: TrialRecord, environment: Environment | None, known: Mapping[str, str]) -> dict[str, str]:
    """Tags that a trial's run gets at its end; `known` are those it has."""
    tags = {
        "status": record.status,
        ENDED: ended(record),
        "senet_lab.environment": record.environment,
        "senet_lab.device": record.device,
    }
    if record.together > 1 or TOGETHER in known:
        tags[TOGETHER] = str(record.together)
    if environment is not None:
        tags |= {COMMAND: without_credentials(environment.command), "mlflow.source.type": "LOCAL"}
        if environment.git_commit:
            tags["mlflow.source.git.commit"] = environment.git_commit
    if record.traceback or "traceback" in known:  # a trial that failed and was mended keeps no old traceback
        tags["traceback"] = without_credentials(record.traceback or "")[-TAG_LENGTH:]
        tags[NOTE] = textwrap.indent(tags["traceback"], "    ")  # MLflow's page shows one line of a tag, all of a note
    return tags


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def epoch_points(epochs: Sequence[EpochMetrics], end: int, earliest: int) -> list[Point]:
    """The curves. The last epoch is of `end`, each one before it as long before as the next one took."""
    times = []
    for epoch in reversed(epochs):
        times.append(max(end, earliest))
        end -= milliseconds(epoch.seconds)
    timed = zip(epochs, reversed(times), strict=True)
    return [(name, getattr(epoch, name), at, epoch.epoch) for epoch, at in timed for name in CURVES]


def final_metrics(record: TrialRecord) -> dict[str, float]:
    found = {"seconds": record.seconds}
    if record.test is not None:
        found |= {"test_error": record.test.error, "test_loss": record.test.loss}
    if record.peak_memory_bytes is not None:
        found["peak_memory_bytes"] = float(record.peak_memory_bytes)
    return found


def experiment_tags(question: Question, experiment_id: str) -> dict[str, str]:
    """The question in words, and what makes MLflow show training runs in our columns."""
    return {
        NOTE: f"{question.text}\n\n[The table: a row a variant]({view.table_url('', experiment_id).lstrip('/')})",
        "mlflow.experimentKind": "custom_model_development",
        view.VIEW_TAG: view.saved_view(factors(question.rows)),
    }


def report_note(question: Question, aggregates: Iterable[VariantAggregate]) -> str:
    """The question, what of it was asked otherwise, and what every row says to it, as Markdown."""
    said = {a.label: (a.sentence or a.verdict).removeprefix(f"{a.label}: ") for a in aggregates}
    lines = [f"- **{label}**: {sentence}" for label, sentence in said.items() if sentence]
    otherwise = ", ".join(f"{key} {value}" for key, value in question.changed)
    asked = [f"Asked otherwise than the sweep file does: {otherwise}", ""] if otherwise else []
    return "\n".join([question.text, "", *asked, *lines])[:TAG_LENGTH]


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", str(value)

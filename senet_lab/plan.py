"""The difference between the trials a sweep asks for and those that the store holds.

Pure, apart from reading this package's own source for the code digests.
"""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from senet_lab.design import Variant
from senet_lab.spec import Data, Model, Trial

State = Literal["done", "missing", "interrupted", "failed", "stale"]
STATES: tuple[State, ...] = ("done", "missing", "interrupted", "failed", "stale")


@dataclass(frozen=True)
class PlannedTrial:
    """One trial that a sweep asks for."""

    id: str
    """Names the run folder: what was asked and the code that answers it."""
    variant: Variant
    trial: Trial
    fingerprint: str
    code: str
    data: str

    @property
    def name(self) -> str:
        """For people: row and seed."""
        return f"{self.variant.label} seed={self.trial.seed}"


@dataclass(frozen=True)
class StoredTrial:
    """What the store knows of one run folder."""

    id: str
    fingerprint: str
    state: Literal["done", "failed", "interrupted"]


@dataclass(frozen=True)
class Plan:
    """Every wanted trial with its state, in the order of rows within seeds."""

    trials: tuple[tuple[PlannedTrial, State], ...]

    def to_run(self, rerun: Iterable[State] = ()) -> tuple[PlannedTrial, ...]:
        """What the next run has to do: the missing, the interrupted, and what `rerun` names."""
        due = {"missing", "interrupted", *rerun}
        return tuple(t for t, state in self.trials if state in due)

    def counts(self, label: str | None = None) -> Counter[State]:
        """State -> number of trials, of one row or of all."""
        return Counter(state for t, state in self.trials if label in (None, t.variant.label))


def wanted(
    rows: Iterable[Variant],
    seeds: int,
    data_digest: Callable[[Data], str],
    weights_digest: Callable[[str], str] = str,
) -> tuple[PlannedTrial, ...]:
    """Rows x seeds; all rows of a seed before the next seed, so that early results are paired.

    `data_digest` and `weights_digest` name the content of a data set and of a file of weights.
    """
    rows = tuple(rows)
    planned = []
    for seed in range(seeds):
        for row in rows:
            trial = row.trial.model_copy(update={"seed": seed})
            data = data_digest(trial.data)
            weights = weights_digest(trial.model.weights) if trial.model.weights is not None else None
            mark, code = fingerprint(trial, data, weights), code_digest(trial)
            planned.append(PlannedTrial(_digest([mark, code])[:12], row, trial, mark, code, data))
    return tuple(planned)


def reconcile(trials: Iterable[PlannedTrial], stored: Iterable[StoredTrial]) -> Plan:
    """State of every wanted trial. Stale: there is a result for it, but of other code."""
    by_id: dict[str, StoredTrial] = {}
    answered: set[str] = set()
    for s in stored:
        by_id[s.id] = s
        if s.state == "done":
            answered.add(s.fingerprint)

    def state(t: PlannedTrial) -> State:
        if t.id in by_id:
            return by_id[t.id].state
        return "stale" if t.fingerprint in answered else "missing"

    return Plan(tuple((t, state(t)) for t in trials))


def fingerprint(trial: Trial, data: str, weights: str | None = None) -> str:
    """Identity of a trial: its configuration without defaults, its seed, the content of its data and weights."""
    asked = trial.model_dump(mode="json", exclude_defaults=True, exclude={"seed": True, "model": {"weights"}})
    asked["data"]["source"] = trial.data.kind  # `data` says what is in it, wherever it lies
    if trial.model.family != "cifar_resnet":  # the first family there was; as a default it is left out
        asked["model"]["family"] = trial.model.family
    if weights is not None:
        asked["model"]["weights"] = weights
    return _digest([asked, trial.seed, data])


def code_digest(trial: Trial) -> str:
    """Digest of the modules this trial really uses, without comments and docstrings.

    `spec` is not among them, or every new setting would make every result stale; what it works
    out for this network stands in its place.
    """
    return _digest([_facts(trial.model), *((name, _module_digest(name)) for name in used_modules(trial))])


def used_modules(trial: Trial) -> tuple[str, ...]:
    """The modules of this package whose code can change the trial's result."""
    names = [
        "randomness",
        "training.begin",
        "training.train",
        "training.evaluate",
        "data.split",
        "data.augment",
        f"data.{trial.data.kind}",
        "models.__init__",
        f"models.{trial.model.module}",
        "models.initialise",
        "blocks.placed",
    ]
    if trial.model.se is not None:
        names += ["blocks.se", "blocks.squeeze", "blocks.gate"]
    if trial.data.image_size is not None:
        names += ["data.stream"]
    if trial.model.weights is not None:
        names += ["models.weights"]
    return tuple(sorted({used for name in names for used in (name, *_neighbours(name))}))


def _facts(model: Model) -> list[tuple[str, str]]:
    """All that the family's class works out or holds as a table: channels, groups, strides, hidden widths."""
    named = {name: value for c in type(model).__mro__ for name, value in vars(c).items()}
    facts = [name for name, value in named.items() if isinstance(value, property) or name.isupper()]
    words = {"name", "title", "model_extra", "model_fields_set"}
    return [(name, repr(getattr(model, name))) for name in sorted(set(facts) - words) if not name.startswith("_")]


@cache
def _neighbours(name: str) -> tuple[str, ...]:
    """Modules of the same folder that a network or a data source is made of too."""
    folder, _, module = name.rpartition(".")
    if folder not in ("models", "data") or module == "__init__":
        return ()
    tree = ast.parse(_source(name))
    imported = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    near = [m.removeprefix("senet_lab.") for m in imported if m.startswith(f"senet_lab.{folder}.")]
    return tuple(sorted({used for other in near for used in (other, *_neighbours(other))}))


@cache
def _module_digest(name: str) -> str:
    return source_digest(_source(name))


def _source(name: str) -> str:
    *folders, module = name.split(".")
    return files("senet_lab").joinpath(*folders, f"{module}.py").read_text(encoding="utf-8")


def source_digest(source: str) -> str:
    """Digest of Python source that comments, docstrings and layout do not change."""
    return _digest(_shape(ast.parse(source)))


def _shape(node: Any) -> Any:
    """The syntax tree as nested lists; empty fields left out, as Python versions differ in them."""
    if isinstance(node, list):
        return [_shape(n) for n in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    body = fields.get("body")
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = [n for n in body or [] if not _is_text(n)]
    return [type(node).__name__, [[k, _shape(v)] for k, v in fields.items() if v is not None and v != []]]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()

"""What a trial is: the fingerprint of what was asked, and the digest of the code that answers it.

Reads this package's own source and nothing else.
"""

import ast
from functools import cache
from importlib.resources import files

from senet_lab.errors import SpecError
from senet_lab.spec import Kind, Model, Source, Trial, is_shipped
from senet_lab.syntax import definition_digest, digest, source_digest


def fingerprint(trial: Trial, data: str, weights: str | None = None) -> str:
    """Identity of a trial: its configuration without defaults, its seed, the content of its data and weights."""
    asked = trial.model_dump(mode="json", exclude_defaults=True, exclude={"seed": True, "model": {"weights"}})
    asked["data"]["source"] = trial.data.kind  # `data` says what is in it, wherever it lies
    if trial.model.family != "cifar_resnet":  # the first family there was; as a default it is left out
        asked["model"]["family"] = trial.model.family
    if weights is not None:
        asked["model"]["weights"] = weights
    return digest([asked, trial.seed, data])


def code_digest(trial: Trial, own: Source | None = None) -> str:
    """Digest of the modules and operators this trial really uses, without comments and docstrings.

    `own`: the sweep file, where it defines operators.

    `spec` is not among them, or every new setting would make every result stale; what it works
    out for this network stands in its place.
    """
    modules = [(name, _module_digest(name)) for name in used_modules(trial)]
    operators = [(kind, _operator_digest(kind, name, own)) for kind, name in used_operators(trial)]
    return digest([_facts(trial.model), *modules, *operators])


TOGETHER = ("models.fold", "training.crowd", "training.flat", "training.population", "training.program")
"""What trains a trial on a GPU, and beside others, where its network folds. A plan does not know where trials will
run, so this code counts for all that may: a change of it makes more stale than it must."""


def used_modules(trial: Trial) -> tuple[str, ...]:
    """The modules of this package whose code can change the trial's result."""
    names = [
        "randomness",
        "training.begin",
        "training.train",
        "training.learner",
        "training.sgd",
        "training.evaluate",
        "data.split",
        "data.augment",
        f"data.{trial.data.kind}",
        "models.__init__",
        f"models.{trial.model.module}",
        "models.initialise",
        "blocks.placed",
        "blocks.tail",
    ]
    if trial.model.folds and trial.data.image_size is None:
        names += TOGETHER
    if trial.model.se is not None:
        names += ["blocks.se"]
    if trial.data.image_size is not None:
        names += ["data.stream"]
    if trial.model.weights is not None:
        names += ["models.weights"]
    return tuple(sorted({used for name in names for used in (name, *_neighbours(name))}))


def used_operators(trial: Trial) -> tuple[tuple[Kind, str], ...]:
    """The squeeze and the gate of this trial, each a part of the code by itself; none without SE."""
    se = trial.model.se
    return () if se is None else (("squeeze", se.squeeze), ("gate", se.gate))


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


def _operator_digest(kind: Kind, name: str, own: Source | None) -> str:
    if is_shipped(kind, name):
        return _shipped_operator_digest(kind, name)
    if own is None:
        raise SpecError(
            f"model.se.{kind}: {name!r} is another file's operator; define it in this one: @{kind}({name!r})"
        )
    return _own_operator_digest(own.text, kind, name)


@cache
def _own_operator_digest(text: str, kind: Kind, name: str) -> str:
    return definition_digest(text, kind, name, _imported_digest)


@cache
def _shipped_operator_digest(kind: Kind, name: str) -> str:
    return definition_digest(_source(f"blocks.{kind}"), kind, name, _imported_digest)


def _imported_digest(name: str) -> str:
    """Of a module that an operator imports from; "" for a name that is no module, and for the specs.

    What a spec works out for the network is in the digest by itself.
    """
    if name.partition(".")[0] == "spec":
        return ""
    return next((_module_digest(path) for path in (name, f"{name}.__init__") if _is_module(path)), "")


def _is_module(name: str) -> bool:
    *folders, module = name.split(".")
    return files("senet_lab").joinpath(*folders, f"{module}.py").is_file()


@cache
def _module_digest(name: str) -> str:
    return source_digest(_source(name))


def _source(name: str) -> str:
    *folders, module = name.split(".")
    return files("senet_lab").joinpath(*folders, f"{module}.py").read_text(encoding="utf-8")

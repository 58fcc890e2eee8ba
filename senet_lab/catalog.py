"""The sweeps at hand: finding and reading sweep files. The file name is the sweep's name everywhere."""

import difflib
import importlib.util
import re
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

import senet_lab
from senet_lab import recipes
from senet_lab.design import Variant, factors, slug, variants
from senet_lab.errors import SpecError, SweepFileError, choices, printable, shown
from senet_lab.explain import explain
from senet_lab.spaces import check_space
from senet_lab.spec import Search, Source, Study, Sweep, Trial, apply
from senet_lab.spec.operators import Operator, defining
from senet_lab.syntax import digest

LONGEST = 120
"""Letters of a report's name."""
BASE = "base"
"""The row of a search that its best are compared to."""
S = TypeVar("S", Sweep, Search)
NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
PACKAGE = Path(__file__).parent
SHIPPED = next((p for p in (PACKAGE / "sweeps", PACKAGE.parent / "sweeps") if p.is_dir()), PACKAGE / "sweeps")


@dataclass(frozen=True)
class Question:
    """A sweep file, read and checked: nothing in it is impossible."""

    name: str
    text: str
    """The file's docstring: the question in words."""
    path: Path
    sweep: Sweep
    rows: tuple[Variant, ...]
    own: Source | None = None
    """The file as it travels to workers, if it defines operators."""
    changed: tuple[tuple[str, str], ...] = ()
    """What was asked otherwise than the file does: ("recipe", "cifar10"), ("seeds", "2"), ("train.epochs", "5")."""
    search: Search | None = None
    """Of a file that searches: `sweep` is then what measures its best again, beside the base."""

    @property
    def study(self) -> Study | None:
        """What is chosen before anything is measured: for every row by itself, or in a search once."""
        return self.search or self.sweep.tune

    @property
    def report_name(self) -> str:
        """The name of this question's report: the sweep's, and what was asked otherwise, as it may stand in a path."""
        parts = (slug(f"{key}-{value}") for key, value in self.changed)
        name = "+".join([self.name, *parts])
        return name if len(name) <= LONGEST else f"{self.name}+{digest([*map(list, self.changed)])[:12]}"


def names(folder: Path = Path("sweeps")) -> dict[str, Path]:
    """Name -> file of every sweep in `folder` and of those shipped; the folder's own win."""
    found: dict[str, Path] = {}
    for place in (SHIPPED, folder):
        if place.is_dir():
            found |= {p.stem: p for p in sorted(place.glob("*.py")) if NAME.fullmatch(p.stem)}
    return found


def find(what: str) -> Path:
    """The file of a sweep given by name or by path. Raises SweepFileError if there is none."""
    if what.endswith(".py") or "/" in what:
        return _file(Path(what))
    known = names()
    if what not in known:
        raise SweepFileError(
            f"there is no sweep {shown(what)} in ./sweeps or among those shipped; {choices(what, sorted(known))}. "
            f"Any other file: senet-lab sweep path/to/mine.py"
        )
    return known[what]


def _file(path: Path) -> Path:
    give = "give a sweep file or a name from `senet-lab list`"
    try:
        if path.is_dir():
            raise SweepFileError(f"{path}: this is a folder; {give}")
        if not path.is_file():
            raise SweepFileError(f"{path}: there is no such file; {give}")
    except (OSError, ValueError) as error:  # a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise SweepFileError(f"{shown(str(path))}: no file can be called that ({why}); {give}") from None
    if path.suffix != ".py":
        raise SweepFileError(f"{path}: a sweep file's name ends in .py; rename it, or {give}")
    return path


def read(path: Path) -> Question:
    """The question that a sweep file asks. Raises SweepFileError or SpecError, naming the file."""
    if not NAME.fullmatch(path.stem):
        raise SweepFileError(
            f"{path}: a sweep file is named by up to 61 lower-case letters, digits and _, starting with a letter, "
            f"because its name becomes the run folder and the experiment; rename it"
        )
    with defining() as operators:
        return _read(path, operators)


def _read(path: Path, operators: set[Operator]) -> Question:
    module = _execute(path)
    source = importlib.util.decode_source(path.read_bytes()) if operators else ""
    own = Source(path.stem, source, frozenset(operators)) if operators else None
    sweep = getattr(module, "SWEEP", None)
    if not isinstance(sweep, Sweep | Search):
        found = f"SWEEP is {_kind(sweep)}" if hasattr(module, "SWEEP") else "it defines no SWEEP"
        raise SweepFileError(f"{path}: {found}; SWEEP = Sweep(...) is missing, README.md has a whole file")
    text = printable((module.__doc__ or "").strip())
    if isinstance(sweep, Search):
        search = _checked_again(sweep, path)
        return _checked(Question(path.stem, text, path, _measured(search), (), own, search=search))
    return _checked(Question(path.stem, text, path, _checked_again(sweep, path), (), own))


def _measured(search: Search) -> Sweep:
    """The sweep that measures a search's best: of rows, only the base is known before."""
    return Sweep(
        base=search.base, variants={BASE: {}}, baseline=BASE, seeds=search.seeds, margin=search.margin, tune=None
    )


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"of the type {type(value).__name__}"


def _checked_again(sweep: S, path: Path) -> S:
    """`sweep`, which may come from a copy that pydantic does not check. Raises SpecError for what it may not hold."""
    kind = type(sweep)
    values = {name: getattr(sweep, name) for name in kind.model_fields if hasattr(sweep, name)}
    try:
        if isinstance(base := values.get("base"), Trial):
            values["base"] = apply(base, {})
        return kind.model_validate(values)
    except ValidationError as error:
        raise SpecError(f"{path}: {explain(error, kind)}") from None
    except SpecError as error:
        raise SpecError(f"{path}: base: {error}") from None


def derive(
    question: Question, settings: dict[str, Any], *, seeds: int | None = None, recipe: str | None = None
) -> Question:
    """The same question with another base or more seeds, checked again."""
    sweep = question.sweep
    if varied := sorted(set(settings) & set(factors(question.rows))):
        raise SpecError(f"--set {varied[0]}: the sweep varies it, row by row; change {question.path} instead")
    if question.study is not None and (chosen := sorted(set(settings) & set(question.study.space))):
        raise SpecError(f"--set {chosen[0]}: the study of {question.path} chooses it; change its space instead")
    if "seed" in settings:
        raise SpecError("--set seed: a sweep gives every row the seeds 0, 1, 2, ...; --seeds says how many")
    try:
        base = recipes.named(recipe) if recipe is not None else sweep.base
        changed = {"base": apply(base, settings), "seeds": sweep.seeds if seeds is None else seeds}
        tree = sweep.model_dump() | {k: v.model_dump() if hasattr(v, "model_dump") else v for k, v in changed.items()}
        derived = Sweep.model_validate(tree)
        search = question.search
        if search is not None:
            search = Search.model_validate({**dict(search), "base": derived.base, "seeds": derived.seeds})
    except ValidationError as error:
        raise SpecError(f"command line: {explain(error, Sweep)}") from None
    except SpecError as error:
        raise SpecError(f"command line: {error}") from None
    said = {"recipe": recipe, "seeds": None if seeds == sweep.seeds else seeds} | settings
    otherwise = tuple((key, str(value)) for key, value in said.items() if value is not None or key in settings)
    return _checked(replace(question, sweep=derived, changed=otherwise, search=search))


def with_seeds(question: Question, seeds: int) -> Question:
    """The same question with more seeds, its rows as they are: those that a study has chosen stay."""
    return replace(question, sweep=Sweep.model_validate({**dict(question.sweep), "seeds": seeds}))


def _checked(question: Question) -> Question:
    try:
        found = replace(question, rows=variants(question.sweep))
        if found.study is not None:
            check_space(found.study, found.rows)
        return found
    except SpecError as error:
        raise SpecError(f"{question.path}: {error}") from None


def _execute(path: Path) -> Any:
    """Run a sweep file as a module of its own; every way it can fail names the file and line."""
    spec = importlib.util.spec_from_file_location(f"senet_lab_sweeps.{path.stem}", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        # By hand, as the import system leaves __pycache__ beside the file and may take an old one from there.
        exec(compile(path.read_bytes(), spec.origin or path, "exec"), vars(module))
    except KeyboardInterrupt:
        raise
    except ValidationError as error:
        root = {c.__name__: c for c in _specs()}.get(error.title, Sweep)
        raise SpecError(f"{_place(error, path)}: {explain(error, root)}") from None
    except SpecError as error:
        raise SpecError(f"{_place(error, path)}: {error}") from None
    except SyntaxError as error:
        raise SweepFileError(f"{_place(error, path)}: this is not Python: {error.msg}; mend that line") from None
    except BaseException as error:
        said = f": {text}" if (text := _said(error)) else ""
        raise SweepFileError(f"{_place(error, path)}: {type(error).__name__}{said}; mend that line") from None
    return module


def _said(error: BaseException) -> str:
    """What Python says, and the nearest spelling to a name it did not find, which it says only in tracebacks."""
    text = re.sub(r" \([^()]*__init__\.py\)$", "", str(error))
    text = re.sub(
        r"^BaseModel.__init__\(\) takes 1 positional.*",
        "give each value its name, as in Sweep(base=...) or Float(low=...)",
        text,
    )
    if isinstance(error, ImportError) and (found := re.match(r"cannot import name '(\w+)' from 'senet_lab'", text)):
        return f"{text}; {choices(found[1], sorted(senet_lab.__all__))}"
    if not isinstance(error, AttributeError) or error.obj is None:
        return text
    near = difflib.get_close_matches(error.name or "", dir(error.obj), n=1)
    return f"{text} (did you mean {near[0]!r}?)" if near else text


def _specs() -> list[type]:
    from senet_lab import spec

    return [c for c in vars(spec).values() if isinstance(c, type) and issubclass(c, spec.Spec)]


def _place(error: BaseException, path: Path) -> str:
    """`path` and the line of it on which `error` came up; of a SyntaxError, the file that is not Python."""
    if isinstance(error, SyntaxError) and error.lineno:
        same = Path(error.filename or path).absolute() == path.absolute()
        return f"{path if same else error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename).absolute() == path.absolute()]
    return f"{path}:{lines[-1]}" if lines else str(path)

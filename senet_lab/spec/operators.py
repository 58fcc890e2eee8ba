"""The names that `se.squeeze` and `se.gate` may have: senet-lab's own, and those that sweep files define.

Only names are known here, without torch; what they stand for is in `blocks`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationInfo

from senet_lab.errors import SpecError, choices

Kind = Literal["squeeze", "gate"]
Operator = tuple[Kind, str]

SHIPPED: dict[Kind, tuple[str, ...]] = {"squeeze": ("avg", "max", "none"), "gate": ("sigmoid", "tanh", "relu")}


@dataclass(frozen=True)
class Source:
    """A sweep file that defines operators, as it travels to workers: what they need is all in here."""

    name: str
    """Of the file, for tracebacks."""
    text: str
    operators: frozenset[Operator]


NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
ANY: Final = {"any operator": True}
"""Validation context for what is read back: a record may name an operator that no file defines any more."""

_defined: dict[Operator, None] = {}
_watchers: list[set[Operator]] = []


def named(kind: Kind, name: object) -> None:
    """Raises SpecError for a name that could not stand in a label and a path."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        found = repr(name) if isinstance(name, str | int | float) else "no name"
        raise SpecError(
            f"@{kind}: found {found}; write @{kind}('name'), a name being 1 to 31 lower-case letters, digits and _, "
            f"starting with a letter"
        )


def define(kind: Kind, name: str, make: Any, table: dict[str, Any]) -> None:
    """Let `name` stand for `make` in `table`. Raises SpecError for a name of `SHIPPED` that has its meaning already."""
    if name in SHIPPED[kind]:
        if name in table:
            raise SpecError(f"@{kind}({name!r}): senet-lab has a {kind} of this name; choose another one")
    else:
        _defined[(kind, name)] = None
        for watcher in _watchers:
            watcher.add((kind, name))
    table[name] = make


@contextmanager
def defining() -> Iterator[set[Operator]]:
    """The operators that are defined inside, e.g. by a sweep file that is being read."""
    found: set[Operator] = set()
    _watchers.append(found)
    try:
        yield found
    finally:
        _watchers.remove(found)


def is_shipped(kind: Kind, name: str) -> bool:
    """Whether an operator is one of senet-lab's own."""
    return name in SHIPPED[kind]


def known(kind: Kind) -> Callable[[str, ValidationInfo], str]:
    """A check that a value of `se.squeeze` or `se.gate` names an operator."""

    def check(name: str, info: ValidationInfo) -> str:
        others = _watchers[-1] if _watchers else _defined  # a file that is being read has its own and no other file's
        names = [*SHIPPED[kind], *sorted(n for k, n in others if k == kind)]
        if name not in names and info.context != ANY:
            raise ValueError(
                f"found {name!r}; {choices(name, names)}; or define it in the sweep's file: @{kind}({name!r})"
            )
        return name

    return check

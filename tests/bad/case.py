"""A wrong input as a line of a table, and the one way to try it."""

import contextlib
import io
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from typer.main import get_command

from senet_lab.cli import app, main

GOOD = '''"""Is mine good?"""
from senet_lab import SE, Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.reduction": [2, 4]},
    controls=["no_se"],
    baseline="no_se",
    seeds=2,
    margin=0.01,
)
'''
COMMANDS = ", ".join(get_command(app).commands)  # type: ignore[attr-defined]
"""As a message lists them."""
CANARY = "canary-7f3a"
"""A password that nobody may see again."""

Content = str | bytes | Callable[[Path], object] | None
"""Of a file; what makes it; None: a folder."""


@dataclass(frozen=True)
class Case:
    """What is typed in a folder with `files`, and what the message has to contain."""

    typed: str
    says: tuple[str, ...]
    files: Mapping[str, Content] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    """On the standard output, of the two commands that look around before they refuse."""

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.typed)


class Answer(NamedTuple):
    code: object
    out: str
    err: str


def good(**changed: str) -> str:
    """The good sweep file with the values of some settings replaced, or others added; "" leaves one out."""
    lines = {line.strip().split("=")[0]: line for line in GOOD.splitlines() if line.startswith("    ")}
    lines |= {key: f"    {key}={value}," if value else "" for key, value in changed.items()}
    return f"{GOOD.partition('Sweep(')[0]}Sweep(\n" + "\n".join(filter(None, lines.values())) + "\n)\n"


def mine(text: str) -> dict[str, Content]:
    return {"mine.py": text}


def prepare(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        elif callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def tree(folder: Path) -> dict[str, int | str]:
    """Everything under `folder`: lengths of files, targets of links."""
    found: dict[str, int | str] = {}
    for path in sorted(folder.rglob("*")):
        size = str(path.readlink()) if path.is_symlink() else path.stat().st_size if path.is_file() else "folder"
        found[str(path.relative_to(folder))] = size
    return found


def answer(arguments: list[str]) -> Answer:
    """What the program says here, in this process."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["senet-lab", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        code: object = 0
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    return Answer(code, out.getvalue(), err.getvalue())

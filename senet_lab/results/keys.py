r"""How a table and its numbers are named in a paper, and the command that makes the table again.

A number's name is `table:row:column`, e.g. `reduction_ratio:reduction=8:error`. In a .tex file it is defined by
`\senetlabset{name}{text}`, used by `\senetlab{name}`, or stands behind a number as `% senet-lab: name`. A row of a
table ends in `% senet-lab: table:row`. The line `% senet-lab report ...` says what a table is of.
"""

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from senet_lab import catalog, options
from senet_lab.catalog import Question
from senet_lab.credentials import without_credentials
from senet_lab.errors import UserError, choices, printable, shown
from senet_lab.inventory import Inventory

USE, DEFINE = r"\senetlab", r"\senetlabset"
MARK = "senet-lab:"
REPORT = "senet-lab report "
STALE, LOOKS = "+stale", "+until-decided"
FLAGS = ["--include-stale", "--until-decided"]
OPTIONS = ["--recipe", "--seeds", "--set", *FLAGS]


def table(question: Question, stale: bool = False, looks: bool = False) -> str:
    """The name of a question's table, and of its report's folder.

    `stale`: results of older code are counted in it; `looks`: seeds were added until its rows were decided.
    """
    return question.report_name + LOOKS * looks + STALE * stale


def name(*parts: str) -> str:
    """Of a table, a row of it, or a number of that: `table:row:column`."""
    return ":".join(parts)


def command(question: Question, stale: bool = False, looks: bool = False) -> str:
    """What to type to make a question's table again: its options, but neither store nor data folder."""
    words = ["senet-lab", "report", typed(question)]
    for key, value in question.changed:
        words += [f"--{key}", value] if key in ("recipe", "seeds") else ["--set", f"{key}={value}"]
    words += ["--until-decided"] * looks + ["--include-stale"] * stale
    return " ".join(printable(shlex.join(words)).split("\n"))


def typed(question: Question, here: bool = False) -> str:
    """What to type for the question's sweep: its name, or the file that no name stands for, wherever it lies.

    `here`: with its path from the working folder, for somebody who types it there; that is for no file.
    """
    if catalog.names().get(question.name) == question.path:
        return question.name
    return os.path.relpath(question.path) if here else question.path.name


def to_type(command: str, found: Inventory) -> str:
    """What to type for `command` with the same question and folders."""
    said, root = dict(found.question.changed), str(found.store.root)
    asked = {
        "--store": None if root == str(Path(options.RUNS).absolute()) else without_credentials(root),
        "--data-dir": found.data_dir,
        "--seeds": said.pop("seeds", None),
        "--recipe": said.pop("recipe", None),
    }
    return options.typed(
        command, typed(found.question, here=True), asked, [f"{key}={value}" for key, value in said.items()]
    )


def escaped(text: str) -> str:
    r"""`text` as it may stand in the braces of \senetlab: what ends an argument or a line has a \ before it."""
    return re.sub(r"[\\{}%]", r"\\\g<0>", text)


def plain(text: str) -> str:
    """What `escaped` was made of."""
    return re.sub(r"\\([\\{}%])", r"\1", text)


@dataclass(frozen=True)
class Asked:
    """What a line `senet-lab report ...` asks for."""

    sweep: str
    recipe: str | None = None
    seeds: int | None = None
    settings: tuple[str, ...] = ()
    stale: bool = False
    looks: bool = False


def asked(line: str) -> Asked:
    """`line`, a command that `command` wrote, in parts. Raises UserError for anything else."""
    try:
        words = shlex.split(line.removeprefix(REPORT))
    except ValueError as error:
        raise UserError(
            f"{shown(line)}: {error}; copy the line from the first line of the report's table.tex"
        ) from None
    if not words or words[0].startswith("-"):
        raise UserError(f"{shown(line)}: no sweep is named; give its name behind `report`")
    sweep, *rest = words
    found: dict[str, list[str]] = {option: [] for option in OPTIONS}
    while rest:
        option, equals, value = rest.pop(0).partition("=")
        if option not in found:
            raise UserError(f"{shown(line)}: found {shown(option)}; {choices(option, OPTIONS)}")
        if option not in FLAGS and not equals:
            value = rest.pop(0) if rest else ""
        found[option].append(value)
    seeds = found["--seeds"][-1] if found["--seeds"] else None
    if seeds is not None and not re.fullmatch(r"\d{1,6}", seeds):
        raise UserError(f"{shown(line)}: --seeds: found {shown(seeds)}; it should be a whole number")
    recipe = found["--recipe"][-1] if found["--recipe"] else None
    stale, looks = (bool(found[flag]) for flag in FLAGS)
    return Asked(sweep, recipe, int(seeds) if seeds else None, tuple(found["--set"]), stale, looks)

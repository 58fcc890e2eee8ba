r"""What a paper says of tables: read from its .tex files, following \input and \include. Nothing is executed.

A number is said by its definition (`\senetlabset{name}{2.77}`), by a row that was pasted from table.tex (it ends in
`% senet-lab: table:row`) or by hand (`2.77 % senet-lab: table:row:column`); `\senetlab{name}` uses a definition.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from senet_lab.errors import UserError, shown
from senet_lab.results import keys

MOST_FILES = 500
LONGEST_ROW = 10_000
INPUT = re.compile(r"\\(?:input|include)\s*(?:\{([^{}]*)\}|([^\s\\{}%]+))")
BRACED = r"\{((?:[^{}\\]|\\.)*)\}"
SET = re.compile(rf"\\senetlabset\s*{BRACED}\s*\{{((?:[^{{}}\\]|\\.|\{{(?:[^{{}}\\]|\\.)*\}})*)\}}")
USED = re.compile(rf"\\senetlab(?![A-Za-z])\s*{BRACED}")
PROVIDED = re.compile(r"\\(?:provide|new|renew)command")
ROW_END = re.compile(r"\\\\(?:\*)?(?:\[[^\]]*\])?|\\tabularnewline|\\(?:top|mid|bottom)rule|\\cmidrule\S*|\\hline")


@dataclass(frozen=True)
class Claim:
    """Something that a line says of a number, a row, or uses."""

    place: str
    """file:line."""
    kind: Literal["number", "row", "hand", "use"]
    name: str
    """Of the number or row; see `keys`."""
    text: str = ""
    """LaTeX: the number, the row's cells, or what stands before a comment."""


@dataclass
class Manuscript:
    """All that a paper says of tables."""

    claims: list[Claim] = field(default_factory=list)
    commands: dict[str, str] = field(default_factory=dict)
    """What makes a table (`senet-lab report ...`) -> where that stands."""
    absent: dict[str, str] = field(default_factory=dict)
    """Files that are input and are not there -> where that stands."""


def read(paper: Path) -> Manuscript:
    """The paper at `paper`, with all files that it inputs. Raises UserError if one cannot be read."""
    found = Manuscript()
    waiting, seen = [(paper, "")], set[Path]()
    while waiting and len(seen) < MOST_FILES:
        path, place = waiting.pop(0)
        if place and not path.is_file():
            found.absent.setdefault(str(path), place)
            continue
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        for claim_or_input in _said(path, found):
            waiting.append((_target(paper, path, claim_or_input[0]), claim_or_input[1]))
    return found


def _target(paper: Path, path: Path, name: str) -> Path:
    """The file that LaTeX would take for `name`: beside the paper, where it runs; else beside the file that asks."""
    names = [name, f"{name}.tex"] if name.endswith(".tex") else [f"{name}.tex", name]
    places = [folder / n for folder in (paper.parent, path.parent) for n in names]
    return next((p for p in places if p.is_file()), places[0])


def _said(path: Path, found: Manuscript) -> Iterator[tuple[str, str]]:
    """Adds what the lines of a file say to `found`; gives what they input, and where."""
    before = ""
    for i, line in enumerate(_lines(path), 1):
        place, (code, comment) = f"{path}:{i}", _split(line)
        comment = comment.strip()
        if comment.startswith(keys.REPORT):
            found.commands.setdefault(comment, place)
        if not PROVIDED.search(code):
            found.claims += [Claim(place, "number", keys.plain(m[1]), m[2]) for m in SET.finditer(code)]
            found.claims += [Claim(place, "use", keys.plain(m[1])) for m in USED.finditer(code)]
        before += f" {code}"
        if comment.startswith(keys.MARK):
            found.claims.append(_marked(place, comment.removeprefix(keys.MARK).strip(), before, code))
        ends = [0, 0, *(m.end() for m in ROW_END.finditer(before))]
        before = before[max(ends[-2], len(before) - LONGEST_ROW) :]  # a mark may stand below its row
        yield from ((m[1] or m[2], place) for m in INPUT.finditer(code))


def _marked(place: str, name: str, before: str, code: str) -> Claim:
    r"""What a comment with a name is about: the row that ends there with \\, or the line's last number."""
    *others, last = [(m.start(), m.end()) for m in ROW_END.finditer(before)] or [(0, 0)]
    if last[1] and not before[last[1] :].strip() and "&" in before[: last[0]]:
        return Claim(place, "row", name, before[others[-1][1] if others else 0 : last[0]])
    return Claim(place, "hand", name, code)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"{shown(str(path))}: {error.strerror}; name the paper's main .tex file") from None


def _split(line: str) -> tuple[str, str]:
    r"""A line's code and its comment, which begins at the first % that has no \ before it."""
    code = re.match(r"(?:[^%\\]|\\.|\\$)*", line)
    end = code.end() if code else 0
    return line[:end], line[end + 1 :]


def cells(row: str) -> list[str]:
    """The cells of a LaTeX row, each as plain text."""
    return [plain(cell) for cell in re.split(r"(?<!\\)&", row)]


def bold(cell: str) -> bool:
    """Whether LaTeX sets (a part of) it in bold."""
    return bool(re.search(r"\\(textbf|bfseries|bf|mathbf|boldsymbol)\b", cell))


def plain(text: str) -> str:
    """LaTeX of a number or a word as it is printed: no fonts, no math, no fine spaces."""
    text = re.sub(r"\\(addlinespace|rowcolor|cellcolor)(\[[^\]]*\])*(\{[^{}]*\})*", "", text)
    text = re.sub(
        r"\\(?:ensuremath|text\w*|math\w*|num|bfseries|bf|it|em|boldsymbol|senetlab|mbox|hphantom)\b", "", text
    )
    text = re.sub(r"\\[,;:! ]|~|\s+", " ", text)
    text = re.sub(r"\{,\}", ",", text).replace("\u2212", "-").replace("--", "-")
    text = re.sub(r"(?<!\\)[${}]", "", re.sub(r"\$-\$", "-", text))
    return re.sub(r"\s+", " ", re.sub(r"\\([_%&#{}$])", r"\1", text)).strip()

"""A paper's numbers against those of the store, one by one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from senet_lab.errors import choices
from senet_lab.results import keys, latex, manuscript
from senet_lab.results.cells import Row, Sheet
from senet_lab.results.manuscript import Claim, Manuscript

NUMBER = re.compile(r"([+-]?\d[\d,]*(?:\.\d+)?|[+-]?\.\d+)(?:/\d+)?\s?([kMG]?)(?![A-Za-z])")
UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
WIDEST = latex.LAYOUTS[0]


@dataclass(frozen=True)
class Difference:
    """A place where the two do not agree."""

    place: str
    name: str
    paper: str
    store: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name}: the paper says {self.paper}, the store {self.store}"


@dataclass(frozen=True)
class Proof:
    """What a comparison came to."""

    compared: int
    """Numbers of the paper that the store was asked for; cells of rows one by one."""
    uses: int
    """Places where the paper uses a number that it defines."""
    wrong: tuple[Difference, ...]


def proof(said: Manuscript, sheets: Mapping[str, Sheet]) -> Proof:
    """All claims of a paper against `sheets`, the tables of the store by name."""
    texts = {name: text for sheet in sheets.values() for name, text in latex.numbers(sheet).items()}
    lines = {keys.name(sheet.name, line.label): line for sheet in sheets.values() for line in sheet.rows}
    defined = {claim.name for claim in said.claims if claim.kind == "number"}
    compared, uses, wrong = 0, 0, list[Difference]()
    for claim in said.claims:
        if claim.kind == "use":
            uses += 1
            if claim.name not in defined:
                wrong.append(_undefined(claim, texts))
        elif claim.kind == "row" and claim.name in lines:
            cells = manuscript.cells(claim.text)[1:]
            compared += sum(map(bool, cells))
            wrong += _row(claim, cells, lines[claim.name])
        elif claim.name in texts:
            compared += 1
            wrong += _number(claim, texts[claim.name], lines.get(_row_of(claim.name, lines)))
        else:
            wrong.append(Difference(claim.place, claim.name, "something", _unknown(claim.name, sheets, texts, lines)))
    return Proof(compared, uses, tuple(wrong))


def _undefined(claim: Claim, texts: Mapping[str, str]) -> Difference:
    known = f"; \\input the table's macros.tex, where it is {texts[claim.name]}" if claim.name in texts else ""
    near = "" if known or not texts else f"; {_near(claim.name, texts)}"
    return Difference(
        claim.place, claim.name, rf"\senetlab{{{claim.name}}}", f"nothing: no file defines it{known}{near}"
    )


def _unknown(name: str, sheets: Mapping[str, Sheet], texts: Mapping[str, str], lines: Mapping[str, Row]) -> str:
    table = next((t for t in sheets if name.startswith(f"{t}:")), None)
    if table is None:
        return (
            f"nothing: the paper does not say what the table is of; keep the first line of table.tex or macros.tex, "
            f"`% {keys.REPORT}{name.partition(':')[0].partition('+')[0]} ...`"
        )
    rows = {n: n for n in lines if n.startswith(f"{table}:")}
    return f"no such row or number; {_near(name, rows if name.count(':') < 2 else texts)}"


def _near(name: str, known: Mapping[str, str]) -> str:
    """The nearest names; of all that there are, no more than a few."""
    said = choices(name, list(known)[:200])
    return said if len(said) <= 300 else f"{said[:300].rpartition(',')[0]}, ..."


def _row_of(name: str, lines: Mapping[str, Row]) -> str:
    return name.rpartition(":")[0] if name.rpartition(":")[0] in lines else ""


def _number(claim: Claim, text: str, line: Row | None) -> Iterator[Difference]:
    """A definition says exactly the text; a number written by hand may be rounded further."""
    store = manuscript.plain(text)
    said = manuscript.plain(claim.text)
    if claim.kind == "number":
        if said != store:
            yield Difference(claim.place, claim.name, said or "nothing", _held(store, line))
        return
    if re.search(rf"(?<![\d.,+-]){re.escape(_squeezed(store))}$", _squeezed(said)):
        return
    found = [*NUMBER.finditer(said)]
    value = line.numbers.get(claim.name.rpartition(":")[2]) if line else None
    if found and value is not None and _rounded(found[-1][1], found[-1][2], value):
        return
    words = (
        found[-1][0].strip() if found and value is not None else said[-len(store) - 10 :] or "nothing before the mark"
    )
    yield Difference(claim.place, claim.name, words, _held(store, line))


def _squeezed(text: str) -> str:
    return re.sub(r"(?<!\d)0\.", ".", text.replace(" ", ""))


def _rounded(text: str, unit: str, value: float) -> bool:
    """Whether `value` is `text` where it is rounded to as many digits."""
    digits = len(text.partition(".")[2])
    return bool(abs(float(text.replace(",", "")) - value / UNITS[unit]) <= 0.5 * 10**-digits * (1 + 1e-9))


def _held(store: str, line: Row | None) -> str:
    if line is None or line.n == line.wanted:
        return store
    if not line.n:
        return f"nothing: none of the row's {line.wanted} trials is done"
    return f"{store}, with {line.wanted - line.n} of {line.wanted} trials missing"


def _row(claim: Claim, said: list[str], line: Row) -> Iterator[Difference]:
    """Cells of a pasted row, of which columns may be left out or put together; the label is the paper's.

    Columns may be moved, too, where their number is not that of a table as it is written.
    """
    columns, cells = _columns(WIDEST), [manuscript.plain(cell) for cell in latex.row(line, WIDEST)[1:]]
    said = [re.sub(r" ?\* ?$", "", cell) for cell in said]
    allowed = {*cells, *(f"{a} {b}".strip() for a, b in pairwise(cells)), "", f"{line.n}"}
    wrong = [i for i, cell in enumerate(said) if cell not in allowed]
    fitting = next((_columns(known) for known in latex.LAYOUTS if len(_columns(known)) == len(said)), None)
    held = dict(zip(columns, cells, strict=True))
    if fitting and not wrong and not _in_order(said, cells, f"{line.n}"):
        wrong = [i for i, cell in enumerate(said) if cell and cell not in _of_column(fitting[i], held, line)]
    for i in wrong:
        should = held[fitting[i]] if fitting else f"has {', '.join(filter(None, cells))}"
        name = keys.name(claim.name, fitting[i]) if fitting else claim.name
        yield Difference(claim.place, name, said[i], _held(should or "nothing", line))
    error = cells[_columns(WIDEST).index("error")]
    if not line.best and any(manuscript.bold(c) and error in manuscript.plain(c) for c in claim.text.split("&")[1:]):
        yield Difference(claim.place, claim.name, f"{error} in bold", "that it is worse than the best row")


def _in_order(said: list[str], cells: list[str], n: str) -> bool:
    """Whether `said` are some of `cells` in their order, two that stand together perhaps in one; `n`: without "/20"."""
    ways = [{cell, f"{cell} {after}".strip()} for cell, after in pairwise([*cells, ""])]
    ways[_columns(WIDEST).index("n")].add(n)
    at = 0
    for cell in filter(None, said):
        while at < len(ways) and cell not in ways[at]:
            at += 1
        if at == len(ways):
            return False
        at += 1 if cell in (cells[at], n) else 2
    return True


def _of_column(column: str, held: Mapping[str, str], line: Row) -> set[str]:
    return {held[column], f"{line.n}"} if column == "n" else {held[column]}


def _columns(layout: latex.Layout) -> list[str]:
    """Of a row of table.tex, its label left out."""
    return [*layout.costs, "n", "error", "error's interval", "difference", "difference's interval", "verdict"]

"""Whether a paper's numbers are those of the store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from senet_lab import catalog, files
from senet_lab.catalog import Question
from senet_lab.commands import Where, answers, console
from senet_lab.commands import asked as question
from senet_lab.commands.report import answered
from senet_lab.errors import PaperDiffers, StoreError, UserError, choices, printable, shown
from senet_lab.options import settings
from senet_lab.results import keys, manuscript, proofreading
from senet_lab.results.cells import Sheet
from senet_lab.results.manuscript import Manuscript

NOTHING = (
    "there is nothing to check in it: no macros, rows or marked numbers of senet-lab. Put \\input{macros} of a report "
    "before \\begin{document} and write numbers as \\senetlab{reduction_ratio:reduction=8:error}, paste rows of "
    "table.tex with their comments, or mark a number by hand: 2.77 % senet-lab: reduction_ratio:reduction=8:error"
)


def check(paper: Path, where: Where, sweeps: Sequence[Path]) -> None:
    """Print where the paper and the store differ, and what was compared.

    Raises PaperDiffers if they do, UserError if there is nothing to compare or a table cannot be made.
    """
    said = manuscript.read(paper)
    if not said.claims:
        raise UserError(f"{paper}: {NOTHING}")
    root = files.place(where.store)
    if not files.is_folder(root):
        raise StoreError(f"there is no folder {root}; name that of the run folders with --store")
    sheets = _sheets(said, where, {path.stem: path for path in sweeps})
    proof = proofreading.proof(said, sheets)
    for difference in proof.wrong:
        console.print(printable(str(difference)), markup=False, soft_wrap=True)
    for note in _notes(said, sheets):
        console.print(printable(note), markup=False, soft_wrap=True)
    if proof.wrong:
        places = len(proof.wrong)
        raise PaperDiffers(
            f"{paper} and the store {root} differ in {places} place{'s' * (places > 1)}, {proof.compared} numbers were "
            f"compared; `senet-lab report` writes table.tex and macros.tex anew, `senet-lab why NAME` says where a "
            f"number comes from"
        )
    if not proof.compared:
        raise UserError(f"{paper}: {NOTHING}")
    tables = ", ".join(sorted(sheets))
    text = f"{paper}: {proof.compared} numbers compared, all are those of the store ({tables}); used {proof.uses} times"
    console.print(printable(text), markup=False, soft_wrap=True)


def _sheets(said: Manuscript, where: Where, given: Mapping[str, Path]) -> dict[str, Sheet]:
    """The tables that the paper names, made from the store anew, by their names."""
    commands = dict(said.commands)
    shown_already = {keys.asked(line).sweep for line in commands if _is_plain(line)}
    for claim in said.claims:  # a number of a question as its file asks it needs no line that says so
        table = claim.name.partition(":")[0]
        if claim.kind != "use" and table not in shown_already and (table in given or table in catalog.names()):
            commands.setdefault(f"{keys.REPORT}{table}", claim.place)
    found = {}
    for line, place in commands.items():
        try:
            sheet = _sheet(line, where, given)
        except UserError as error:
            raise type(error)(f"{place}: {error}") from None
        found[sheet.name] = sheet
    return found


def _is_plain(line: str) -> bool:
    return len(line.removeprefix(keys.REPORT).split()) == 1


def _sheet(line: str, where: Where, given: Mapping[str, Path]) -> Sheet:
    asked = keys.asked(line)
    path, changes = _file(asked.sweep, given), settings(asked.settings)
    _refuse_paths(str(path), changes, asked)
    found = answers(str(path), where, changes, asked.seeds, asked.recipe)
    return answered(found, asked.stale, asked.looks)[1].sheet()


def _refuse_paths(sweep: str, changes: dict[str, Any], said: keys.Asked) -> None:
    """Raises UserError where settings out of the paper would open folders or files that the sweep's own does not."""
    if not changes:
        return
    ours, theirs = (_paths(question(sweep, found, said.seeds, said.recipe)) for found in ({}, changes))
    for key in theirs:
        if more := sorted(theirs[key] - ours[key]):
            raise UserError(
                f"the paper sets {key} to {shown(more[0])}, which is not opened because of that: a paper may come from "
                f"anybody. If you trust it, write a sweep file whose base has that {key}, name it in the paper's line "
                f"instead, and give it: --sweep FILE"
            )


def _paths(asked: Question) -> dict[str, set[str]]:
    """Setting -> what its rows would open on this machine."""
    trials = [row.trial for row in asked.rows]
    return {
        "data.source": {t.data.source for t in trials if ":" in t.data.source},
        "model.weights": {t.model.weights for t in trials if t.model.weights is not None},
    }


def _file(sweep: str, given: Mapping[str, Path]) -> Path:
    """The sweep's file: one of the command line, or one that `list` knows; never a path out of the paper."""
    known = catalog.names()
    if (stem := Path(sweep).stem if sweep.endswith(".py") else sweep) in given:
        return given[stem]
    if sweep in known:
        return known[sweep]
    if sweep.endswith(".py") or "/" in sweep:
        raise UserError(
            f"the paper names the sweep file {shown(sweep)}, which is not opened because of that: a sweep file is "
            f"code that would run. If you trust it, name it yourself: --sweep {Path(sweep).name}"
        )
    raise UserError(
        f"there is no sweep {shown(sweep)}; {choices(sweep, sorted(known))}. "
        f"A file elsewhere: --sweep path/to/{stem}.py"
    )


def _notes(said: Manuscript, sheets: Mapping[str, Sheet]) -> list[str]:
    """What is not there: files of the paper, trials of the store."""
    notes = [f"note: {place}: {path} is not there and was not read" for path, place in said.absent.items()]
    for sheet in sheets.values():
        missing, wanted = (sum(n) for n in zip(*((r.wanted - r.n, r.wanted) for r in sheet.rows), strict=True))
        if missing:
            notes.append(f"note: {sheet.name}: {missing} of its {wanted} trials are missing in the store")
    return notes

"""The paragraphs on experiments that the NeurIPS paper checklist asks for (items 4 to 8), with this sweep's numbers.

The items are those of the checklist at https://neurips.cc/public/guides/PaperChecklist (2024, 2025); the answers
are ours. What only the authors can know is left open and marked.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from senet_lab.results import captions, ledger, published, selected, stats, tex, written
from senet_lab.results.ledger import NOTHING, TO_FILL
from senet_lab.results.page import account, protocol
from senet_lab.results.page.typography import CODE
from senet_lab.results.paired import FEWEST_FOR_SIGN_FLIP
from senet_lab.results.provenance import COUNTS

if TYPE_CHECKING:
    from senet_lab.results.report import Report


@dataclass(frozen=True)
class Item:
    """One question of the checklist."""

    number: int
    title: str
    answer: str
    """Yes, No or NA."""
    text: str


def items(report: "Report") -> tuple[Item, ...]:
    """Items 4 to 8."""
    return (
        Item(4, "Experimental result reproducibility", *_reproducibility(report)),
        Item(5, "Open access to data and code", "TODO", _access(report)),
        Item(6, "Experimental setting/details", "Yes", _setting(report)),
        Item(7, "Experiment statistical significance", *_significance(report)),
        Item(8, "Experiments compute resources", *ledger.statement(report.provenance)),
    )


def plain(found: tuple[Item, ...]) -> str:
    """All items as text."""
    return "\n\n".join(f"{i.number}. {i.title}\nAnswer: [{i.answer}]\nJustification: {i.text}" for i in found)


def latex(found: tuple[Item, ...]) -> str:
    """All items as in the official LaTeX file."""
    return "\n\n".join(
        f"\\item {{\\bf {i.title}}}\n"
        f"    \\item[] Answer: \\answer{i.answer}{{}}\n"
        f"    \\item[] Justification: {_set(i.text)}"
        for i in found
    )


def _set(text: str) -> str:
    """`text` for LaTeX, with what stands in backticks in typewriter."""
    parts = [tex.escape(part) for part in CODE.split(text)]
    return "".join(f"\\texttt{{{part}}}" if i % 2 else part for i, part in enumerate(parts))


def _reproducibility(report: "Report") -> tuple[str, str]:
    if not len(report.trials):
        return "NA", NOTHING
    command, n, older = account.commands(report)[0], int(report.summary["n"].sum()), account.older(report)
    but = f" but for {older} by older code" if older else ""
    text = (
        f"Every number in the table comes from {n} training runs, which one command makes again{but}: "
        f"`{command}`. Each run is identified by its complete configuration, its seed, a digest of the data and "
        f"a digest of the code that it used; all four are listed with the results."
    )
    devices = set(report.provenance.runs["device"]) - {""} if report.provenance else set()
    if devices == {"cpu"}:
        text += " On the CPU, where all runs were made, a repeated run gives the same bits."
    return "Yes", text + _of_candidates(report)


def _of_candidates(report: "Report") -> str:
    """What has to be trained again besides, and whether it would choose the same."""
    if (tried := report.tried) is None:
        return ""
    text = (
        f" Besides these runs {selected.besides(tried)} were trained to choose settings by; without their records the "
        f"command trains them, too."
    )
    why = selected.otherwise(tried)
    return (
        f"{text} Because {why}, it may then choose other settings; a run of given settings stays the same."
        if why
        else text
    )


def _access(report: "Report") -> str:
    where = ", ".join(protocol.sources(report))
    bundled = " (bundled with scikit-learn)" if where == "digits" else ""
    digests = _digests(report)
    return (
        f"Data: {where}{bundled}{digests}. Code: senet-lab with the sweep file {report.question.name}.py"
        f"{_commit(report)}. {TO_FILL}say where code and data can be had.]"
    )


def _setting(report: "Report") -> str:
    words = published.protocols.ours([row.trial for row in report.question.rows], report.question.sweep.seeds)
    names = ("network", "optimizer", "momentum", "learning rate", "schedule", "weight decay", "batch size", "epochs")
    told = ", ".join(f"{name} {words[name]}" for name in (*names, "augmentation") if words.get(name))
    same = "The hyperparameters are the same in all rows but for what is compared"
    chosen = f"{' and what was tuned' * (report.tried is not None)}. {' '.join(written.tuning(report))}".rstrip()
    return (
        f"Training: {told}. Split: {protocol.split(report)}. {same}{chosen} {protocol.last_epoch(report)} "
        f"{TO_FILL}say how the common hyperparameters{' and what to tune' * (report.tried is not None)} were chosen.]"
    )


def _significance(report: "Report") -> tuple[str, str]:
    n = report.summary["n"]
    if not len(report.trials):
        return "NA", NOTHING
    if n.max() < 2:
        return "No", "A single seed a row gives no interval; no claim of a difference is made."
    count = f"{int(n.min())}" + (f" to {int(n.max())}" if n.max() > n.min() else "")
    flips = ""
    if report.comparison["n_pairs"].max() >= FEWEST_FOR_SIGN_FLIP:
        flips = "; a sign-flip test, which assumes only symmetry and is exact up to 30 seeds, is reported beside them"
    text = (
        f"Each row has {count} seeds{_added(report)}; a seed sets the training/validation split, the initial "
        f"weights, the order of the images and the augmentation, and is shared by all rows. Errors are means with "
        f"95 % Student-t confidence intervals over seeds (not standard deviations). Differences to "
        f"{report.baseline} are paired by seed, with {stats.interval_name(report.comparison)} Student-t intervals; a "
        f"difference is claimed where the paired t test gives p < .05{protocol.adjusted(report)}, "
        f"equality only where two one-sided t tests do so against a margin of "
        f"{stats.points(report.question.sweep.margin)} that the sweep file declares. The tests assume "
        f"near-normal differences{flips}. The intervals do not contain the sampling error of the test set."
    )
    return "Yes", text


def _added(report: "Report") -> str:
    """How rows came to have different numbers of seeds."""
    if (state := report.looks) is None:
        return ""
    return (
        f" (undecided rows were given more, at looks of {state.seeds_of_looks} seeds, of which look k spends "
        f".05 / (k (k + 1)); {captions.first_number(state)})"
    )


def _digests(report: "Report") -> str:
    runs = report.provenance.runs if report.provenance else None
    found = [] if runs is None else [d[: account.SHORT] for d in dict.fromkeys(runs.loc[runs["use"] == COUNTS, "data"])]
    return f", content digest {', '.join(found)}" if found else ""


def _commit(report: "Report") -> str:
    """The commits that trials ran at."""
    known = report.provenance.environments.values() if report.provenance else ()
    found = dict.fromkeys(
        e.git_commit[: account.SHORT] + ", with uncommitted changes" * bool(e.git_diff) for e in known if e.git_commit
    )
    return f" (git commit {'; '.join(found)})" if found else ""

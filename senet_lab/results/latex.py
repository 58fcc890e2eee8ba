r"""The table for a paper: booktabs, and each of its numbers as a macro.

`table.tex` has no \documentclass, so that a paper can \input it and arXiv does not take it for a paper of its own;
`table_alone.tex` is the document that shows it. What a reader needs (seeds, interval, test, correction, margin) is
in the caption, a sentence a line: what a paper says elsewhere can be cut.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from senet_lab.results import keys
from senet_lab.results.cells import MISSING, Row, Sheet
from senet_lab.results.tables import fold
from senet_lab.results.tex import escape


def bold(alpha: float) -> str:
    """What bold means where `best.best` was asked at `alpha`."""
    return (
        "Bold: the lowest mean error and every row that cannot be told from it "
        f"(paired t tests of all pairs of rows, Holm-adjusted, p < {f'{alpha:.2g}'.removeprefix('0')}; or its verdict)."
    )


COSTS = {"params": "Params", "macs": "Mult-adds"}


@dataclass(frozen=True)
class Layout:
    """What a table has room for; macros.tex and table.csv know the rest."""

    costs: tuple[str, ...]
    label: int
    """Letters of a label in a line."""


LAYOUTS = tuple(Layout(tuple(COSTS)[:n], label) for n, label in ((2, 24), (1, 24), (2, 16), (1, 16), (0, 24), (0, 16)))
LINES = 32
"""Of rows, that a page holds below a long caption."""
SIGNED = ("difference", "difference.low", "difference.high", "p")
"""Columns whose + - < stand in math."""
WIDTH = 40.8
"""Of a table, in em of its type: the narrow text of the standard classes, 345 pt. `_needed` is rather too much."""
NOTHING = "--"


def table(sheet: Sheet, sentences: Sequence[str], interval: str) -> str:
    """A table environment; `sentences` are its caption, `interval` is what those of the differences are called.

    Each row ends in a comment with its name, by which `senet-lab check` finds it again wherever it is pasted.
    """
    caption = "\n    ".join(map(_sentence, filter(None, sentences)))
    heads = (r"Test error (\%)", r"$\Delta$ (points)")
    over = " & ".join(rf"\multicolumn{{2}}{{c}}{{{head}}}" for head in heads)
    layout = _fitting(sheet)
    costs, first = layout.costs, len(layout.costs) + 3  # column of the error
    apart = "    \\addlinespace[2pt]\n" * any(len(line.label) > layout.label for line in sheet.rows)
    under = [
        "Row",
        *(COSTS[cost] for cost in costs),
        "$n$",
        "mean",
        escape("95 % CI"),
        "mean",
        escape(interval),
        "Verdict",
    ]
    lines = [
        f"% {sheet.command}",
        r"% Needs \usepackage{booktabs}. `senet-lab check paper.tex` says whether it still agrees with the store.",
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{%\n    {caption}}}",
        f"  \\label{{tab:{sheet.name}}}",
        r"  \smallskip\footnotesize\setlength{\tabcolsep}{3pt}%",
        rf"  \begin{{tabular}}{{@{{}}l{'r' * len(costs)}rr@{{ }}lr@{{ }}ll@{{}}}}",
        r"    \toprule",
        rf"    {'& ' * (first - 1)}{over} & \\",
        rf"    \cmidrule(lr){{{first}-{first + 1}}}\cmidrule(lr){{{first + 2}-{first + 3}}}",
        rf"    {' & '.join(under)} \\",
        r"    \midrule",
        f"\n{apart}".join(
            rf"    {' & '.join(row(line, layout))} \\ % {keys.MARK} {keys.name(sheet.name, line.label)}"
            for line in sheet.rows
        ),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _fitting(sheet: Sheet) -> Layout:
    """The first layout that fits a page, or what comes nearest to it."""

    def lines(known: Layout) -> int:
        return sum(fold(line.label, known.label).count("\n") + 1 for line in sheet.rows)

    narrow = [known for known in LAYOUTS if _needed(sheet, known) <= WIDTH] or [LAYOUTS[-1]]
    return next((known for known in narrow if lines(known) <= LINES), min(narrow, key=lines))


def _needed(sheet: Sheet, layout: Layout) -> float:
    """Em that a table takes, by Computer Modern's widths, with 6 pt between columns."""
    lines = [[*(COSTS[cost] for cost in layout.costs), "", "mean", "", "mean"] + [""] * 2]
    lines += [row(line, layout)[1:] for line in sheet.rows]
    columns = [max(map(_set, column)) for column in zip(*lines, strict=True)]
    return max(_em(line.label, layout) for line in sheet.rows) + sum(columns) + 0.7 * (len(layout.costs) + 5)


def _set(cell: str) -> float:
    """Em of a cell: a digit half of one, + and - three quarters, commas and brackets a quarter."""
    text = re.sub(r"[$\\{}]|textbf", "", cell)
    return sum(0.78 if c in "+-" else 0.3 if c in ",.[] " else 0.58 if "textbf" in cell else 0.5 for c in text)


def row(line: Row, layout: Layout) -> list[str]:
    """The cells of a row: label, costs, n, error and its interval, difference and its interval, verdict."""
    texts = line.texts
    error, difference = number(line, "error"), _math(number(line, "difference"))
    pairs = rf", $n={texts['difference.n']}$" if texts["difference.n"] not in (MISSING, "0", str(line.n)) else ""
    ends = [
        f"[{_math(number(line, f'{what}.low'))}, {_math(number(line, f'{what}.high'))}]"
        if texts[f"{what}.low"] != MISSING
        else ""
        for what in ("error", "difference")
    ]
    bold = rf"\textbf{{{error}}}" if line.best and error != NOTHING else error
    counts = [number(line, column) for column in (*layout.costs, "n")]
    return [_label(line.label, layout), *counts, bold, ends[0], difference, ends[1] + pairs, texts["verdict"]]


def macros(sheet: Sheet) -> str:
    r"""\senetlab{name} for every number of a table; a name that is not defined is an error of LaTeX.

    \detokenize takes a name as it is typed, whatever its characters mean in the paper (_, #, a babel shorthand).
    """
    lines = (f"{keys.DEFINE}{{{keys.escaped(name)}}}{{{text}}}" for name, text in numbers(sheet).items())
    return "\n".join([f"% {sheet.command}", COMMANDS, *lines]) + "\n"


def numbers(sheet: Sheet) -> dict[str, str]:
    """Name -> text of every fact and number of a table, as they stand in a paper."""
    found = {keys.name(sheet.name, fact): escape(text) for fact, text in sheet.facts.items()}
    for line in sheet.rows:
        found |= {keys.name(sheet.name, line.label, column): number(line, column) for column in line.texts}
    return found


def number(line: Row, column: str) -> str:
    """A cell as it stands in a paper."""
    text = line.texts[column]
    if text == MISSING:
        return NOTHING
    return rf"\ensuremath{{{text}}}" if text[0] in "+-<" and column in SIGNED else escape(text).replace(" ", "~")


def _math(text: str) -> str:
    """In a table, where it is shorter, too."""
    return re.sub(r"\\ensuremath\{(.*)\}", r"$\1$", text)


def _sentence(text: str) -> str:
    """Of a caption, with n and p in italics."""
    text = re.sub(r"\bp \$<\$ ([.\d]+\d)", r"$p < \1$", escape(text))
    return re.sub(r"^n: ", "$n$: ", text)


def setting(items: Mapping[str, str]) -> str:
    """What was trained, and on what; `items` as of `published.protocols.ours`."""
    kind, _, folder = items["data set"].partition(":")
    data = f"{kind} {folder.rstrip('/').rpartition('/')[2]}".strip()  # not where the folder lies on this machine
    said = {"": data} | {f"{name} ": items[name] for name in ("network", "epochs", "batch size", "learning rate")}
    return f"Setting: {', '.join(name + text for name, text in said.items())}."


def _label(text: str, layout: Layout) -> str:
    r"""In lines, where it is long; in braces, as \\ would take a [ or * that follows for its own."""
    if len(text) <= layout.label:
        return f"{{{escape(text)}}}" if text[0] in "[*" else escape(text)
    lines = r"\newline ".join(map(escape, fold(text, layout.label).split("\n")))
    return rf"\parbox[t]{{{_em(text, layout):.2f}em}}{{\raggedright {lines}\strut}}"


def _em(label: str, layout: Layout) -> float:
    """Room for a label in its lines."""
    return max(sum(map(_letter, line)) for line in fold(label, layout.label).split("\n"))


def _letter(c: str) -> float:
    if c.isascii():
        return 0.85 if c in "mwMW@%<>" else 0.53
    return 3.5 if escape(c).startswith("U+") else 1.0


COMMANDS = r"""% \senetlab{table:row:column} is that number: errors in percent, differences in points.
\providecommand\senetlabset[2]{\expandafter\gdef\csname senetlab@\detokenize{#1}\endcsname{#2}}
\providecommand\senetlab[1]{\ifcsname senetlab@\detokenize{#1}\endcsname
  \csname senetlab@\detokenize{#1}\expandafter\endcsname\else
  \PackageError{senet-lab}{\detokenize{#1} is no number of a table}{See macros.tex for those that there are.}\fi}"""

ALONE = r"""% pdflatex table_alone.tex shows table.tex by itself, with macros.tex at hand.
\documentclass{article}
\usepackage{booktabs}
\input{macros}
\begin{document}
\input{table}
\end{document}
"""

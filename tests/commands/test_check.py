"""A paper that says what the store says passes; one wrong digit anywhere does not."""

import re
from pathlib import Path

import pytest

from senet_lab.results import report
from tests.bad.case import answer

HEAD = "\\documentclass{article}\\input{macros}\\begin{document}\n"
WHOLE = "17,320 & 1,150,320 & 10 & 4.10 & [4.03, 4.17] & $-1.00$ & & better"
"""The cells of reduction=8, label left out."""
TABLE = "reduction_ratio+seeds-10"


@pytest.fixture
def paper(fill):
    """Writes a paper beside the report's table.tex and macros.tex, checks it, and gives (code, out, err)."""
    found = fill(seeds=10, without=("reduction=32 seed=0",))
    made = report.analyse(found.question, found.planned, found.records)
    Path("table.tex").write_text(made.latex())
    from senet_lab.results import latex

    Path("macros.tex").write_text(latex.macros(made.sheet()))

    def checked(text, *options):
        Path("paper.tex").write_text(HEAD + text)
        return answer(["check", "paper.tex", *options])

    return checked


def test_a_true_paper(paper):
    code, out, err = paper(f"It is \\senetlab{{{TABLE}:reduction=8:error}}\\,\\%.\n\\input{{table}}")
    assert (code, err) == (0, "")
    assert (
        f"paper.tex: {3 + 6 * 15 + 6 * 8 - 6} numbers compared, all are those of the store ({TABLE}); used 1 times"
        in out
    )
    assert f"note: {TABLE}: 1 of its 60 trials are missing in the store" in out


def test_other_results_are_found_wherever_they_stand(paper, fill):
    paper("")
    for folder in Path("runs/reduction_ratio").glob("*_seed-*"):
        (folder / "record.json").unlink()
    fill(seeds=10, more=1)
    code, out, err = paper("\\input{table}")
    assert code == 1 and "differ in" in err
    assert re.search(
        r"macros\.tex:\d+: reduction_ratio\+seeds-10:reduction=2:error: the paper says 3.43, the store 3.54", out
    )
    assert re.search(
        r"table\.tex:\d+: reduction_ratio\+seeds-10:reduction=2:error: the paper says 3.43, the store 3.54", out
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r"4.10\,\% % senet-lab: T:reduction=8:error", ""),
        (r"4.1 percent % senet-lab: T:reduction=8:error", ""),
        (r"$-1.00$ % senet-lab: T:reduction=8:difference", ""),
        (r"17.3k % senet-lab: T:reduction=8:params", ""),
        (r"from 9 to 10 % senet-lab: T:reduction=8:n", ""),
        (r"it is better % senet-lab: T:reduction=8:verdict", ""),
        (r"$p = .010$ % senet-lab: T:reduction=2:p", ""),
        (r"4.09 % senet-lab: T:reduction=8:error", "the paper says 4.09, the store 4.10"),
        (r"14.10 % senet-lab: T:reduction=8:error", "the paper says 14.10, the store 4.10"),
        (r"1.00 lower % senet-lab: T:reduction=8:difference", "the paper says 1.00, the store -1.00"),
        (r"it is worse % senet-lab: T:reduction=8:verdict", "the store better"),
        (r"none % senet-lab: T:reduction=8:error", "the paper says none, the store 4.10"),
        (r"5.0 % senet-lab: T:reduction=32:error", "the store 4.78, with 1 of 10 trials missing"),
        (r"4.10 % senet-lab: T:reduction=8:eror", "no such row or number; did you mean 'T:reduction=8:error'"),
        (r"4.10 % senet-lab: other:reduction=8:error", "does not say what the table is of"),
        (r"\senetlab{T:reduction=8:eror}", "no file defines it; did you mean 'T:reduction=8:error'"),
        (r"r=8 & \textbf{4.11} & [4.03, 4.17] & $-1.00$ \\ % senet-lab: T:reduction=8", "says 4.11, the store has"),
        (r"r=8 & \textbf{4.10} [4.03, 4.17] \\ % senet-lab: T:reduction=8", "4.10 in bold"),
        (rf"r=8 & {WHOLE} \\ % senet-lab: T:reduction=8", ""),
        (rf"r=8 & {WHOLE.replace(' 10 &', '')} \\ % senet-lab: T:reduction=8", ""),
        (
            rf"r=8 & {WHOLE.replace('4.10 &', '10 &')} \\ % senet-lab: T:reduction=8",
            "T:reduction=8:error: the paper says 10, the store 4.10",
        ),
        (
            rf"r=8 & {WHOLE.replace('10 & 4.10', '4.10 & 10')} \\ % senet-lab: T:reduction=8",
            "T:reduction=8:n: the paper says 4.10, the store 10",
        ),
        (r"r=8 & better & 4.10 & 10 \\ % senet-lab: T:reduction=8", ""),
        (r"x & 1 \\ % senet-lab: T:reduction=9", "did you mean 'T:reduction=8'"),
    ],
)
def test_lines_of_a_paper(paper, line, said):
    code, out, err = paper(line.replace("T:", f"{TABLE}:"))
    problems = [x for x in out.splitlines() if x.startswith("paper.tex:2: ")]
    assert (code, bool(problems)) == ((1, True) if said else (0, False)), (out, err)
    assert said.replace("T:", f"{TABLE}:") in out


def test_a_question_as_its_file_asks_it_needs_no_line_that_says_so(fill):
    fill(seeds=20)
    Path("paper.tex").write_text("4.11 % senet-lab: reduction_ratio:reduction=8:error\n")
    code, out, _ = answer(["check", "paper.tex"])
    assert code == 0 and "1 numbers compared" in out


CODE = "from pathlib import Path\nPath('ran').touch()\n"


def test_no_path_of_the_paper_is_opened(paper):
    Path("evil.py").write_text(CODE)
    code, _, err = paper("% senet-lab report ./evil.py\n2.77 % senet-lab: evil:a:error")
    assert code == 2 and "'./evil.py', which is not opened" in err and "code that would run" in err
    assert "paper.tex:2" in err and "--sweep evil.py" in err and not Path("ran").exists()
    code, _, err = paper("2.77 % senet-lab: evil:a:error")
    assert code == 1 and not Path("ran").exists()


def test_a_sweep_file_of_the_command_line_is(paper):
    Path("mine.py").write_text(
        '"""Mine?"""\nfrom senet_lab import Sweep, recipes\nSWEEP = Sweep(base=recipes.DIGITS, '
        'grid={"model.se.reduction": [2]}, controls=["no_se"], baseline="no_se", seeds=2, margin=0.01)\n'
    )
    line = "% senet-lab report there/mine.py\n2.77 % senet-lab: mine:no_se:error"
    code, out, _ = paper(line, "--sweep", "mine.py")
    assert code == 1 and "the paper says 2.77, the store nothing: none of the row's 2 trials is done" in out
    assert paper(line).code == 2


def test_nothing_to_check_is_an_error_that_says_how(fill):
    fill()
    Path("paper.tex").write_text("Nothing, 2.77 %.")
    code, _, err = answer(["check", "paper.tex"])
    assert code == 2 and "nothing to check" in err and "\\input{macros}" in err
    Path("paper.tex").write_text("2.77 % senet-lab: reduction_ratio:no_se:error")
    assert "there is no folder" in answer(["check", "paper.tex", "--store", "nowhere"]).err


@pytest.mark.parametrize("option", ["--store x", "--seedz 3"])
def test_a_line_that_no_report_wrote_is_refused_with_its_place(paper, option):
    code, _, err = paper(f"% senet-lab report reduction_ratio {option}\n\\input{{table}}")
    assert code == 2 and "paper.tex:2: " in err and "allowed: --recipe, --seeds, --set, --include-stale" in err


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("data.source=folder:secret", "data.source"),
        ("data.source=parquet:secret", "data.source"),
        ("model.weights=secret", "model.weights"),
        ('data=\'{"source": "folder:secret", "validation": 9}\'', "data.source"),
    ],
)
def test_settings_of_the_paper_open_nothing(paper, setting, key):
    """Neither listed nor read, whatever a .tex file from somebody else says."""
    Path("secret").mkdir()
    code, out, err = paper(f"% senet-lab report reduction_ratio --set {setting}\n2.77 % senet-lab: x:a:error")
    assert (code, out) == (2, "")
    assert f"the paper sets {key} to" in err and "not opened because of that" in err and "--sweep FILE" in err


def test_what_the_sweeps_own_file_opens_may_stand_in_the_paper_too(paper):
    Path("mine.py").write_text(
        '"""Mine?"""\nfrom senet_lab import Sweep, recipes\nfrom senet_lab.spec import apply\n'
        'BASE = apply(recipes.DIGITS, {"data.source": "folder:mine"})\n'
        'SWEEP = Sweep(base=BASE, grid={"model.se.reduction": [2]}, baseline="reduction=2", seeds=2, margin=0.01)\n'
    )
    line = "% senet-lab report mine.py --set data.source=folder:mine\n2.77 % senet-lab: mine:a:error"
    assert "'folder:mine': there is no folder" in paper(line, "--sweep", "mine.py").err

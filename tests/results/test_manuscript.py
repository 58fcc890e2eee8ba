"""What a paper says, read from its .tex files, as authors write them."""

import pytest

from senet_lab.errors import UserError
from senet_lab.results import manuscript


@pytest.fixture
def read(tmp_path):
    """The manuscript of files name -> text, the first being the paper; places are shown without the folder."""

    def written(**files):
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.tex"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = manuscript.read(tmp_path / f"{next(iter(files))}.tex")
        return found, [
            (c.place.removeprefix(f"{tmp_path}/"), c.kind, c.name, " ".join(c.text.split())) for c in found.claims
        ]

    return written


def test_definitions_and_uses(read):
    _, claims = read(
        paper="\\senetlabset{a:b=2:error}{2.77}\n\\providecommand\\senetlabset[2]{x}\nIs \\senetlab{a:b=2:n}."
    )
    assert claims == [("paper.tex:1", "number", "a:b=2:error", "2.77"), ("paper.tex:3", "use", "a:b=2:n", "")]


def test_names_and_texts_with_braces(read):
    _, claims = read(paper=r"\senetlabset{a:50\%\{x\}:difference}{\ensuremath{-0.64}}")
    assert claims == [("paper.tex:1", "number", "a:50%{x}:difference", r"\ensuremath{-0.64}")]


def test_inputs_are_followed_and_comments_are_not(read):
    found, claims = read(
        paper="\\input{parts/one} \\include{two}\n% \\input{three}\n\\input missing\n",
        parts__one="\\input{parts/four}\n\\input{paper}\\senetlab{one}",
        two="100\\% \\senetlab{two} % \\senetlab{no}",
        three="\\senetlab{three}",
        parts__four="\\senetlab{four}",
    )
    assert sorted(c[2] for c in claims) == ["four", "one", "two"]
    assert [(path.rpartition("/")[2], place.rpartition("/")[2]) for path, place in found.absent.items()] == [
        ("missing.tex", "paper.tex:3")
    ]


ROW = "r=2 & \\textbf{2.78} & $+0.34$"


@pytest.mark.parametrize(
    "text",
    [
        f"\\midrule\n{ROW} \\\\ % senet-lab: a:b=2",
        f"x & y \\\\\n{ROW} \\\\[2pt] % senet-lab: a:b=2",
        f"x & y \\\\ \\addlinespace[2pt]\n{ROW} \\\\\n% senet-lab: a:b=2",
        "\\midrule\nr=2 &\n  \\textbf{2.78} & % mine\n  $+0.34$ \\\\ % senet-lab: a:b=2",
        f"x & 1 \\\\ % senet-lab: a:b=1\n{ROW} \\\\ % senet-lab: a:b=2",
    ],
)
def test_pasted_rows(read, text):
    _, claims = read(paper=text)
    _, kind, name, row = claims[-1]
    assert (kind, name) == ("row", "a:b=2")
    assert manuscript.cells(row)[1:] == ["2.78", "+0.34"]
    assert [manuscript.bold(cell) for cell in row.split("&")] == [False, True, False]


def test_numbers_marked_by_hand_stand_in_their_line(read):
    _, claims = read(paper="From 2.44\nto 2.77\\,\\% % senet-lab: a:b=2:error\nof images")
    assert claims == [("paper.tex:2", "hand", "a:b=2:error", "to 2.77\\,\\%")]


def test_commands_say_what_a_table_is_of(read):
    found, _ = read(paper="% senet-lab report a --seeds 2\n%   senet-lab report b\nsenet-lab report c")
    assert [*found.commands] == ["senet-lab report a --seeds 2", "senet-lab report b"]


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\ensuremath{-0.64}", "-0.64"),
        ("$-$0.64", "-0.64"),
        (r"$+0.34$", "+0.34"),
        (r"\textbf{2.78}", "2.78"),
        (r"{\bfseries 2.78}", "2.78"),
        (r"28.1~M", "28.1 M"),
        (r"20{,}410", "20,410"),
        (r"2.77\,\%", "2.77 %"),
        (r"no\_se", "no_se"),
        ("[$-0.06$, $+0.74$]", "[-0.06, +0.74]"),
        ("--", "-"),
    ],
)
def test_plain_text(latex, text):
    assert manuscript.plain(latex) == text


def test_a_paper_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"nope.tex'?: No such file"):
        manuscript.read(tmp_path / "nope.tex")
    with pytest.raises(UserError, match="Is a directory"):
        manuscript.read(tmp_path)

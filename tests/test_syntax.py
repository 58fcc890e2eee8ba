"""Source as syntax: what changes a digest and what does not."""

import pytest

from senet_lab.syntax import definition_digest, source_digest

CODE = '''"""Old words."""
import math

def area(r: float) -> float:
    """Of a disc."""
    return math.pi * r ** 2  # Archimedes
'''


@pytest.mark.parametrize(
    "same",
    [
        CODE.replace("Old", "New"),
        CODE.replace('    """Of a disc."""\n', ""),
        CODE.replace("  # Archimedes", ""),
        CODE.replace("math.pi * r ** 2", "(\n        math.pi * (r**2)\n    )"),
        CODE.replace("import math\n", "import math\n\n\n"),
        "# licence\n" + CODE,
    ],
)
def test_words_and_layout_do_not_change_a_code_digest(same: str) -> None:
    assert same != CODE and source_digest(same) == source_digest(CODE)


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("** 2", "** 3"),
        CODE.replace("** 2", "** 2.0"),
        CODE.replace("* r", "+ r"),
        CODE.replace("math.pi * r ** 2", "(math.pi * r) ** 2"),
        CODE.replace("area", "disc"),
        CODE + "area = abs\n",
        CODE.replace("return", "x ="),
    ],
)
def test_code_changes_a_code_digest(other: str) -> None:
    assert source_digest(other) != source_digest(CODE)


def test_a_text_that_is_a_value_is_code() -> None:
    assert source_digest('x = "a"') != source_digest('x = "b"')
    assert source_digest('def f():\n    return "a"') != source_digest('def f():\n    return "b"')


OWN = '''"""A question."""
import torch
from senet_lab import SE, gate, squeeze
from senet_lab.blocks.squeeze import Average

EPS = 1e-6
LIMIT = 3


def soften(x):
    """Of values."""
    return x.clamp(min=EPS)


@squeeze("gem")
class GeM(torch.nn.Module):
    def forward(self, x):
        return soften(x).mean((2, 3))


class Wide(Average):
    def forward(self, x):
        return super().forward(x) * LIMIT


squeeze("wide")(Wide)


@gate("bent")
def bent(channels):
    return torch.nn.Hardtanh(-LIMIT, LIMIT)


SWEEP = SE(reduction=4)
'''
MARKS = [("squeeze", "gem"), ("squeeze", "wide"), ("gate", "bent")]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("1e-6", "1e-7", {"gem"}),
        ("min=EPS", "min=EPS + EPS", {"gem"}),
        ("mean((2, 3))", "mean((3, 2))", {"gem"}),
        ("LIMIT = 3", "LIMIT = 4", {"wide", "bent"}),
        ("forward(x) * LIMIT", "forward(x) + LIMIT", {"wide"}),
        ("import Average", "import Maximum as Average", {"wide"}),
        ("Hardtanh(-LIMIT", "Hardtanh(0", {"bent"}),
        ("reduction=4", "reduction=8", set()),
        ("A question.", "Another question.", set()),
        ("Of values.", "Of numbers.", set()),
        ("EPS = 1e-6", "EPS = 1e-6  # small", set()),
        ("LIMIT = 3", "LIMIT = 3\nNEVER_USED = 1", set()),
    ],
)
def test_an_operator_changes_with_what_it_uses_and_with_nothing_else(old: str, new: str, changed: set[str]) -> None:
    assert OWN.count(old) == 1
    edited = OWN.replace(old, new)
    found = {
        name
        for kind, name in MARKS
        if definition_digest(OWN, kind, name, str) != definition_digest(edited, kind, name, str)
    }
    assert found == changed


def test_a_module_of_this_package_that_an_operator_imports_from_counts() -> None:
    assert definition_digest(OWN, "squeeze", "wide", lambda name: "") != definition_digest(OWN, "squeeze", "wide", str)
    assert definition_digest(OWN, "squeeze", "gem", lambda name: "") == definition_digest(OWN, "squeeze", "gem", str)


def test_an_operator_that_is_marked_in_a_loop_changes_with_the_file_but_not_with_the_question() -> None:
    looped = OWN + "for power in (2, 3):\n    squeeze(f'gem{power}')(lambda: GeM(power))\n"
    before = definition_digest(looped, "squeeze", "gem2", str)
    assert definition_digest(looped.replace("reduction=4", "reduction=8"), "squeeze", "gem2", str) == before
    assert definition_digest(looped.replace("1e-6", "1e-7"), "squeeze", "gem2", str) != before


MARKED = """import torch
from senet_lab import squeeze
{before}

@squeeze("gem")
class GeM(torch.nn.Module):
    def forward(self, x):
        return {forward}

{after}
"""


@pytest.mark.parametrize(
    ("before", "forward", "after", "old", "new"),
    [
        ("P = {}\nP['gem'] = 3.0", "x ** P['gem']", "", "3.0", "4.0"),
        ("W = []\nW.append(2.0)", "x * W[0]", "", "2.0", "5.0"),
        ("", "x ** self.p", "GeM.p = 3", "= 3", "= 4"),
        ("try:\n    from fast import cube\nexcept ImportError:\n    def cube(x):\n        return x**3", "cube(x)", "",
         "x**3", "x**4"),
        ("if torch.cuda.is_available():\n    N = 1\nelse:\n    N = 2", "x * N", "", "N = 2", "N = 3"),
        ("for n in (1, 2):\n    TOP = n", "x * TOP", "", "(1, 2)", "(1, 3)"),
        ("torch.set_default_dtype(torch.float32)", "x", "", "float32", "float64"),
    ],
)  # fmt: skip
def test_what_is_done_at_the_top_of_a_file_counts(before: str, forward: str, after: str, old: str, new: str) -> None:
    text = MARKED.format(before=before, forward=forward, after=after)
    assert text.count(old) == 1
    assert definition_digest(text, "squeeze", "gem", str) != definition_digest(
        text.replace(old, new), "squeeze", "gem", str
    )


@pytest.mark.parametrize(
    ("imported", "used", "asked"),
    [
        ("from senet_lab.blocks.squeeze import Average", "Average()(x)", "blocks.squeeze"),
        ("from senet_lab.blocks import squeeze as sq", "sq.Average()(x)", "blocks.squeeze"),
        ("import senet_lab.blocks.squeeze as sq", "sq.Average()(x)", "blocks.squeeze"),
        ("", "__import__ and (lambda: 1)() and x", None),
    ],
)
def test_modules_of_this_package_are_asked_for_however_they_are_imported(
    imported: str, used: str, asked: str | None
) -> None:
    names: list[str] = []

    def note(name: str) -> str:
        names.append(name)
        return ""

    definition_digest(MARKED.format(before=imported, forward=used, after=""), "squeeze", "gem", note)
    assert (asked in names) if asked else (names == [])

"""Names of numbers, and the command that makes a table again: what is written can be read."""

from dataclasses import replace
from pathlib import Path

import pytest

from senet_lab import catalog
from senet_lab.errors import UserError
from senet_lab.results import keys


@pytest.mark.parametrize("text", ["a:b=2:error", "50%:{x}", r"a\{b", "100%\\"])
def test_a_name_survives_tex(text):
    assert keys.plain(keys.escaped(text)) == text


def test_a_command_says_what_was_changed_and_reads_back(make):
    question = replace(
        make.question(), changed=(("recipe", "cifar10"), ("seeds", "2"), ("data.source", "folder:my images"))
    )
    line = keys.command(question, stale=True)
    assert line == (
        "senet-lab report reduction_ratio.py --recipe cifar10 --seeds 2 --set 'data.source=folder:my images' "
        "--include-stale"
    )
    assert keys.asked(line) == keys.Asked("reduction_ratio.py", "cifar10", 2, ("data.source=folder:my images",), True)


def test_a_shipped_sweep_is_named_and_a_file_by_its_own_name_wherever_one_is(make, tmp_path, monkeypatch):
    assert keys.typed(catalog.read(catalog.find("stages"))) == "stages"
    monkeypatch.chdir(tmp_path)
    for path in (Path("there/mine.py"), tmp_path / "there" / "mine.py", Path("../mine.py")):
        assert keys.typed(replace(make.question(), path=path)) == "mine.py"
    assert keys.typed(replace(make.question(), path=tmp_path / "there" / "mine.py"), here=True) == "there/mine.py"


def test_no_line_of_a_command_leaves_its_comment(make):
    assert "\n" not in keys.command(replace(make.question(), changed=(("data.source", "folder:a\nb"),)))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("senet-lab report x --store y", "found '--store'; .*allowed: --recipe, --seeds, --set, --include-stale"),
        ("senet-lab report x --seed 2", "did you mean '--seeds'"),
        ("senet-lab report x --seeds two", "--seeds: found 'two'; it should be a whole number"),
        ("senet-lab report --seeds 2", "no sweep is named"),
        ("senet-lab report 'x", "copy the line"),
    ],
)
def test_other_commands_are_refused(line, said):
    with pytest.raises(UserError, match=said):
        keys.asked(line)

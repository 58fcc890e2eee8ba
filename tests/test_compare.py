"""`senet-lab compare` on a store of real trials: by label or value, classes told apart, as JSON and as prose."""

import json
import re
from collections.abc import Callable

import pytest

from senet_lab import sweep
from senet_lab.commands import compare
from senet_lab.errors import UserError
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory


@pytest.fixture
def done(ask: Callable[..., Inventory]) -> Inventory:
    """Three seeds of r = 2 and no SE, trained for two epochs."""
    found = ask(seeds=3)
    sweep.run(found, Local(), lambda step: None)
    return found.again()


def test_a_pair_in_full(done: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    compare.show(done, ("2", "no_se"), False, False)
    shown = capsys.readouterr().out
    for said in ("reduction=2 (a) against no_se (b)", "paired t test", "class by class", "McNemar", "On digits (891"):
        assert said in shown
    assert len(re.findall(r"^[0-9] +[0-9]{2} ", shown, flags=re.M)) == 10, "a line a digit"
    compare.show(done, ("no_se", "reduction=2"), False, True)
    told = json.loads(capsys.readouterr().out)
    assert (told["a"], told["difference"]["n"], len(told["classes"]), len(told["seeds"])) == ("no_se", 3, 10, 3)
    by_class = sum(c["images"] * c["difference"] for c in told["classes"]) / 891
    assert by_class == pytest.approx(told["difference"]["mean"]), "the classes add up to the whole"
    only = (told["images"]["only_a"] - told["images"]["only_b"]) / 891
    assert only == pytest.approx(told["difference"]["mean"]), "and so do the images"
    assert (told["family"]["of"], told["family"]["size"], told["family"]["verdict"]) == ("sweep", 1, told["verdict"])
    assert "Δ" not in shown.split("a - b")[0], "a pair has its difference below"
    compare.show(done, ("2", "no_se"), True, False)
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("2", "no_es"), "there is no row 'no_es'; did you mean 'no_se'? allowed: reduction=2, no_se"),
        (("2", "reduction=2"), "reduction=2 is compared to itself; give two rows"),
    ],
)
def test_rows_that_are_not_two(ask: Callable[..., Inventory], rows: tuple[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        compare.show(ask(), rows, False, False)

"""`senet-lab compare` on a store of real trials: by label or value, classes told apart, as JSON and as prose."""

import json
import re
from collections.abc import Callable

import pytest

from senet_lab import plan, store, sweep
from senet_lab.commands import compare
from senet_lab.errors import UserError
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from tests.results.conftest import make_record


@pytest.fixture
def done(ask: Callable[..., Inventory]) -> Inventory:
    """Three seeds of r = 2 and no SE, trained for two epochs."""
    found = ask(seeds=3)
    sweep.run(found, Local(), lambda step: None)
    return found.again()


def test_a_pair_in_full(done: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    compare.show(done, ("2", "no_se"), compare.Shown())
    shown = capsys.readouterr().out
    for said in ("reduction=2 (a) against no_se (b)", "paired t test", "class by class", "McNemar", "On digits (891"):
        assert said in shown
    assert len(re.findall(r"^[0-9] +[0-9]{2} ", shown, flags=re.M)) == 10, "a line a digit"
    compare.show(done, ("no_se", "reduction=2"), compare.Shown(as_json=True))
    told = json.loads(capsys.readouterr().out)
    assert (told["a"], told["difference"]["n"], len(told["classes"]), len(told["seeds"])) == ("no_se", 3, 10, 3)
    by_class = sum(c["images"] * c["difference"] for c in told["classes"]) / 891
    assert by_class == pytest.approx(told["difference"]["mean"]), "the classes add up to the whole"
    only = (told["images"]["only_a"] - told["images"]["only_b"]) / 891
    assert only == pytest.approx(told["difference"]["mean"]), "and so do the images"
    assert (told["family"]["of"], told["family"]["size"], told["family"]["verdict"]) == ("sweep", 1, told["verdict"])
    assert "Δ" not in shown.split("a - b")[0], "a pair has its difference below"
    compare.show(done, ("2", "no_se"), compare.Shown(prose_only=True))
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
        compare.show(ask(), rows, compare.Shown())


def _some(found: Inventory, *labels: str) -> Inventory:
    """`found`, with records of the rows in `labels` only."""
    for planned in found.planned:
        if planned.variant.label in labels:
            record = make_record(planned, 30 + 2 * planned.trial.seed, sweep="tiny", settings={})
            store.finish(found.store.open(planned), record)
    return found.again()


@pytest.mark.parametrize("how", [compare.Shown(), compare.Shown(as_json=True), compare.Shown(prose_only=True)])
def test_a_store_without_the_rows_is_refused(
    ask: Callable[..., Inventory], how: compare.Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"runs/tiny: no trial of this question is done; it holds none .*sweep tiny.py"):
        compare.show(ask(), ("2", "no_se"), how)
    said = r"no trial is done of no_se \(no_se: 2 missing\). to run what is missing: .*sweep tiny.py --store \S+/runs"
    with pytest.raises(UserError, match=said):
        compare.show(_some(ask(), "reduction=2"), ("2", "no_se"), how)
    assert capsys.readouterr().out == ""


def test_results_of_older_code_are_compared_where_asked(
    ask: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _some(ask(), "reduction=2", "no_se")
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    with pytest.raises(UserError, match="4 are of code that has changed since: --include-stale counts them"):
        compare.show(ask(), ("2", "no_se"), compare.Shown())
    compare.show(ask(), ("2", "no_se"), compare.Shown(include_stale=True, as_json=True))
    told = json.loads(capsys.readouterr().out)
    assert (told["stale"], told["until_decided"], told["difference"]["n"]) == (4, False, 2)
    assert told["sentence"].endswith("4 of these trials are of older code.")


def test_seeds_of_further_looks_are_compared_where_asked(
    ask: Callable[..., Inventory], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two seeds are asked for, the store has eight: the looks use more than the two."""
    _some(ask(seeds=8), "reduction=2", "no_se")
    counts = []
    for until_decided in (False, True):
        compare.show(ask(), ("2", "no_se"), compare.Shown(as_json=True, until_decided=until_decided))
        told = json.loads(capsys.readouterr().out)
        counts.append(told["difference"]["n"])
        assert ("unadjusted p values do not." in told["sentence"]) == told["until_decided"] == until_decided
    assert counts[0] == 2 < counts[1]


def test_more_seeds_than_asked_for_are_told_with_both_remedies(ask: Callable[..., Inventory]) -> None:
    from senet_lab.commands import report

    _some(ask(seeds=8), "no_se")
    said = report._beyond(ask())
    assert "up to 8 seeds" in said and "--seeds 8 reports them all, --until-decided by its looks" in said

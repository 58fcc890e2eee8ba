"""What is best of what was tried."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from senet_lab.candidates import Trials, shortlist
from tests.studies import SEARCHED, TUNED, asked, play


def searched(folder: Path, errors: Sequence[float], **options: object) -> Trials:
    """A search whose candidates come to `errors`, one after the other."""
    left = list(errors)
    known: dict[str, float] = {}

    def error(settings: object) -> float:
        return known.setdefault(str(settings), left[len(known)])

    (found,) = play(asked(folder, SEARCHED, trials=len(errors), batch=len(errors), **options), folder, error)
    return found


def test_the_lowest_error_is_best(tmp_path: Path) -> None:
    found = searched(tmp_path, [0.3, 0.1, 0.2, 0.4])
    assert [c.value("error") for c in found.best] == [0.1, 0.2, 0.3, 0.4]


def test_a_front_is_what_nothing_beats_in_all(tmp_path: Path) -> None:
    found = searched(tmp_path, [0.3, 0.1, 0.2, 0.4, 0.25, 0.35, 0.15, 0.5], objectives=["error", "params"])
    values = {(c.value("error"), c.value("params")) for c in found.eligible}
    front = {(c.value("error"), c.value("params")) for c in found.best}
    assert front == {
        v for v in values if not any(o != v and o[0] <= v[0] and o[1] <= v[1] for o in values)
    }  # by definition
    assert 1 < len(front) < len(values)
    errors = [c.value("error") for c in found.best]
    assert errors == sorted(errors)


def test_a_shortlist_keeps_both_ends_of_a_front(tmp_path: Path) -> None:
    question = asked(tmp_path, SEARCHED, trials=12, batch=12, objectives=["error", "params"], confirm=2)

    def error(settings: dict[str, object]) -> float:  # the more parameters, the lower
        return 0.1 * float(str(settings.get("model.se.reduction", 8)))

    (found,) = play(question, tmp_path, error)
    assert len(found.best) > 2
    assert shortlist(found) == (found.best[0], found.best[-1])


def test_over_a_limit_is_not_chosen_and_not_trained(tmp_path: Path) -> None:
    found = searched(tmp_path, [0.3, 0.1, 0.2, 0.4], limits={"params": 1050})
    assert {c.value("params") for c in found.eligible} <= {1000.0, 1025.0, 1050.0}
    over = [c for c in found.candidates if c.outcome == "over a limit"]
    assert over and all(c.record is None and c.value("params") > 1050 for c in over)
    assert found.count("done") == 4


def test_a_limit_on_the_error_is_known_only_afterwards(tmp_path: Path) -> None:
    found = searched(tmp_path, [0.3, 0.1, 0.2, 0.4], limits={"error": 0.25})
    assert found.count("done") == 4 and [c.value("error") for c in found.best] == [0.1, 0.2]


def test_failures_are_replaced(tmp_path: Path) -> None:
    rates: list[float] = []

    def error(settings: dict[str, float]) -> float:
        rates.append(settings["train.learning_rate"])
        return math.nan if len(rates) in (1, 2) else 0.2

    (row, control) = play(asked(tmp_path, TUNED, trials=4), tmp_path, error)
    assert (row.count("done"), row.count("failed")) in ((4, 1), (4, 2), (4, 0)) and row.finished
    assert control.count("done") == 4 and row.count("failed") + control.count("failed") == 2


def test_where_all_fail_it_ends_and_says_so(tmp_path: Path) -> None:
    for one in play(asked(tmp_path, TUNED, trials=2), tmp_path, lambda settings: math.nan):
        assert one.finished and not one.best and "candidates failed" in one.over


@pytest.mark.parametrize("objective", ["validation_error", "validation_loss"])
def test_ties_go_to_the_earlier_candidate(tmp_path: Path, objective: str) -> None:
    for one in play(asked(tmp_path, TUNED, trials=4, objective=objective), tmp_path, lambda settings: 0.2):
        assert one.best[0].number == 0

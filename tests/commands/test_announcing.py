"""What is said when a batch of candidates begins."""

from pathlib import Path

import pytest

from senet_lab.commands.choosing import announcement, whole
from senet_lab.commands.running import How
from senet_lab.forecast import Forecast
from tests.studies import SEARCHED, TUNED, asked, end, step, take


def test_a_candidate_that_failed_is_told_with_where_to_see_why(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=2)
    studies, due = step(take(question, tmp_path))
    found = take(question, tmp_path)
    assert announcement(found, studies) == "Candidates of 2 rows: 0 done, 4 to go, 4 of them now"
    end(found, due[0], None)
    for planned in due[1:]:
        end(found, planned, 0.1)
    studies, more = step(take(question, tmp_path))
    said = announcement(found, studies)
    assert said.startswith("Candidates of 2 rows: 3 done, 1 to go, 1 of them now; 1 failed and is replaced (why: ")
    assert f" show {due[0].id} --store {found.store.root})" in said
    end(found, more[0], None)
    assert "; 2 failed and are replaced (why: " in announcement(found, step(take(question, tmp_path))[0])


def test_a_search_has_no_rows(tmp_path: Path) -> None:
    question = asked(tmp_path, SEARCHED, trials=4)
    studies, _ = step(take(question, tmp_path))
    assert announcement(take(question, tmp_path), studies).startswith("Candidates: 0 done, 4 to go")


def how(**options: object) -> How:
    known = {"executor": "local", "address": None, "workers": 8, "cpus_per_trial": 1, "gpus_per_trial": None}
    known |= {"loaders": None, "rerun": (), "tracking_uri": None, "reports": Path("reports")}
    return How(**{**known, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "left"), [(TUNED, 3 + 4), (SEARCHED, 1 + 3 * 2)])
def test_the_time_of_all_that_is_left_is_told_once_some_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, left: int
) -> None:
    question = asked(tmp_path, text, trials=2, **({"confirm": 2} if text is SEARCHED else {}))
    _, due = step(take(question, tmp_path))
    said = whole(take(question, tmp_path), how())
    assert said.startswith("How long all takes is told once some are done, or by: ") and " plan " in said
    end(take(question, tmp_path), due[0], 0.1)
    found, seen = take(question, tmp_path), list[tuple[int, int]]()

    def forecast(needs: list[object], _: object, places: int, *rest: object) -> Forecast:
        seen.append((len(needs), places))
        return Forecast(480.0, 300.0, 720.0, places, {}, False)

    monkeypatch.setattr("senet_lab.expected.forecast", forecast)
    assert whole(found, how()) == ("All that is left, fresh seeds too, will take about 8 min (5 min to 12 min: 95 %)")
    assert seen == [(left, 1)], "the local executor has one place"
    assert whole(found, how(address="auto")) == ""

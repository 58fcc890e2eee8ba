"""What is said when a batch of candidates begins."""

from pathlib import Path

from senet_lab.commands.choosing import announcement
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

"""Studies in the store: what they asked for stays, what came of it is in the records, and what chose is not told."""

import itertools
import json
from pathlib import Path

import pytest

from senet_lab import selection
from senet_lab.errors import UserError
from senet_lab.spec import SELECTION_SEED
from senet_lab.tuning import asking
from tests.studies import DECAY, RATE, SEARCHED, TUNED, asked, end, play, step, take


def by_rate(settings: dict[str, float]) -> float:
    """Best near 0.1."""
    return abs(settings[RATE] - 0.1)


def test_what_is_chosen_becomes_the_rows(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=4)
    studies = play(question, tmp_path, by_rate)
    found = selection.confirmed(take(question, tmp_path))
    assert [row.label for row in found.question.rows] == ["reduction=2", "no_se"]
    for row, one in zip(found.question.rows, studies, strict=True):
        best = min(one.candidates, key=lambda c: by_rate(dict(c.planned.variant.tuned)))
        assert row.tuned == best.planned.variant.tuned and row.trial.train.learning_rate == row.tuned[RATE]
        assert row.asked == one.row.trial and row.trial.seed == 0
    assert {t.trial.seed for t in found.planned} == {0, 1} and found.plan.counts() == {"missing": 4}


def test_nothing_is_told_before_the_last_candidate_is_done(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=4)
    found = take(question, tmp_path)
    _, due = step(found)
    for planned in due[:-1]:
        end(found, planned, 0.1)
    with pytest.raises(UserError, match=r"not known yet.*7 of 8 candidates are trained \(no_se wants 1 more\)"):
        selection.confirmed(take(question, tmp_path))
    with pytest.raises(UserError, match=r"0 of 4 candidates are trained \(4 more\)"):  # a search has no rows
        selection.confirmed(take(asked(tmp_path, SEARCHED, trials=4), tmp_path))


def test_candidates_are_all_rows_before_the_next_number(tmp_path: Path) -> None:
    _, due = step(take(asked(tmp_path, TUNED, trials=3), tmp_path))
    assert [(t.variant.label, t.variant.candidate) for t in due] == [
        (label, number) for number in range(3) for label in ("reduction=2", "no_se")
    ]
    assert {t.trial.seed for t in due} == {SELECTION_SEED}


def test_more_trials_go_on_with_the_same_study(tmp_path: Path) -> None:
    first = play(asked(tmp_path, TUNED, trials=3), tmp_path, by_rate)
    more = play(asked(tmp_path, TUNED, trials=5), tmp_path, by_rate)
    assert [c.planned.id for c in more[0].candidates[:3]] == [c.planned.id for c in first[0].candidates]
    assert len(more[0].candidates) == 5
    fewer = selection.read(take(asked(tmp_path, TUNED, trials=3), tmp_path))
    assert [c.planned.id for c in fewer[0].best] == [c.planned.id for c in first[0].best]


def test_another_space_is_another_study(tmp_path: Path) -> None:
    play(asked(tmp_path, TUNED, trials=3), tmp_path, by_rate)
    other = selection.read(take(asked(tmp_path, TUNED, trials=3, sampler_seed=1), tmp_path))
    assert all(not one.candidates for one in other)


def test_a_damaged_file_of_a_study_asks_the_same_again(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=4)
    before = play(question, tmp_path, by_rate)
    for path in (tmp_path / "runs" / "studied" / "studies").iterdir():
        facts = json.loads(path.read_text())
        facts["asked"][0]["chosen"][DECAY] = 0.5
        path.write_text(json.dumps(facts))
    found = take(question, tmp_path)
    assert all(not one.candidates for one in selection.read(found))
    after, due = step(found)
    assert due == () and [c.planned.id for c in after[0].candidates] == [c.planned.id for c in before[0].candidates]


def test_a_configuration_that_comes_again_is_not_trained_again(tmp_path: Path) -> None:
    space = "space={'model.se': Choice(options={'off': None, 'on': {}})}"
    text = SEARCHED.replace("{search},", "{search},").split("space={{")[0] + space.replace("{", "{{").replace("}", "}}")
    (one,) = play(asked(tmp_path, text + ", {search})", trials=5, sampler="random"), tmp_path, lambda settings: 0.1)
    assert one.count("done") == 2 and one.count("repeated") > 0 and one.finished
    assert "none was new" in one.exhausted


def test_a_network_is_looked_at_once(tmp_path: Path) -> None:
    """Latencies differ whenever they are taken: recipes of one network would be told apart by luck."""
    looks = itertools.count()
    found = take(asked(tmp_path, SEARCHED, trials=12, batch=12, sampler="random"), tmp_path)
    (study,) = selection.read(found)
    study = asking.ask(found, study, lambda planned: {"params": 1.0, "macs": 1.0, "latency": float(next(looks))})
    taken: dict[str, set[float]] = {}
    for one in study.candidates:
        taken.setdefault(one.planned.trial.model.model_dump_json(), set()).add(one.costs["latency"])
    assert len(taken) < 12 and {len(latencies) for latencies in taken.values()} == {1}
    assert len({c.planned.trial.train.learning_rate for c in study.candidates}) == 12


def test_the_best_of_a_search_stand_beside_its_base(tmp_path: Path) -> None:
    question = asked(tmp_path, SEARCHED, trials=6, batch=3, confirm=2)
    (study,) = play(question, tmp_path, by_rate)
    found = selection.confirmed(take(question, tmp_path))
    labels = [f"candidate {c.number}" for c in study.best[:2]]
    assert [row.label for row in found.question.rows] == ["base", *labels]
    assert found.plan.counts() == {"missing": 6} and {t.trial.seed for t in found.planned} == {0, 1}
    assert found.question.rows[1].trial.train.learning_rate == study.best[0].chosen[RATE]


def test_everything_that_is_asked_for_is_known_to_who_shows_it(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=2)
    play(question, tmp_path, by_rate)
    ids = [t.trial.seed for t in selection.everything(selection.confirmed(take(question, tmp_path)))]
    assert sorted(ids) == [0, 0, 1, 1, *[SELECTION_SEED] * 4]


def test_a_smaller_budget_leaves_out_what_was_asked_for_beyond_it(tmp_path: Path) -> None:
    step(take(asked(tmp_path, TUNED, trials=9), tmp_path))  # and killed
    question = asked(tmp_path, TUNED, trials=2)
    studies, due = step(take(question, tmp_path))
    assert len(due) == 4 and all(one.left == 2 and len(one.candidates) == 9 for one in studies)
    assert all(one.finished for one in play(question, tmp_path, by_rate))


def test_other_limits_are_another_study(tmp_path: Path) -> None:
    """What was over the old ones would all be due at once."""
    (first,) = play(asked(tmp_path, SEARCHED, trials=2, limits={"params": 10}), tmp_path, by_rate)
    assert first.exhausted and not first.best
    (second,) = play(asked(tmp_path, SEARCHED, trials=2, limits={"params": 5000}), tmp_path, by_rate)
    assert second.count("done") == 2 and not second.over


def test_rows_of_unequal_budgets_are_not_compared(tmp_path: Path) -> None:
    def error(settings: dict[str, float]) -> float:
        return float("nan") if settings.get("model.se.reduction") == 2 and settings[RATE] < 0.9 else 0.2

    question = asked(tmp_path, TUNED, trials=3)
    row, control = play(question, tmp_path, error)
    assert row.over and row.count("done") < 3 == control.count("done")
    with pytest.raises(UserError, match=r"reduction=2 has \d candidates .* others 3 .*unequal budgets"):
        selection.confirmed(take(question, tmp_path))
    found = take(question, tmp_path)
    assert selection.settled(found) is found


def test_a_new_option_at_its_default_changes_no_study(tmp_path: Path) -> None:
    """Its name is made of what differs from defaults: this is the literal one of the first version."""
    (row, _) = selection.read(take(asked(tmp_path, TUNED, trials=3), tmp_path))
    assert row.name == selection.read(take(asked(tmp_path, TUNED, trials=3, batch=3), tmp_path))[0].name


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"params": 10}, r"no candidate of 200 is within all limits \(params at most 10, the lowest was 1,000\)"),
        ({"error": 0.01, "params": 5000}, r"\(error at most 0.01, the lowest was 0.3; params .*1,000\); raise them"),
    ],
)
def test_limits_that_nothing_is_within_are_told(tmp_path: Path, limits: dict[str, float], words: str) -> None:
    question = asked(tmp_path, SEARCHED, trials=3, batch=3, limits=limits)
    play(question, tmp_path, lambda settings: 0.3)
    with pytest.raises(UserError, match=words):
        selection.confirmed(take(question, tmp_path))

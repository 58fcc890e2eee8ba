"""Optuna's part: the same candidates whatever happens between, budgets that are kept, and its storage."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from senet_lab import outlook, selection
from senet_lab.candidates import Trials
from senet_lab.errors import SpecError
from senet_lab.sweep import cost
from senet_lab.tuning import asking, importance, storage
from tests.bad.case import CANARY
from tests.studies import DECAY, RATE, SEARCHED, TUNED, asked, end, play, step, take
from tests.tracking.servers import postgres

SAMPLERS = ["random", "tpe", "cmaes", pytest.param("gp", marks=pytest.mark.long), "nsga2"]


def valley(settings: Mapping[str, Any]) -> float:
    """Best at a rate of 0.1, whatever else is chosen; between 0 and 1."""
    return min(1.0, abs(math.log10(settings[RATE]) + 1))


def chosen(found: Trials) -> list[Mapping[str, Any]]:
    return [c.chosen for c in found.candidates]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_interrupted_study_goes_on_as_if_nothing_had_been(tmp_path: Path, sampler: str) -> None:
    options = {"trials": 9, "batch": 3, "sampler": sampler}
    at_once, in_parts = tmp_path / "at_once", tmp_path / "in_parts"
    for folder in (at_once, in_parts):
        folder.mkdir()
    (whole,) = play(asked(at_once, SEARCHED, **options), at_once, valley)
    question = asked(in_parts, SEARCHED, **options)
    for _ in range(3):
        found = take(question, in_parts)
        if not (due := step(found)[1]):
            break
        end(found, due[0], valley(due[0].variant.settings))  # the others were cut off
        for planned in reversed(step(take(question, in_parts))[1]):
            end(found, planned, valley(planned.variant.settings))
    (parts,) = selection.read(take(question, in_parts))
    assert chosen(parts) == chosen(whole) and whole.finished and parts.finished
    assert whole.count("done") == 9


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsga2"])
def test_a_sampler_learns_from_what_came_of_its_candidates(tmp_path: Path, sampler: str) -> None:
    """Were it told nothing, or of the wrong candidates, it would be near the bottom no more often than chance."""
    text = SEARCHED.split("space={{")[0] + (
        'space={{key: Float(low=1e-6, high=1.0, log=True) for key in ("train.learning_rate", "train.weight_decay")}},'
        "{search})"
    ).replace("high=1.0", "high=0.9")

    def bowl(settings: Mapping[str, Any]) -> float:
        return sum(abs(math.log10(settings[key]) + 2) / 10 for key in (RATE, DECAY))

    (found,) = play(asked(tmp_path, text, trials=100, batch=10, sampler=sampler), tmp_path, bowl)
    values = [bowl(c.chosen) for c in found.candidates]
    assert statistics.median(values[70:]) < 0.8 * statistics.median(values[:30])


def test_rows_are_tried_with_the_same_candidates(tmp_path: Path) -> None:
    row, control = play(asked(tmp_path, TUNED, trials=5), tmp_path, valley)
    assert chosen(row) == chosen(control) and len({c[RATE] for c in chosen(row)}) == 5


def test_another_seed_of_the_sampler_draws_others(tmp_path: Path) -> None:
    (a, _), (b, _) = (step(take(asked(tmp_path, TUNED, trials=2, sampler_seed=n), tmp_path))[0] for n in (0, 1))
    assert chosen(a) != chosen(b)


def test_a_grid_is_crossed_once(tmp_path: Path) -> None:
    text = SEARCHED.split("space={{")[0] + (
        'space={{"model.se.reduction": Choice(options=[1, 2]), "train.epochs": Int(low=1, high=3)}}, {search})'
    )
    (found,) = play(asked(tmp_path, text, trials=20, sampler="grid"), tmp_path, lambda settings: 0.1)
    assert [tuple(c.values()) for c in chosen(found)] == [(r, e) for r in ("1", "2") for e in (1, 2, 3)]
    assert found.finished and found.exhausted == "the grid has no more"


def test_a_grid_that_the_budget_cuts_off_is_refused(tmp_path: Path) -> None:
    """Its first cells are a corner of it."""
    text = SEARCHED.split("space={{")[0] + 'space={{"train.epochs": Int(low=1, high=9)}}, {search})'
    with pytest.raises(SpecError, match="the grid has 9 candidates; set trials=9"):
        asked(tmp_path, text, trials=4, sampler="grid")


def test_the_next_batch_waits_for_the_last_one(tmp_path: Path) -> None:
    question = asked(tmp_path, SEARCHED, trials=6, batch=3)
    _, due = step(take(question, tmp_path))
    end(take(question, tmp_path), due[0], 0.2)
    (study,), left = step(take(question, tmp_path))
    assert left == due[1:] and len(study.candidates) == 3


def test_what_matters_is_told(tmp_path: Path) -> None:
    question = asked(tmp_path, SEARCHED, trials=40, batch=40, sampler="random", objectives=["error", "params"])
    (found,) = play(question, tmp_path, valley)
    told = {(x["objective"], x["method"], x["setting"]): x["importance"] for x in importance.importances(found)}
    assert told["error", "PED-ANOVA", RATE] > 0.8 and told["error", "fANOVA", RATE] > 0.8
    assert told["params", "PED-ANOVA", RATE] < 0.3
    assert ("error", "PED-ANOVA", "model.se.reduction") in told  # a conditional one
    assert ("error", "fANOVA", "model.se.reduction") in told and ("error", "fANOVA", "model.se") not in told
    assert sum(v for k, v in told.items() if k[:2] == ("error", "fANOVA")) == pytest.approx(1)


def test_what_was_asked_for_again_counts_once(tmp_path: Path) -> None:
    """A sampler that comes back to one candidate would make what that one has look like what matters."""
    question = asked(tmp_path, SEARCHED, trials=30, batch=30, sampler="random")
    (found,) = play(question, tmp_path, valley)
    again = tuple(replace(found.candidates[0], number=30 + i, outcome="repeated") for i in range(40))
    more = replace(found, candidates=(*found.candidates, *again))
    assert importance.importances(more) == importance.importances(found) != []


def test_too_few_tell_nothing(tmp_path: Path) -> None:
    """Of nineteen the best tenth is a single one."""
    (found,) = play(asked(tmp_path, SEARCHED, trials=19, batch=19, sampler="random"), tmp_path, valley)
    assert found.count("done") == 19 and importance.importances(found) == []


def test_the_storage_is_brought_up_to_date_and_no_further(tmp_path: Path) -> None:
    question, url = asked(tmp_path, SEARCHED, trials=6, batch=3), f"sqlite:///{tmp_path / 'optuna.db'}"
    for batches in (1, 1, 0):
        studies = play(question, tmp_path, valley, batches)
        assert storage.project(studies, "mine", url) == ""
        kept = optuna.load_study(study_name=storage.name("mine", studies[0]), storage=url)
        ended = [c for c in studies[0].candidates if c.outcome != "not yet"]
        assert [t.params for t in kept.trials] == [dict(c.chosen) for c in ended]
        assert [t.values[0] for t in kept.trials] == [c.value("error") for c in ended]
    assert kept.best_params == dict(studies[0].best[0].chosen)
    assert kept.trials[0].intermediate_values[1] == pytest.approx(kept.trials[0].values[0] + 0.1)


def test_a_study_of_another_sampler_is_another_one_in_the_storage(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    for seed in (0, 1):
        studies = play(asked(tmp_path, SEARCHED, trials=3, batch=3, sampler_seed=seed), tmp_path, valley)
        storage.project(studies, "mine", url)
    kept = optuna.load_study(study_name=storage.name("mine", studies[0]), storage=url)
    assert [t.user_attrs["trial"] for t in kept.trials] == [c.planned.id for c in studies[0].candidates]
    assert len(optuna.get_all_study_names(url)) == 2


def test_candidates_that_end_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    question, url = asked(tmp_path, SEARCHED, trials=3, batch=3), f"sqlite:///{tmp_path / 'optuna.db'}"
    _, due = step(take(question, tmp_path))
    for planned in reversed(due):
        end(take(question, tmp_path), planned, 0.2)
        studies = selection.read(take(question, tmp_path))
        storage.project(studies, "mine", url)
    kept = optuna.load_study(study_name=storage.name("mine", studies[0]), storage=url)
    assert [t.user_attrs["trial"] for t in kept.trials] == [t.id for t in due]


@pytest.mark.slow
def test_a_team_has_its_studies_on_postgresql(tmp_path: Path) -> None:
    studies = play(asked(tmp_path, TUNED, trials=3), tmp_path, valley)
    with postgres() as database:
        database.create("studies")
        url = database.uri("studies")
        assert storage.project(studies, "ours", url) == "" == storage.project(studies, "ours", url)
        there = optuna.storages.RDBStorage(url)
        kept = optuna.load_study(study_name=storage.name("ours", studies[1]), storage=there)
        assert len(kept.trials) == 3 and kept.best_value == studies[1].best[0].value("validation_error")
        there.remove_session()
        there.engine.dispose()
        refused = storage.project(studies, "ours", database.uri("studies", password=f"not-{CANARY}"))
        assert "OperationalError" in refused and CANARY not in refused


def test_a_storage_that_cannot_be_reached_costs_a_sentence(tmp_path: Path) -> None:
    studies = play(asked(tmp_path, SEARCHED, trials=3, batch=3), tmp_path, valley)
    told = storage.project(studies, "mine", f"sqlite:///{tmp_path}/no/such/folder/optuna.db")
    assert "OperationalError" in told and "\n" not in told


def test_a_forecast_knows_what_a_space_holds(tmp_path: Path) -> None:
    (study,) = selection.read(take(asked(tmp_path, SEARCHED, trials=6), tmp_path))
    drawn = asking.at_random(study, lambda _: True)
    assert {trial.model.se is None for trial in drawn} == {True, False} and len(drawn) == 16
    assert {t.model.se is None for t in asking.at_random(study, lambda trial: trial.model.se is None)} == {True}
    assert asking.at_random(study, lambda _: False) == []


def test_a_forecast_is_of_networks_within_the_limits(tmp_path: Path) -> None:
    plain = take(asked(tmp_path, SEARCHED, trials=6), tmp_path)
    least = min(cost(row.trial, plain.data_dir).params for row in outlook._likely(plain, *selection.read(plain)))
    limited = take(asked(tmp_path, SEARCHED, trials=6, limits={"params": least}), tmp_path)
    drawn = [row.trial for row in outlook._likely(limited, *selection.read(limited))]
    assert {cost(t, plain.data_dir).params for t in drawn} == {least} and {t.model.se for t in drawn} == {None}


def test_a_forecast_draws_what_is_tuned_too(tmp_path: Path) -> None:
    text = TUNED.replace(
        '"train.weight_decay": Float(low=1e-5, high=1e-2, log=True)', '"train.epochs": Int(low=1, high=9)'
    )
    found = take(asked(tmp_path, text, trials=5), tmp_path)
    due = outlook.look(found, "", workers=1, probe_seconds=0).due
    epochs = Counter(t.variant.trial.train.epochs for t in outlook._due(found, selection.read(found)))
    assert due == epochs.total() == 2 * (5 + 2) and len(epochs) > 3


def test_candidates_are_no_hidden_trials(tmp_path: Path) -> None:
    question = asked(tmp_path, TUNED, trials=3)
    play(question, tmp_path, valley)
    for now in (question, asked(tmp_path, TUNED, trials=4)):  # all is chosen; one more is wanted
        told = outlook.look(take(now, tmp_path), "", workers=1, probe_seconds=0)
        assert "hidden" not in dict(told.notes)

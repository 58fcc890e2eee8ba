"""What the time that is told goes by."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from senet_lab import expected, store, sweep
from senet_lab.executors.local import Local
from senet_lab.expected import DRIFT, MOST_LOST, Expected, by_done_trials, by_probe, work
from senet_lab.forecast import Forecast
from senet_lab.inventory import Inventory
from senet_lab.records import Sitting
from senet_lab.training.begin import begin
from senet_lab.training.train import train
from tests.conftest import TINY

Ask = Callable[..., Inventory]


def took(found: Inventory, *seconds: float) -> Inventory:
    """`found` as if its trials had taken so long, one after another."""
    records, clock = [], 0.0
    for record, s in zip(found.records, seconds, strict=True):
        records.append(record.model_copy(update={"seconds": s, "started_at": clock, "ended_at": clock + s}))
        clock += s
    return replace(found, records=tuple(records))


def test_done_trials_tell_the_time_of_those_that_are_left(ask: Ask) -> None:
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    found = took(ask(seeds=22), 50.0, 70.0, 50.0, 70.0)
    told = by_done_trials(found, found.plan.to_run(), 4)
    assert told is not None and told.basis == 4 and told.source == "done trials"
    assert told.forecast.seconds == pytest.approx(40 * 60 / 4)  # both rows take 60 s on average
    assert told.forecast.low < told.forecast.seconds < told.forecast.high


def test_trials_of_other_settings_count_by_their_work(ask: Ask) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    longer = TINY.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 40})})
    found = took(ask(seeds=1, base=longer), 10.0, 10.0)
    told = by_done_trials(found, found.plan.to_run(), 1)
    macs = found.records[0].macs
    assert told is not None and macs
    ratio = work(longer, macs, found) / work(TINY, macs, found)
    assert 12 < ratio < 20 and told.forecast.seconds == pytest.approx(20 * ratio, rel=1e-3)


def test_trials_that_ran_as_the_next_ones_will_tell_their_time(ask: Ask) -> None:
    """Shares of a group's time: a slot runs a group after the other, which is a trial's share after the other."""
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    found = took(ask(seeds=22), 50.0, 10.0, 50.0, 10.0)  # row by row
    mixed = tuple(r.model_copy(update={"together": t}) for r, t in zip(found.records, (1, 8, 1, 8), strict=True))
    found = replace(found, records=mixed)
    due = found.plan.to_run()
    alone, grouped, whichever = (
        by_done_trials(found, due, 2, choice) for choice in (lambda trial: False, lambda trial: True, None)
    )
    assert alone and grouped and whichever
    seconds = [told.forecast.seconds for told in (alone, grouped, whichever)]
    assert seconds == [pytest.approx(40 * each / 2) for each in (50.0, 10.0, 30.0)]


def test_with_one_way_known_it_tells_the_time_of_the_other(ask: Ask) -> None:
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    found = took(ask(seeds=4), 10.0, 10.0, 10.0, 10.0)
    told = by_done_trials(found, found.plan.to_run(), 1, lambda trial: True)
    assert told is not None and told.forecast.seconds == pytest.approx(40.0)


def test_nothing_done_tells_nothing(ask: Ask) -> None:
    found = ask()
    assert by_done_trials(found, found.plan.to_run(), 2) is None


def test_an_interrupted_trial_costs_its_rest(ask: Ask) -> None:
    longer = TINY.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 4})})
    found = ask(base=longer, seeds=1)
    learner, parts = begin(found.planned[0].trial, expected.torch.device("cpu"))
    for metrics in train(found.planned[0].trial, learner, parts):
        if metrics.epoch == 3:
            break
    store.save_state(found.store.open(found.planned[0]), learner.to_bytes())
    found = ask(base=longer, seeds=1)
    needs = expected._needs(found, found.plan.to_run())
    assert [n.share for n in needs] == [0.25, 1.0]


def test_sittings_begin_after_a_pause_and_their_differences_widen_the_interval(ask: Ask) -> None:
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    near = took(ask(seeds=12), 10.0, 10.0, 10.0, 10.0)
    later = [r.model_copy(update={"started_at": 1e6, "ended_at": 1e6, "seconds": 40.0}) for r in near.records[1::2]]
    apart = replace(near, records=(*near.records[::2], *later))
    assert expected._sittings([near.records]) == [[1.0] * 4]
    assert expected._sittings([apart.records]) == [[0.4, 0.4], [1.6, 1.6]]
    told = [by_done_trials(found, found.plan.to_run(), 1) for found in (near, apart)]
    spans = [e.forecast.high / e.forecast.low for e in told if e is not None]
    assert spans[0] == pytest.approx(1.22, abs=0.02) and spans[1] > 4  # exp(2 x 1.96 x .05)


def test_what_the_command_took_beside_its_trials_is_told_apart(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four trials on two cores took 10 s each, with 8 s of the command's: without it 6 s each, and 8 s once more."""
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    found = took(ask(seeds=22), 10.0, 10.0, 10.0, 10.0)
    due = found.plan.to_run()
    known = {"number": 1, "began_at": 0.0, "trials": 4, "ended": 4, "running_seconds": 10.0, "driver_seconds": 8.0}
    monkeypatch.setattr(expected, "cores", lambda: 2)

    def seconds(slots: int | None, at_once: int = 2) -> float:
        found.store.save_sitting(Sitting.model_validate(known | {"slots": slots}))
        told = by_done_trials(found, due, at_once)
        assert told is not None
        return told.forecast.seconds

    assert seconds(2) == pytest.approx(40 * 6 / 2 + 8 / 2)
    assert seconds(1, at_once=1) == pytest.approx(40 * 10), "a core was free, and will be"
    monkeypatch.setattr(expected, "cores", lambda: 1)
    assert seconds(1, at_once=1) == pytest.approx(40 * 10), "it may be the command's own process"
    monkeypatch.setattr(expected, "cores", lambda: 2)
    assert seconds(None) == pytest.approx(40 * 10 / 2 + 8 / 2), "nothing is known of a cluster's cores"
    known["running_seconds"] = 5.0
    assert seconds(2) == pytest.approx(40 * 10 * (1 - MOST_LOST) / 2 + 8 / 2)


def test_the_command_takes_of_the_sitting_that_is_most_alike(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    found = took(ask(seeds=22), 10.0, 10.0, 10.0, 10.0)
    monkeypatch.setattr(expected, "cores", lambda: 2)
    for number, trials, driver in ((7, 4, 4.0), (8, 50, 5.0), (9, 5000, 60.0), (10, 40, 0.0)):
        sitting = {"number": number, "began_at": 0.0, "trials": trials, "driver_seconds": driver}
        found.store.save_sitting(Sitting.model_validate(sitting | {"running_seconds": 1.0, "slots": 2}))
    told = by_done_trials(found, found.plan.to_run(), 2)
    assert told is not None and told.forecast.seconds == pytest.approx(200 + 5 / 2)


def test_the_sentence_says_what_it_goes_by() -> None:
    told = Forecast(600.0, 500.0, 720.0, 2, {}, False)
    assert Expected(told, "done trials", 24, 0).sentence == (
        "about 10 min (8 min to 12 min: 95 %, if the machine is as busy as then) on 2 slots, "
        "by 24 trials that are done; "
        "to start and to report take some seconds more"
    )
    assert "by a probe of 3 of 16 networks" in Expected(told, "probe", 3, 16).sentence
    assert "by a probe of all 6 networks" in Expected(told, "probe", 6, 6).sentence
    assert "by a probe of the network;" in Expected(told, "probe", 1, 1).sentence
    guess = Expected(replace(told, assumed=True), "done trials", 1, 0).sentence
    assert "by the one trial that is done; so few tell no spread, a factor of 2 either way is assumed" in guess


@pytest.mark.slow
def test_a_probe_tells_the_time_that_trials_take(ask: Ask) -> None:
    """Within a factor of 3, as other work on this machine may disturb either."""
    longer = TINY.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 40})})
    found = ask(base=longer, seeds=1)
    told = by_probe(found, found.plan.to_run(), 1, 2.0)
    assert told is not None and told.source == "probe" and (told.basis, told.of) == (2, 2)
    sweep.run(found, Local(), lambda step: None)
    real = sum(r.seconds for r in ask(base=longer, seeds=1).records)
    assert real / 3 < told.forecast.seconds < real * 3
    assert told.forecast.high / told.forecast.low > 1 + DRIFT["probe"]

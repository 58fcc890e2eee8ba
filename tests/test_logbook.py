"""What a sitting took is in the store while it runs, and what is not known is not claimed."""

import threading
from collections.abc import Callable

import pytest

from senet_lab import logbook, store, sweep
from senet_lab.errors import StoreError
from senet_lab.executors.local import Local
from senet_lab.expected import Expected
from senet_lab.forecast import Forecast
from senet_lab.inventory import Inventory
from senet_lab.jobs import Step
from senet_lab.meters import Meters
from senet_lab.records import Sitting

Ask = Callable[..., Inventory]
TOLD = Expected(Forecast(600.0, 500.0, 720.0, 2, {}, False), "done trials", 24, 0)


def test_a_sitting_is_kept_from_its_beginning_to_its_end(ask: Ask) -> None:
    found = ask(seeds=1)
    book = logbook.begin(found, 2, 2, TOLD)
    with book:
        (begun,) = found.store.sittings()
        assert (begun.number, begun.trials, begun.ended, begun.over, begun.slots) == (1, 2, 0, False, 2)
        assert begun.forecast is not None and begun.forecast.source == "done trials"
        assert (begun.forecast.low, begun.forecast.seconds, begun.forecast.high) == (500, 600, 720)
        assert begun.environment == "" and begun.running_seconds == 0
        sweep.run(found, Local(), book, ways=sweep.Ways(sitting=book.number))
    (over,) = found.store.sittings()
    again = found.again()
    assert over.over and over.ended == 2 and {r.environment for r in again.records} == {over.environment}
    assert 0 < over.running_seconds <= over.seconds and over.began_at == begun.began_at
    assert {r.sitting for r in again.records} == {1} and again.next_sitting == 2


def test_one_that_ended_no_trial_has_its_number_for_itself(ask: Ask) -> None:
    found = ask(seeds=1)
    with logbook.begin(found, 2, 2, None):
        pass
    with logbook.begin(found, 2, None, None) as book:
        sweep.run(found, Local(), book, ways=sweep.Ways(sitting=book.number))
    first, second = found.store.sittings()
    assert (first.number, first.ended, first.forecast, second.number, second.ended) == (1, 0, None, 2, 2)
    assert (second.slots, second.joules) == (None, {}), "of a cluster's energy this machine knows nothing"
    assert {r.sitting for r in found.again().records} == {2}


def test_a_run_without_a_logbook_has_a_number_too(ask: Ask) -> None:
    found = ask(seeds=1)
    found.store.save_sitting(Sitting(number=4, began_at=0.0, trials=2))
    sweep.run(found, Local(), lambda step: None)
    assert {r.sitting for r in found.again().records} == {5}


def test_it_is_written_anew_while_no_trial_says_anything(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    written, thrice = [], threading.Event()

    def save(kept: store.Store, sitting: Sitting) -> None:
        written.append(sitting)
        if len(written) == 3:
            thrice.set()

    monkeypatch.setattr(logbook, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(store.Store, "save_sitting", save)
    with logbook.begin(ask(), 4, 1, None):
        assert thrice.wait(60)
    assert [s.over for s in written] == [False] * (len(written) - 1) + [True]
    assert written[-1].seconds > written[0].seconds


def test_where_it_cannot_write_the_sweep_goes_on(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(kept: store.Store, sitting: Sitting) -> None:
        raise StoreError("no room")

    monkeypatch.setattr(store.Store, "save_sitting", full)
    found = ask(seeds=1)
    with logbook.begin(found, 2, 1, None) as book:
        book(Step(found.planned[0], ()))
    assert found.store.sittings() == []


def test_ctrl_c_ends_a_sitting_too(ask: Ask) -> None:
    found = ask(seeds=1)
    with pytest.raises(KeyboardInterrupt), logbook.begin(found, 2, 1, None):
        raise KeyboardInterrupt
    (sitting,) = found.store.sittings()
    assert sitting.over and sitting.ended == 0


def test_meters_are_asked(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meters, "joules", lambda meters: {"RAPL": 5.0})
    found = ask(seeds=1)
    with logbook.begin(found, 2, 1, None):
        pass
    assert found.store.sittings()[0].joules == {"RAPL": 5.0}

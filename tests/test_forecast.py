"""What a forecast says, against numbers worked out by hand and against simulated sweeps."""

import math

import numpy as np
import pytest
from scipy import stats

from senet_lab.forecast import ASSUMED, Need, Timing, drift, forecast, makespan


def needs(**trials: int) -> list[Need]:
    return [Need(row, work=1.0) for row, n in trials.items() for _ in range(n)]


def test_nothing_to_do_and_nothing_to_tell_it_by_have_no_forecast() -> None:
    assert forecast([], [Timing(("a",), 1.0, (1.0,))], 2, 0.05) is None
    assert forecast(needs(a=2), [], 2, 0.05) is None
    assert forecast(needs(a=2), [Timing(("a",), 1.0, ())], 2, 0.05) is None


def test_trials_take_the_first_slot_that_is_free() -> None:
    assert makespan([3.0, 1.0, 1.0, 1.0], 2) == 3.0
    assert makespan([1.0, 1.0, 3.0], 2) == 4.0, "a long one at the end waits for nobody"
    assert makespan([1.0, 1.0], 8) == 1.0, "more slots than trials help nothing"


def test_a_row_goes_by_its_own_trials_and_another_by_its_work() -> None:
    known = [Timing(("a",), 1.0, (2.0, 2.0, 2.0))]
    found = forecast([Need("a", 1.0), Need("b", 3.0)], known, 1, 0.05)
    assert found is not None and found.seconds == pytest.approx(2 + 6)
    assert found.each == pytest.approx({"a": 2.0, "b": 6.0})


def test_trials_of_settings_that_are_not_asked_for_tell_the_pace_too() -> None:
    found = forecast(needs(a=4), [Timing((), 5.0, (10.0, 10.0, 10.0))], 2, 0.0)
    assert found is not None and found.seconds == pytest.approx(4.0)


def test_what_an_interrupted_trial_has_done_is_not_done_again() -> None:
    found = forecast([Need("a", 1.0, share=0.25)], [Timing(("a",), 1.0, (8.0, 8.0, 8.0))], 2, 0.05)
    assert found is not None and found.seconds == pytest.approx(2.0) and found.each == {"a": 8.0}


def test_the_interval_is_the_t_interval_of_the_sum_that_is_left() -> None:
    seconds = (9.0, 10.0, 11.0)  # mean 10, sd 1
    found = forecast(needs(a=4), [Timing(("a",), 1.0, seconds)], 1, 0.0)
    half = stats.t.isf(0.025, 2) * math.sqrt(4 + 16 / 3) / 40  # four new trials, four times a mean of three
    assert found is not None and not found.assumed
    assert (found.low, found.high) == pytest.approx((40 / math.exp(half), 40 * math.exp(half)))


@pytest.mark.parametrize("seconds", [(10.0,), (10.0, 10.0)])
def test_one_or_two_trials_tell_no_spread_and_a_wide_one_is_assumed(seconds: tuple[float, ...]) -> None:
    found = forecast(needs(a=1000), [Timing(("a",), 1.0, seconds)], 1, 0.0)
    assert found is not None and found.assumed
    widest = ASSUMED * math.sqrt(1 / len(seconds) + 1 / 1000)
    assert math.log(found.high / found.seconds) == pytest.approx(1.96 * widest, rel=1e-3)


def test_one_trial_a_row_is_judged_by_the_spread_between_rows() -> None:
    known = [Timing((row,), 1.0, (s,)) for row, s in (("a", 9.0), ("b", 10.0), ("c", 11.0))]
    found = forecast(needs(a=1, b=1, c=1), known, 1, 0.0)
    assert found is not None and not found.assumed and found.high > found.seconds


def test_a_scaled_row_is_less_certain_than_one_with_trials() -> None:
    known = [Timing((row,), 1.0, (s, s * 1.01, s * 0.99)) for row, s in (("a", 8.0), ("b", 10.0), ("c", 12.5))]
    own, scaled = forecast(needs(b=9), known, 1, 0.0), forecast(needs(other=9), known, 1, 0.0)
    assert own is not None and scaled is not None
    assert scaled.seconds == pytest.approx(90.0, rel=1e-3), "the geometric mean of the rates"
    assert scaled.high / scaled.low > 2 * own.high / own.low


def test_the_machine_itself_may_drift_however_many_trials_there_are() -> None:
    known = [Timing(("a",), 1.0, (10.0,) * 500)]
    found = forecast(needs(a=500), known, 2, 0.05)
    assert found is not None and math.log(found.high / found.seconds) == pytest.approx(1.96 * 0.05, rel=1e-3)


def test_drift_is_what_sittings_differ_by_and_never_less_than_assumed() -> None:
    assert drift([], 0.05) == drift([[1.1, 0.9]], 0.05) == drift([[1.0, 1.0], [1.01]], 0.05) == 0.05
    assert drift([[0.5, 0.5], [2.0]], 0.05) == pytest.approx(math.log(4) / math.sqrt(2))


def test_the_interval_holds_the_time_of_simulated_sweeps_about_as_often_as_it_says() -> None:
    generator, hits = np.random.default_rng(0), 0
    for _ in range(400):
        rows = {name: mean * generator.normal(1, 0.1, 14) for name, mean in (("a", 5.0), ("b", 8.0))}
        known = [Timing((name,), 1.0, tuple(map(float, times[:4]))) for name, times in rows.items()]
        found = forecast(needs(a=10, b=10), known, 2, 0.0)
        assert found is not None
        hits += found.low <= makespan([*rows["a"][4:], *rows["b"][4:]], 2) <= found.high
    assert 0.9 < hits / 400 < 0.99


def test_what_is_taken_from_the_trials_is_shared_by_all_slots() -> None:
    known = [Timing(("a",), 1.0, (2.0, 2.0, 2.0))]
    without, with_ = (forecast(needs(a=8), known, 2, 0.05, beside) for beside in (0.0, 4.0))
    assert without is not None and with_ is not None
    assert (without.seconds, with_.seconds, with_.each) == (8.0, 10.0, without.each)
    assert with_.high / with_.seconds == pytest.approx(without.high / without.seconds)

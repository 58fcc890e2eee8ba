"""Which trials are still begun where a run is to end early, and which seeds are whole."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from senet_lab import balance
from senet_lab.balance import Course, Limit, Rest, first, whole
from senet_lab.inventory import Inventory
from senet_lab.jobs import Group, Job, Step
from senet_lab.plan import Plan, PlannedTrial, block
from senet_lab.records import Cost, EpochMetrics
from tests.results.conftest import make_record

Ask = Callable[..., Inventory]
ROWS = {"grid": {"model.se.reduction": [1, 2, 4]}}
"""Four with the baseline."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(balance, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def jobs(found: Inventory) -> list[Job]:
    cost = Cost(params=1, params_and_statistics=1, macs=1)
    return [Job(t, "tiny", found.store.root, "", cost) for t in found.planned]


def alone(found: Inventory) -> list[Group]:
    return [[job] for job in jobs(found)]


@dataclass
class Places:
    """In the place of an executor: each of `count` places takes the next group that is wanted; a trial takes
    `seconds`, and all of a moment's trials end together."""

    course: Course
    groups: Sequence[Group]
    forecast: Callable[[Rest], float | None] = lambda rest: None
    count: int = 1
    seconds: float = 60.0
    began: list[str] = field(default_factory=list)

    def run(self, clock: list[float], upto: float = float("inf")) -> None:
        wanted = self.course.follow(self.groups, self.forecast)
        waiting = iter(self.groups)
        while len(self.began) < upto and (now := list(self._begin(waiting, wanted))):
            clock[0] += self.seconds * max(map(len, now))
            for job in (job for group in now for job in group):
                self.course.hear(Step(job.planned, (), make_record(job.planned)))

    def _begin(self, waiting: "Iterator[Group]", wanted: Callable[[Job], bool]) -> Iterator[Group]:
        places = self.count
        while places and (group := next((g for g in waiting if any(map(wanted, g))), None)):
            for job in group:
                self.course.hear(Step(job.planned, ()))
                self.began.append(job.planned.name)
            places -= 1
            yield group


def minutes(places: int) -> Callable[[Rest], float]:
    """A forecast of a minute a trial."""
    return lambda rest: 60 * sum(share for _, share in rest.trials) / places


def names(found: Inventory, seeds: range) -> list[str]:
    return [t.name for t in found.planned if t.trial.seed in seeds]


def test_all_is_wanted_where_nothing_stops_it(ask: Ask, clock: list[float]) -> None:
    found = ask(**ROWS, seeds=3)
    places = Places(Course(), alone(found), count=3)
    places.run(clock)
    assert places.began == names(found, range(3)) and not places.course.ending


def test_a_stop_leaves_whole_seeds(ask: Ask, clock: list[float]) -> None:
    found = ask(**ROWS, seeds=5)
    for upto, seeds in ((1, 1), (4, 1), (5, 2), (6, 2), (8, 2), (9, 3)):
        course = Course()
        groups = alone(found)
        wanted = course.follow(groups, lambda rest: None)
        assert not course.stop(), "nothing has begun"
        for (job,) in groups[:upto]:
            assert wanted(job)
            course.hear(Step(job.planned, ()))
        assert course.stop() and course.ending
        assert [job.planned.name for (job,) in groups if wanted(job)] == names(found, range(seeds)), upto
        assert {t.name for t, _ in course.rest().trials} == set(names(found, range(seeds)))


def test_what_began_as_the_stop_came_counts_as_begun(ask: Ask) -> None:
    """The executor has asked and begun, and the listener has not heard of it yet."""
    groups = alone(ask(**ROWS, seeds=3))
    course = Course()
    wanted = course.follow(groups, lambda rest: None)
    course.hear(Step(groups[0][0].planned, ()))
    assert wanted(groups[4][0]) and course.stop()
    course.hear(Step(groups[4][0].planned, ()))
    assert [wanted(groups[i][0]) for i in (1, 5, 8)] == [True, True, False]


def test_a_stop_holds_for_the_next_run_of_the_command(ask: Ask) -> None:
    groups = alone(ask(seeds=2))
    course = Course()
    course.follow(groups, lambda rest: None)
    course.hear(Step(groups[0][0].planned, ()))
    course.stop()
    assert not any(map(course.follow(groups, lambda rest: None), groups[1])) and not course.stop()


def test_after_all_has_ended_a_stop_is_not_taken(ask: Ask, clock: list[float]) -> None:
    places = Places(Course(), alone(ask(seeds=1)))
    places.run(clock)
    assert not places.course.stop()


def test_seeds_that_are_trained_together_are_whole_together(ask: Ask) -> None:
    """Two shapes in groups of two and of three seeds: a stop ends with the groups that the begun seeds need."""
    found = ask(seeds=6)
    of = {(j.planned.variant.label, block(j.planned)): j for j in jobs(found)}
    one, other = (row.label for row in found.question.rows)
    twos = [[of[one, s], of[one, s + 1]] for s in (0, 2, 4)]
    threes = [[of[other, s], of[other, s + 1], of[other, s + 2]] for s in (0, 3)]
    groups: list[Group] = [twos[0], threes[0], twos[1], threes[1], twos[2]]
    course = Course()
    wanted = course.follow(groups, lambda rest: None)
    for job in twos[0]:
        course.hear(Step(job.planned, ()))
    assert course.stop() and any(map(wanted, threes[0]))
    for job in threes[0]:
        course.hear(Step(job.planned, ()))
    assert [any(map(wanted, group)) for group in groups] == [True, True, False, False, False]


@pytest.mark.parametrize(("hours", "seeds"), [(4.1 / 60, 1), (11.9 / 60, 2), (12.1 / 60, 3), (1.0, 5)])
def test_a_limit_begins_the_seeds_that_end_before_it(ask: Ask, clock: list[float], hours: float, seeds: int) -> None:
    """Four minutes a seed."""
    found = ask(**ROWS, seeds=5)
    places = Places(Course(Limit(hours)), alone(found), minutes(1))
    places.run(clock)
    assert places.began == names(found, range(seeds))
    assert places.course.late == (seeds < 5) and places.course.ending == (seeds < 5)
    assert clock[0] <= 3600 * hours


def test_a_limit_counts_what_runs_at_the_same_time(ask: Ask, clock: list[float]) -> None:
    found = ask(**ROWS, seeds=5)
    places = Places(Course(Limit(8.1 / 60)), alone(found), minutes(2), count=2)
    places.run(clock)
    assert places.began == names(found, range(4)) and clock[0] == 480


def test_a_limit_learns_from_the_trials_of_the_run(ask: Ask, clock: list[float]) -> None:
    """No forecast before the first one has ended, which takes two minutes instead of the one that fits five seeds."""
    found = ask(**ROWS, seeds=5)
    slow = lambda rest: 120 * sum(share for _, share in rest.trials) if rest.ended else None  # noqa: E731
    places = Places(Course(Limit(20.0 / 60)), alone(found), slow, seconds=120)
    places.run(clock)
    assert places.began == names(found, range(2)) and clock[0] == 960


def test_a_seed_that_turns_out_too_long_is_left_at_the_limit(ask: Ask, clock: list[float]) -> None:
    found = ask(**ROWS, seeds=5)
    slow = lambda rest: 120 * sum(share for _, share in rest.trials) if rest.ended else None  # noqa: E731
    places = Places(Course(Limit(3.0 / 60)), alone(found), slow, seconds=120)
    places.run(clock)
    assert places.began == names(found, range(1))[:2] and places.course.late


def test_what_never_tells_the_time_begins_nothing_after_the_limit(ask: Ask, clock: list[float]) -> None:
    found = ask(**ROWS, seeds=5)
    places = Places(Course(Limit(6.0 / 60)), alone(found))
    places.run(clock)
    assert places.began == names(found, range(2))[:6]


def test_seeds_that_a_forecast_saw_end_in_time_are_made_whole(ask: Ask, clock: list[float]) -> None:
    """Though the machine becomes three times slower meanwhile."""
    found = ask(**ROWS, seeds=5)
    places = Places(Course(Limit(5.0 / 60)), alone(found), minutes(1), seconds=180)
    places.run(clock)
    assert places.began == names(found, range(1)) and clock[0] == 720


def test_what_has_run_of_a_trial_is_not_forecast_again(ask: Ask) -> None:
    groups = alone(ask(seeds=1))
    course = Course()
    course.follow(groups, lambda rest: None)
    planned = groups[0][0].planned
    course.hear(Step(planned, ()))
    course.hear(Step(planned, (EpochMetrics.model_construct(epoch=1),)))
    assert course.rest().trials[0] == (planned, 0.5)


def test_which_seeds_are_whole_and_which_is_the_first_to_run(ask: Ask) -> None:
    planned = ask(seeds=4).planned
    states = ["done", "done", "failed", "done", "done", "missing", "interrupted", "missing"]
    plan = Plan(tuple(zip(planned, states, strict=True)))  # type: ignore[arg-type]
    assert whole(plan) == ([0, 1], [2])
    assert [t.trial.seed for t in first(plan).to_run()] == [2]
    assert [t.trial.seed for t in first(plan, ["failed"]).to_run(["failed"])] == [1]
    assert first(Plan(())).trials == ()


def test_the_block_of_a_trial_is_its_seed(ask: Ask) -> None:
    found: tuple[PlannedTrial, ...] = ask(seeds=3).planned
    assert [block(t) for t in found] == [0, 0, 1, 1, 2, 2]

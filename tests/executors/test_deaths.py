"""What a death costs, told by workers that are none: who goes on with its jobs, and which of them fail."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from senet_lab.errors import UserError
from senet_lab.executors import processes
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Group, Job, Step, new_record
from tests.test_together import jobs

DEATH = EOFError()
Life = Callable[[Group], "list[Any]"]


def end(job: Job) -> Step:
    times = {"started_at": 0.0, "ended_at": 0.0, "seconds": 0.0}
    return Step(job.planned, (), new_record(job, status="failed", traceback="as asked", **times))


def works(group: Group) -> list[Any]:
    return [[end(job)] for job in group]


def dies(group: Group) -> list[Any]:
    return [DEATH]


def is_gone(group: Group) -> list[Any]:
    raise BrokenPipeError


class Line:
    """A worker's: what it says of itself and, once it has a group, what `life` makes of that."""

    def __init__(self, said: Sequence[Any], life: Life) -> None:
        self.said, self.life = deque(said), life

    def send(self, group: Group) -> None:
        self.said.extend(self.life(group))

    def recv(self) -> Any:
        told = self.said.popleft()
        if told is DEATH:
            raise EOFError
        return told

    def recv_bytes(self) -> bytes:
        raise EOFError

    def close(self) -> None:
        pass


class Crew(processes._Crew):
    """Of workers that live as told; `lines` has one for each that is ever started."""

    def __init__(self, count: int, *lines: Line) -> None:
        super().__init__()
        self.lines = deque(lines)
        self.begun: list[str] = []
        self.killed_at_last: Line | None = None
        """Whom it meets once nobody says anything any more."""
        self.start(count)

    def start(self, count: int) -> None:
        self.workers += [processes._Worker(self.lines.popleft()) for _ in range(count)]  # type: ignore[arg-type]

    def ready(self) -> list[processes._Worker]:
        if not self.workers:
            return super().ready()
        ready = [worker for worker in self.workers if worker.line.said]  # type: ignore[attr-defined]
        if ready or self.killed_at_last is None:
            assert ready, "waits for ever"
            return ready
        self.killed_at_last.said.append(DEATH)
        self.killed_at_last = None
        return self.ready()


def ends(crew: Crew, *groups: Group) -> dict[str, str]:
    """By row, the tracebacks."""
    try:
        told = list(processes._steps(crew, deque(groups)))
    finally:
        crew.end()
    records = [step.record for step in told if step.record is not None]
    crew.begun = [step.planned.variant.label for step in told if step.record is None]
    assert len({r.id for r in records}) == len(records)
    return {r.variant: r.traceback or "" for r in records}


def test_what_is_left_of_a_dead_worker_is_given_to_one_that_is_idle(tmp_path: Path) -> None:
    first, second, _ = jobs(tmp_path)
    killed = Line([[]], lambda group: [])
    crew = Crew(2, killed, Line([[]], works), Line([DEATH], works))
    crew.killed_at_last = killed
    assert ends(crew, [first], [second]) == {"row0": "as asked", "row1": "as asked"}
    assert len(crew.lines) == 1, "nobody was started in its place"


def test_one_that_dies_before_it_is_there_is_not_waited_for(tmp_path: Path) -> None:
    first, *_ = jobs(tmp_path)
    with pytest.raises(UserError, match="died before they could begin"):
        ends(Crew(1, Line([[]], dies), Line([DEATH], works)), [first])


def test_an_idle_one_that_is_gone_takes_nothing_and_is_replaced(tmp_path: Path) -> None:
    first, *_ = jobs(tmp_path)
    crew = Crew(1, Line([[], DEATH], is_gone), Line([[]], works))
    assert ends(crew, [first]) == {"row0": "as asked"}
    assert crew.begun == ["row0"], "once"


def test_one_that_stayed_is_given_a_group_before_it_says_anything(tmp_path: Path) -> None:
    first, second, _ = jobs(tmp_path)
    for crew in (Crew(1, Line([], works)), Crew(2, Line([], works), Line([DEATH], is_gone), Line([[]], works))):
        for worker in crew.workers:
            worker.there = True
        assert ends(crew, [first], [second]) == {"row0": "as asked", "row1": "as asked"}
        assert sorted(crew.begun) == ["row0", "row1"], "also with one that died while nobody asked for anything"


def test_in_the_place_of_those_that_died_others_are_there_for_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def start(crew: processes._Crew, count: int) -> None:
        started.append(count)
        crew.workers += [processes._Worker(Line([], works)) for _ in range(count)]  # type: ignore[arg-type]

    monkeypatch.setattr(processes._Crew, "start", start)
    executor = processes.Processes(3, stays=True)
    for left in (3, 1, 0, 3):
        executor.start()
        assert executor._crew is not None and len(executor._crew.workers) == 3
        del executor._crew.workers[left:]
    executor.stop()
    assert sum(started) == 3 + 2 + 3


def test_a_deadly_member_of_a_group_fails_alone(tmp_path: Path) -> None:
    deaths: list[int] = []

    def is_careful(group: Group) -> list[Any]:
        if all(job.planned.variant.label != "row0" for job in group):
            return works(group)
        deaths.append(len(group))
        return [DEATH]

    found = ends(Crew(2, *(Line([[]], is_careful) for _ in range(6))), jobs(tmp_path))
    assert "the worker process died 3 times" in found.pop("row0")
    assert found == {"row1": "as asked", "row2": "as asked"}
    assert deaths == [3, 1, 1, 1], "the one in company does not count"


def test_with_ray_a_deadly_member_of_a_group_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    from senet_lab.executors import tune_loop

    *group, other = jobs(tmp_path, {}, {"model.se.reduction": 2}, {"train.learning_rate": 0.02}, {"train.epochs": 2})
    rounds: list[list[list[str]]] = []

    def whole_round(relay: Any, slots: Sequence[Slot], meeting: Any, scratch: Path) -> None:
        assert set(slots) == {Slot()}
        rounds.append([[job.planned.variant.label for job in group] for group in relay.groups])
        for number, rows in enumerate(rounds[-1]):
            started = SimpleNamespace(start_time=1.0)
            one = SimpleNamespace(config={"group": number}, get_pickled_error=lambda: "gone", run_metadata=started)
            if "row1" in rows:
                relay.on_trial_error(0, [], one)
            else:
                relay.on_trial_result(0, [], one, {"steps": tuple(map(end, relay.groups[number]))})

    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 1.0}}])
    monkeypatch.setattr(tune_loop, "_round", whole_round)
    told: list[Step] = []
    tune_loop.fit([group, [other]], told.append, Slot(), tune_loop.Terms(tmp_path / "scratch"))
    assert rounds == [[["row0", "row1", "row2"], ["row3"]], [["row0"], ["row1"], ["row2"]]]
    found = {step.record.variant: step.record.traceback or "" for step in told if step.record is not None}
    assert "the worker process died 3 times (gone)" in found.pop("row1")
    assert found == dict.fromkeys(("row0", "row2", "row3"), "as asked")
    assert [step.note for step in told if step.note] == ["the worker of row0 seed=0 and 2 others died; next one by one"]

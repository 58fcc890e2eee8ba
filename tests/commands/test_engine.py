"""Which executor a sweep gets."""

from dataclasses import dataclass

import pytest

from senet_lab.commands import engine
from senet_lab.errors import UserError
from senet_lab.executors.local import Local
from senet_lab.executors.processes import Processes


@dataclass(frozen=True)
class Typed:
    executor: str = "auto"
    address: str | None = None
    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "has_gpu", lambda: False)


@pytest.mark.parametrize(("due", "name"), [(0, "processes"), (200, "processes"), (201, "ray")])
def test_few_trials_need_no_ray(due: int, name: str) -> None:
    assert engine.chosen(Typed(), due) == name


@pytest.mark.parametrize("more", [{"address": "auto"}, {"cpus_per_trial": 2}, {"gpus_per_trial": 0.0}])
def test_what_only_ray_does_is_done_by_ray(more: dict[str, object]) -> None:
    assert engine.chosen(Typed(**more), 1) == "ray"  # type: ignore[arg-type]


def test_a_gpu_is_shared_out_by_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "has_gpu", lambda: True)
    assert engine.chosen(Typed(), 1) == "ray"
    assert engine.chosen(Typed("processes"), 1) == "processes", "what was asked for is done"


@pytest.mark.parametrize("name", ["ray", "processes", "local"])
def test_what_was_asked_for_is_done(name: str) -> None:
    assert engine.chosen(Typed(name), 1_000) == name


def test_executors_are_made_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "cores", lambda: 8)
    assert isinstance(engine.executor(Typed("local"), True), Local)
    for typed, at_once in ((Typed("processes"), 8), (Typed("processes", cpus_per_trial=3), 2)):
        made = engine.executor(typed, True)
        assert isinstance(made, Processes) and made.at_once == at_once
    made = engine.executor(Typed("processes", workers=5), True)
    assert isinstance(made, Processes) and made.at_once == 5


@pytest.mark.parametrize("name", ["processes", "local"])
def test_a_cluster_is_for_ray(name: str) -> None:
    with pytest.raises(UserError, match="that is for --executor ray"):
        engine.executor(Typed(name, address="auto"), True)

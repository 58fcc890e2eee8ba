"""`--together`: refused values, what auto means where, and a sweep that is trained together as typed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from senet_lab import sizes
from senet_lab.commands import together as module
from senet_lab.commands.together import Together, rows_together
from senet_lab.inventory import Inventory
from senet_lab.spec import Trial
from tests.conftest import question
from tests.typed import typed

SWEEP = '''"""Is it the same together?"""
from senet_lab import Data, Model, Sweep, Train, Trial

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs=2, batch_size=64, learning_rate=0.1),
    ),
    grid={"model.se.reduction": [2]}, controls=["no_se"], baseline="no_se", seeds=2, margin=0.01,
)
'''


@pytest.fixture
def asked(tmp_path: Path) -> Inventory:
    """Six rows of one shape, three of another, each with two seeds."""
    from senet_lab import inventory

    wide: list[dict[str, Any]] = [{"model.widths": [8]}]
    return inventory.take(question(grid={"model.se.reduction": [2, 4]}, variants=wide), tmp_path / "runs")


def asks(how: str | None, **changes: Any) -> Together:
    given: dict[str, Any] = {"executor": "ray", "address": None, "gpus_per_trial": None, "data_dir": Path("data")}
    return Together(how, **(given | changes))


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """What was measured, where; the answer is 16, or an error for a network that is not the tiny one."""
    seen: list[tuple[list[str], str]] = []

    def measured(trials: Sequence[Trial], device: str, data_dir: Path) -> Iterator[int | Exception]:
        seen.append(([t.model.name for t in trials], device))
        yield from (16 if t.model.widths == (4,) else RuntimeError("no") for t in trials)  # type: ignore[union-attr]

    monkeypatch.setattr(sizes, "measured", measured)
    return seen


def one(share: float | None) -> int:
    return 1


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "", "1025", "Auto", "²"])
def test_other_values_are_refused(value: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SWEEP)
    refused = typed(tmp_path, "sweep", "mine.py", "--together", value)
    assert refused.code == 2 and "should be auto, or a number from 1 to 1024" in " ".join(refused.err.split())
    assert {p.name for p in tmp_path.iterdir()} == {"mine.py"}


def test_without_a_gpu_nothing_is_measured_and_all_run_alone(asked: Inventory, told: list[Any]) -> None:
    assert asks(None).sizes(asked.planned, one) == {} and told == []


def test_a_number_is_taken_as_it_is(asked: Inventory, told: list[Any]) -> None:
    found = asks("5", address="ray://far:10001").sizes(asked.planned, one)
    assert sorted(found.values()) == [5, 5] and told == []
    assert rows_together(asked.planned, found) == {row.trial for row in asked.question.rows}
    assert asks("1").sizes(asked.planned, one) == {}


def test_with_a_gpu_each_shape_is_measured_once(
    asked: Inventory, gpus: None, told: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module.console, "print", lambda text, **_: said.append(text))
    together = asks(None)
    found = together.sizes(asked.planned, one)
    assert [*found.values()] == [6] and together.sizes(asked.planned[:4], one).keys() == found.keys()
    assert told == [(["SE-ResNet-4 (CIFAR)", "ResNet-4 (CIFAR)"], "cuda"), ([], "cuda")]
    assert said == [
        "SE-ResNet-4 (CIFAR): 16 trials together",
        "ResNet-4 (CIFAR): one at a time, as the best number could not be measured (RuntimeError: no)",
    ]


def test_no_slot_is_left_without_work(asked: Inventory, gpus: None, told: list[Any]) -> None:
    shares: list[float | None] = []

    def three(share: float | None) -> int:
        shares.append(share)
        return 3

    together = asks(None)
    found = together.sizes(asked.planned, three)
    assert [*found.values()] == [2] and shares == [1.0], "six trials on three GPUs"
    assert together.share(found) == 1.0 and together.share({}) is None
    assert asks(None, gpus_per_trial=0.5).share(found) == 0.5


@pytest.mark.parametrize("changes", [{"executor": "local"}, {"gpus_per_trial": 0.0}, {"address": "auto"}], ids=str)
def test_where_no_gpu_of_this_machine_is_used_the_default_is_one(
    changes: dict[str, Any], asked: Inventory, gpus: None, told: list[Any]
) -> None:
    assert asks(None, **changes).sizes(asked.planned, one) == {} and told == []


def test_auto_without_a_gpu_is_measured_on_the_processor(asked: Inventory, told: list[Any]) -> None:
    asks("auto").sizes(asked.planned, one)
    assert [device for _, device in told] == ["cpu"]


def test_auto_on_a_cluster_is_one_and_says_so_once(
    asked: Inventory, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module.console, "print", lambda text, **_: said.append(text))
    together = asks("auto", address="host:6379")
    assert together.sizes(asked.planned, one) == together.sizes(asked.planned, one) == {}
    assert len(said) == 1 and said[0].startswith("--together auto: one at a time") and told == []


def test_trials_that_have_no_like_are_not_measured(asked: Inventory, gpus: None, told: list[Any]) -> None:
    assert asks(None).sizes(asked.planned[:1], one) == {} and told == []


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
def test_a_sweep_trained_together_is_as_one_trained_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SWEEP)
    done = typed(tmp_path, "sweep", "mine.py", "--executor", "local", "--together", "3")
    assert done.code == 0, done.out + done.err
    other = typed(tmp_path, "sweep", "mine.py", "--executor", "local", "--store", "alone", "--to", "elsewhere")
    assert other.code == 0, other.out + other.err
    ours, theirs = (
        {r["id"]: r for p in (tmp_path / store).glob("mine/*/record.json") if (r := json.loads(p.read_text()))}
        for store in ("runs", "alone")
    )
    assert ours.keys() == theirs.keys() and len(ours) == 4
    assert {r["together"] for r in ours.values()} == {2} and {r["together"] for r in theirs.values()} == {1}
    for id, mine in ours.items():
        assert mine["fingerprint"] == theirs[id]["fingerprint"] and mine["status"] == "done"
        assert mine["test"]["loss"] == pytest.approx(theirs[id]["test"]["loss"], rel=1e-3)
        assert len(mine["epochs"]) == 2
    again = typed(tmp_path, "sweep", "mine.py", "--executor", "local")
    assert again.code == 0 and "4 of 4 trials are done; nothing to run" in again.out

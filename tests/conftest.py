"""Strictness and small parts that several rooms' tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import kill
from senet_lab import data, inventory
from senet_lab.catalog import Question
from senet_lab.design import variants
from senet_lab.spec import Data, Model, Sweep, Train, Trial
from tests.undrawn import COMMAND, undraw

TINY = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=2, batch_size=64, learning_rate=0.1),
)
"""Two epochs of twelve steps: the smallest training that is a training."""


def question(name: str = "tiny", **changes: object) -> Question:
    """Two rows, r = 2 and no SE, of the smallest training."""
    asked: dict[str, object] = {
        "base": TINY,
        "grid": {"model.se.reduction": [2]},
        "controls": ["no_se"],
        "baseline": "no_se",
        "seeds": 2,
        "margin": 0.01,
    }
    sweep = Sweep.model_validate(asked | changes)
    return Question(name, "Is small enough?", Path(f"{name}.py"), sweep, variants(sweep))


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., inventory.Inventory]:
    """Set a tiny question against a store in the test's own folder."""
    return lambda **changes: inventory.take(question(**changes), tmp_path / "runs")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As trials have it: the same bits wherever they run, and tiny networks only lose by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without pictures, of this process and of the commands that are killed."""
    undraw(monkeypatch.setattr)
    monkeypatch.setattr(kill, "COMMAND", COMMAND)


LONG = (
    "executors/test_cluster.py",
    "executors/test_contract.py",
    "survival/test_kill.py",
    "tracking/test_server.py",
    "test_main_job.py",
    "test_remote_store.py",
    "survival/test_damage.py",
    "survival/test_mlflow_lost.py",
    "survival/test_worker_death.py",
    "survival/test_disk_full.py",
    "survival/test_clock.py",
    "survival/test_two_drivers.py",
    "results/test_activations.py",
    "test_house.py",
)
"""Files that take half a minute and more, the longest first."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: begun last, it would leave the other workers idle."""
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def _images_once() -> None:
    data.load(TINY.data)

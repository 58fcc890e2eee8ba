"""Which way to train together is measured: here with rates that the test makes up, and once in earnest."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from senet_lab.spec import Data, Model, Train, Trial
from senet_lab.training import arrange as module
from senet_lab.training.arrange import arrange, best_size
from senet_lab.training.begin import begin
from senet_lab.training.population import Arrangement

CPU = torch.device("cpu")
TINY = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=1, batch_size=8, learning_rate=0.1),
)
Rates = Callable[[int, int], float]


def rated(monkeypatch: pytest.MonkeyPatch, rates: Rates, most: int = 64) -> list[tuple[int, int]]:
    """Let (trials, members) have the rate of `rates`, and no memory for more than `most` of them."""
    asked = []

    def measured(trials: Sequence[Trial], _: Any, __: Any, members: int, graph: bool) -> Arrangement:
        asked.append((len(trials), members))
        if members > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return Arrangement(-(-len(trials) // members), members, graph, rates(len(trials), members))

    monkeypatch.setattr(module, "measured", measured)
    return asked


@pytest.mark.parametrize(
    ("rates", "most", "chosen"),
    [
        (lambda k, m: 100.0 * m, 64, 64),
        (lambda k, m: 100.0 * m, 8, 8),  # more have no memory
        (lambda k, m: 100.0 * min(m, 4), 64, 4),
        (lambda k, m: 100.0 * (1 + 0.04 * (m > 1)), 64, 1),  # a gain too small
        (lambda k, m: 100.0 * (m if m >= 4 else 1), 64, 64),  # two do not pay, four do
        (lambda k, m: 100.0 / m, 64, 1),
        (lambda k, m: 3.0 * m, 64, 1),  # long steps: on a CPU not even tried
    ],
)
def test_size_grows_while_each_trial_gains(
    rates: Rates, most: int, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rated(monkeypatch, rates, most)
    assert best_size(TINY, CPU) == chosen
    assert len(asked) == 1 or rates(1, 1) > 1 / module.LONG_STEP


def test_size_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rated(monkeypatch, lambda k, m: float(100 * m))
    assert best_size(TINY, CPU, most=24) == 16 and best_size(TINY, CPU, most=1) == 1


def test_memory_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    rated(monkeypatch, lambda k, m: float(100 * m))
    monkeypatch.setattr(module, "_fits", lambda wanted_bytes, device: False)
    assert best_size(TINY, CPU) == 1


def test_the_fastest_arrangement_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [begin(TINY, CPU)] * 6
    learners, parts = [learner for learner, _ in made], [parts for _, parts in made]
    asked = rated(monkeypatch, lambda k, m: {6: 5.0, 3: 9.0, 2: 8.0, 1: 7.0}[m], most=5)
    assert arrange([TINY] * 6, learners, parts) == Arrangement(2, 3, False, 9.0)
    assert asked == [(6, 6), (6, 3), (6, 2), (6, 1)]
    rated(monkeypatch, lambda k, m: 1.0, most=0)
    with pytest.raises(torch.OutOfMemoryError):
        arrange([TINY] * 6, learners, parts)


def test_in_earnest_no_learner_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.01)
    made = [begin(TINY.model_copy(update={"seed": seed}), CPU) for seed in range(2)]
    learners = [learner for learner, _ in made]
    before = [learner.to_bytes() for learner in learners]
    found = arrange([TINY] * 2, learners, [parts for _, parts in made])
    assert found.programs * found.members == 2 and found.steps_per_second > 0 and not found.graph
    assert [learner.to_bytes() for learner in learners] == before

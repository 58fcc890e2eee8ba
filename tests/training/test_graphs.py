"""A step as a CUDA graph against the same step launched piece by piece."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from unittest.mock import MagicMock

import pytest
import torch

from senet_lab.spec import SE, Data, Model, Train, Trial
from senet_lab.training.begin import begin
from senet_lab.training.graphs import WARM_UP, stepper
from senet_lab.training.learner import Learner
from senet_lab.training.population import Arrangement, programs_of, train_together
from senet_lab.training.program import Program

gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def members(precision: str = "float32") -> list[Trial]:
    setting = Train(epochs=2, batch_size=50, learning_rate=0.02, precision=precision)  # type: ignore[arg-type]
    data = Data(source="digits", validation=506, crop_padding=1, flip=True, cutout=0.25)
    blocks = [None, SE(reduction=2), SE(reduction=4, gate="tanh", squeeze="max"), SE(reduction=1)]
    return [
        Trial(model=Model(depth=6, widths=(8, 16), se=se), data=data, train=setting, seed=seed)
        for seed, se in enumerate(blocks)
    ]


def trained(trials: Sequence[Trial], arrangement: Arrangement, device: str = "cuda") -> list[Learner]:
    made = [begin(trial, torch.device(device)) for trial in trials]
    learners = [learner for learner, _ in made]
    list(train_together(trials, learners, [parts for _, parts in made], arrangement))
    return learners


@pytest.mark.parametrize("way", [(1, 4), (2, 2), (4, 1)], ids=str)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=gpu)])
def test_without_a_graph_programs_take_turns(way: tuple[int, int], device: str) -> None:
    made = [begin(trial, torch.device(device)) for trial in members()]
    programs = programs_of(members(), [learner for learner, _ in made], [parts for _, parts in made], way[1])
    assert len(programs) == way[0]
    for program in programs:
        program.begin(1)
    stepper(programs, graph=False)(3)
    assert [int(program.feed.step_1) for program in programs] == [3] * way[0]
    assert all((program.loss_K > 0).all() for program in programs)


def pretended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """CUDA as far as `graphs` names it: a capture notes the steps taken in it, and a replay takes them again."""
    told, noted = list[str](), list[Callable[[], None]]()
    step = Program.step

    def taken(program: Program) -> None:
        told.append("step")
        if told.count("capture") > told.count("captured"):
            noted.append(lambda: step(program))
        else:
            step(program)

    @contextlib.contextmanager
    def capture(graph: object) -> Iterator[None]:
        told.append("capture")
        yield
        told.append("captured")

    graph = MagicMock()
    graph.replay = lambda: [again() for again in noted]
    for name, stand_in in {
        "Stream": MagicMock(), "current_stream": MagicMock(), "CUDAGraph": lambda: graph, "graph": capture,
        "stream": lambda _: contextlib.nullcontext(), "device": lambda _: contextlib.nullcontext(),
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(Program, "step", taken)
    return told


@pytest.mark.parametrize("way", [(1, 4), (2, 2), (4, 1)], ids=str)
def test_warm_up_and_capture_leave_no_trace(way: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU with a graph that is none: the same bits as without."""
    expected = trained(members(), Arrangement(*way, graph=False), "cpu")
    told = pretended(monkeypatch)
    found = trained(members(), Arrangement(*way, graph=True), "cpu")
    assert told == ["step"] * (WARM_UP * way[0]) + ["capture"] + ["step"] * way[0] + ["captured"]
    for ours, theirs in zip(found, expected, strict=True):
        states = ours.network.state_dict(), theirs.network.state_dict()
        assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
        assert [e.train_loss for e in ours.epochs] == [e.train_loss for e in theirs.epochs]


@pytest.mark.parametrize("way", [(1, 4), (2, 2), (4, 1)], ids=str)
@pytest.mark.parametrize(("precision", "bound"), [("float32", 1e-2), ("bfloat16", 5e-2)])
@pytest.mark.gpu
@gpu[1]
def test_a_graph_trains_as_its_steps_do(way: tuple[int, int], precision: str, bound: float) -> None:
    """The same kernels but for what cuDNN chooses; weights are of the size of 0.1 to 1."""
    trials = members(precision)
    found, expected = (trained(trials, Arrangement(*way, graph=graph)) for graph in (True, False))
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours.epochs) == len(theirs.epochs) == 2
        for name, tensor in ours.network.state_dict().items():
            torch.testing.assert_close(tensor, theirs.network.state_dict()[name], rtol=bound, atol=bound, msg=name)
        assert ours.epochs[-1].validation_loss == pytest.approx(theirs.epochs[-1].validation_loss, abs=bound)


@pytest.mark.gpu
@gpu[1]
def test_capturing_changes_nothing() -> None:
    """After a capture a program is where its learners are, and its first epoch begins at the first batch."""
    made = [begin(trial, torch.device("cuda")) for trial in members()]
    programs = programs_of(members(), [learner for learner, _ in made], [parts for _, parts in made], 2)
    before = [
        (p.sgd.values_E.clone(), p.sgd.momenta_E.clone(), [b.clone() for b in p.network.buffers()]) for p in programs
    ]
    stepper(programs, graph=True)
    for program, (values_E, momenta_E, buffers) in zip(programs, before, strict=True):
        assert torch.equal(program.sgd.values_E, values_E) and torch.equal(program.sgd.momenta_E, momenta_E)
        assert all(torch.equal(b, old) for b, old in zip(program.network.buffers(), buffers, strict=True))
        program.begin(1)
        assert int(program.feed.step_1) == 0


@pytest.mark.gpu
@gpu[1]
def test_a_member_that_diverges_disturbs_nobody_on_the_gpu() -> None:
    """No kernel for grouped convolutions lets a number that is none cross over."""
    trials = members()
    wild = trials[1].model_copy(update={"train": trials[1].train.model_copy(update={"learning_rate": 1e30})})
    found = trained([trials[0], wild, *trials[2:]], Arrangement(1, 4, graph=True))
    assert not found[1].epochs
    assert all(len(learner.epochs) == 2 for learner in (found[0], *found[2:]))
    assert all(t.isfinite().all() for k in (0, 2, 3) for t in found[k].network.state_dict().values())

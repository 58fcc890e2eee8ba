"""The optimizer, against torch's own as it comes."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from senet_lab.training.sgd import SGD

SHAPES = [(16, 3, 3, 3), (4, 16), (10, 33), (16,), (7,), ()]


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    values = [torch.randn(shape, generator=generator) for shape in SHAPES]
    return [nn.Parameter(v.contiguous(memory_format=torch.channels_last) if v.ndim == 4 else v) for v in values]


@pytest.mark.parametrize("decay", [0.0, 5e-4])
@pytest.mark.parametrize("momentum", [(0.9, True), (0.9, False), (0.0, False)], ids=str)
def test_steps_over_all_tensors_at_once_have_the_bits_of_torchs_steps(
    decay: float, momentum: tuple[float, bool]
) -> None:
    both = parameters(), parameters()
    asked = {"lr": 0.1, "momentum": momentum[0], "nesterov": momentum[1], "weight_decay": decay}
    ours = SGD(both[0], foreach=True, **asked)  # type: ignore[arg-type]
    theirs = torch.optim.SGD(both[1], foreach=False, **asked)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)
    for step in range(10):
        for one, other in zip(*both, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        for optimizer in (ours, theirs):
            optimizer.param_groups[0]["lr"] = 0.1 * 0.9**step
            optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(*both, strict=True))
    a, b = ours.state_dict(), theirs.state_dict()
    assert a["state"].keys() == b["state"].keys()
    for i, kept in b["state"].items():
        assert torch.equal(a["state"][i]["momentum_buffer"], kept["momentum_buffer"])
    theirs.load_state_dict(a)
    ours.load_state_dict(b)
    ours.zero_grad()
    assert all(p.grad is None for p in both[0])


def test_neither_a_trial_nor_its_checkpoint_imports_the_compiler_or_sympy() -> None:
    code = """if True:
        import sys, torch
        from senet_lab.recipes import DIGITS
        from senet_lab.spec import apply
        from senet_lab.training.begin import begin
        from senet_lab.training.train import train
        trial = apply(DIGITS, {"train.epochs": 1, "train.batch_size": 200, "model.se.reduction": 4})
        learner, parts = begin(trial, torch.device("cpu"))
        next(train(trial, learner, parts))
        learner.load_bytes(learner.to_bytes())
        assert not {"torch._dynamo", "sympy", "sklearn", "pandas"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)

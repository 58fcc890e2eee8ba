"""The Triton tail against the plain formula: its kernels on a GPU, or else in Triton's interpreter on the CPU.

Where Triton is missing, what is without it.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from senet_lab.blocks import tail, tail_triton

Tensors = tuple[Tensor, ...]
CUDA = torch.cuda.is_available()
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = torch.device("cuda" if CUDA else "cpu")
SIZES = {
    "small": (3, 5, 4, 3),
    "a position": (2, 6, 1, 1),
    "a channel": (2, 1, 5, 3),
    "whole tiles": (2, 16, 16, 16),
    "parts of tiles": (2, 70, 7, 11),
    "many channels": (2, 300, 3, 3),
}
TYPES = [
    "float32 float32 float32", "bfloat16 bfloat16 bfloat16", "bfloat16 bfloat16 float32",
    "bfloat16 float32 bfloat16", "float32 bfloat16 bfloat16", "float32 float32 bfloat16",
]  # fmt: skip


@pytest.fixture
def kernels() -> None:
    pytest.importorskip("triton")
    if not CUDA and not INTERPRETED:
        pytest.skip("on the CPU these run in the process of test_in_the_interpreter")


@pytest.mark.slow
@pytest.mark.skipif(CUDA or INTERPRETED, reason="for machines without a GPU")
def test_in_the_interpreter() -> None:
    """In a process of its own: Triton is interpreted only where that was said before its first import."""
    pytest.importorskip("triton")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", __file__]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled there")
@pytest.mark.parametrize("types", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["ended", "returned"])
def test_a_gpus_code_contracts_nothing_and_has_no_atomics(name: str, types: str, tmp_path: Path) -> None:
    """Compiled for an H100, which need not be there; the interpreter accepts more than the compiler."""
    triton = pytest.importorskip("triton", minversion="3.3")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from senet_lab.blocks import tail_kernels

    kernel = getattr(tail_kernels, name)
    fixed = {"RELU": True, "ROUND": types == "bf16", "P_TILE": 128, "C_TILE": 16}
    numbers = {"positions", "channels", "gate_step_n", "gate_step_c"}
    kinds = {n: "constexpr" if n in fixed else "i32" if n in numbers else f"*{types}" for n in kernel.arg_names}
    source = ASTSource(kernel, kinds, {(kernel.arg_names.index(n),): value for n, value in fixed.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_CACHE_DIR", str(tmp_path))
        made = triton.compile(source, GPUTarget("cuda", 90, 32), {"enable_fp_fusion": False})
    code = made.asm["ptx"]
    assert "mul" in code and "fma.rn.f32" not in code and "atom" not in code and "red.global" not in code
    assert ("cvt.rn.bf16" in code) == (types == "bf16")


def plain(branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor, relu: bool = True) -> Tensor:
    sum_NCHW = branch_NCHW * gate_NC[:, :, None, None] + shortcut_NCHW
    return sum_NCHW.relu() if relu else sum_NCHW


def inputs(size: str, types: str = TYPES[0]) -> Tensors:
    """A branch, a gate with a zero, a shortcut, a gradient."""
    generator = torch.Generator().manual_seed(1)
    images, channels, height, width = SIZES[size]
    gate = torch.rand(images, channels, generator=generator).index_fill_(1, torch.tensor([0]), 0)
    maps = [torch.randn(images, channels, height, width, generator=generator) for _ in range(3)]
    branch, shortcut, go = (m.to(memory_format=torch.channels_last) for m in maps)
    kinds = [getattr(torch, name) for name in types.split()]
    given = [t.to(DEVICE, kind) for t, kind in zip((branch, gate, shortcut), kinds, strict=True)]
    return *given, go.to(DEVICE, plain(*given).dtype)


def differentiated(call: Callable[..., Any], given: Tensors, go: Tensor, relu: bool) -> Tensors:
    leaves = [t.clone().requires_grad_() for t in given]
    out = call(*leaves, relu)
    assert out is not None
    return out.detach(), *torch.autograd.grad(out, leaves, go)


def check(mine: Tensors, theirs: Tensors, given: Tensors, go: Tensor) -> None:
    """Equal bits but for the gate's gradient; near where a GPU may contract or bfloat16 is cut off."""
    branch, gate, shortcut = (t.double() for t in given)
    scale = gate[:, :, None, None]
    coarse = any(t.dtype == torch.bfloat16 for t in given)
    magnitudes = ((branch * scale).abs() + shortcut.abs(), (go * scale).abs(), go.abs())
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
    for i, magnitude in zip((0, 1, 3), magnitudes, strict=True):
        assert mine[i].is_contiguous(memory_format=torch.channels_last)
        relative = 2**-6 if coarse else 2**-23 if CUDA else 0
        assert ((mine[i].double() - theirs[i].double()).abs() <= relative * magnitude).all()
    error_NC = (mine[2].double() - theirs[2].double()).abs()
    relative = 2**-6 if coarse else go[0, 0].numel() * 2**-24
    assert (error_NC <= relative * (go.double() * branch).abs().sum((2, 3))).all()


def decided(branch: Tensor, gate: Tensor, shortcut: Tensor, go: Tensor) -> Tensor:
    """The gradient without places where a bfloat16 that is cut off may change whether the ReLU lets it through.

    Triton's interpreter cuts off where a GPU, like PyTorch, rounds to the nearest.
    """
    branch, gate, shortcut = branch.double(), gate.double()[:, :, None, None], shortcut.double()
    sure = (branch * gate + shortcut).abs() > 2**-6 * ((branch * gate).abs() + shortcut.abs())
    return go * sure


CASES = [(size, types) for types in TYPES for size in (SIZES if types in TYPES[:2] else ["parts of tiles"])]


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize(("size", "types"), CASES)
def test_results_and_gradients_are_those_of_the_formula(kernels: None, size: str, types: str, relu: bool) -> None:
    *given, go = inputs(size, types)
    if "bfloat16" in types:
        go = decided(*given, go)
        assert (go != 0).float().mean() > 0.8
    mine, theirs = (differentiated(call, tuple(given), go, relu) for call in (tail_triton.gated_and_joined, plain))
    check(mine, theirs, tuple(given), go)
    assert not relu or 0 < (mine[0] == 0).float().mean() < 1
    again = differentiated(tail_triton.gated_and_joined, tuple(given), go, relu)
    assert all(torch.equal(a, b) for a, b in zip(mine, again, strict=True))
    with torch.no_grad():
        assert torch.equal(tail_triton.gated_and_joined(*given, relu), mine[0])  # type: ignore[arg-type,misc]


def test_positions_in_more_tiles_than_one_and_tiles_that_differ(kernels: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_triton, "TILE", 64)
    monkeypatch.setattr(tail_triton, "CHANNELS", 16)
    *given, go = inputs("parts of tiles")
    mine, theirs = (differentiated(call, tuple(given), go, True) for call in (tail_triton.gated_and_joined, plain))
    check(mine, theirs, tuple(given), go)


def test_a_gate_that_is_strided_and_a_gradient_that_is_expanded(kernels: None) -> None:
    branch, gate, shortcut, _ = inputs("small")
    given = (branch, gate.t().contiguous().t(), shortcut)
    go = torch.ones((), device=DEVICE).expand(branch.shape)
    assert not given[1].is_contiguous()
    leaves = [branch.clone().requires_grad_(), given[1].requires_grad_(), shortcut.clone().requires_grad_()]
    mine, theirs = (
        (out := call(*leaves, True), *torch.autograd.grad(out, leaves, go))  # type: ignore[operator,arg-type]
        for call in (tail_triton.gated_and_joined, plain)
    )
    check(mine, theirs, given, go)


def test_what_is_no_number_stays_none(kernels: None) -> None:
    branch, gate, shortcut, go = inputs("small")
    branch[0, 1, 0, 0] = float("nan")
    given = (branch, gate, shortcut)
    mine, theirs = (differentiated(call, given, go, True) for call in (tail_triton.gated_and_joined, plain))
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, equal_nan=True)
    assert mine[0].isnan().sum() == 1 and mine[2].isnan().sum() == 1


def test_what_does_not_fit_is_refused(kernels: None) -> None:
    branch, gate, shortcut, _ = inputs("small")
    assert tail_triton.gated_and_joined(branch, gate, shortcut) is not None
    for given in (
        (branch.contiguous(), gate, shortcut), (branch, gate, shortcut.contiguous()),
        (branch[:, :, ::2], gate, shortcut),
        (branch[:, :4], gate[:, :4], shortcut[:, :4]), (branch, gate[:1], shortcut),
        (branch[:0], gate[:0], shortcut[:0]),
        (branch.double(), gate, shortcut), (branch, gate, shortcut.half()),
    ):  # fmt: skip
        assert tail_triton.gated_and_joined(*given) is None


def test_no_second_derivative_is_made_up(kernels: None) -> None:
    branch, gate, shortcut, _ = (t.requires_grad_() for t in inputs("small"))
    out = tail_triton.gated_and_joined(branch, gate, shortcut)
    assert out is not None
    (of_branch,) = torch.autograd.grad(out.square().sum(), branch, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        of_branch.sum().backward()  # type: ignore[no-untyped-call]


class OnCuda(Tensor):
    """Says that it lies on a GPU."""

    is_cuda = True  # type: ignore[assignment]


def test_the_tail_asks_on_cuda_alone_and_does_itself_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    branch, gate, shortcut, _ = (t.cpu() for t in inputs("small"))
    expected, asked = plain(branch, gate, shortcut), []
    answers = [None, expected]

    def fused(*given: Any) -> Tensor | None:
        asked.append(given)
        return answers[len(asked) - 1]

    assert tail.fused is None
    monkeypatch.setattr(tail, "fused", fused)
    assert torch.equal(tail.gated_and_joined(branch.clone(), gate, shortcut), expected) and not asked
    there = branch.clone().as_subclass(OnCuda)
    assert torch.equal(tail.gated_and_joined(there, gate, shortcut), expected) and len(asked) == 1
    assert tail.gated_and_joined(branch.as_subclass(OnCuda), gate, shortcut) is expected
    assert asked[1][3] is True


def test_it_is_used_from_the_call_on_and_until_it_is_taken_back(kernels: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "fused", None)
    tail_triton.use()
    assert tail.fused is tail_triton.gated_and_joined
    tail_triton.use(False)
    assert tail.fused is None


def test_without_triton_everything_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['triton'] = None\n"
        "from senet_lab.blocks import se, tail, tail_triton\n"
        "assert not tail_triton.available()\n"
        "try: tail_triton.use()\n"
        "except ImportError: pass\n"
        "else: raise SystemExit('no error')\n"
        "assert tail.fused is None"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert tail_triton.available.__wrapped__() == (importlib.util.find_spec("triton") is not None)


@pytest.mark.gpu
@pytest.mark.skipif(not CUDA, reason="needs a CUDA device")
@pytest.mark.parametrize("types", TYPES[:2])
def test_in_a_cuda_graph_and_asked_by_the_tail(kernels: None, types: str, monkeypatch: pytest.MonkeyPatch) -> None:
    *given, go = inputs("parts of tiles", types)
    go = decided(*given, go)
    monkeypatch.setattr(tail, "fused", tail_triton.gated_and_joined)
    leaves = [torch.zeros_like(t).requires_grad_() for t in given]

    def step() -> Tensors:
        out = tail.gated_and_joined(*leaves)
        return out, *torch.autograd.grad(out, leaves, go)

    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = step()
    with torch.no_grad():
        for leaf, value in zip(leaves, given, strict=True):
            leaf.copy_(value)
    graph.replay()
    check(tuple(t.detach() for t in made), differentiated(plain, tuple(given), go, True), tuple(given), go)

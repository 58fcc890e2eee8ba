"""The end of a residual unit (`blocks.tail`) in Triton: one pass over memory forward, one back.

Not used unless `use` is called: these kernels have been compiled for a GPU, but have run in Triton's interpreter on a
CPU only. Whether they become the default waits for `benchmarks/gpu.py` to show on a GPU that they beat the plain tail
and the compiler's.
Triton is no dependency; builds of PyTorch for CUDA bring it along.

Rounding: result and gradients of branch and shortcut are rounded where the plain formula rounds them, and the compiler
is told not to contract: the same bits, unless it contracts all the same (then a float32 result may be off by half a
unit in the last place of the product, and its ReLU may decide otherwise where the sum is that near zero). The gradient
of the gate is added up in float32 in another order, always the same one, and products are not rounded to bfloat16
before: positions * 2^-24 of the sum of the magnitudes at most for float32; for bfloat16 its rounding and that of the
plain formula's products, 2^-7 of the same sum. No second derivatives.

Kernels are compiled at the first call with given types and sizes: before a CUDA graph's capture, in its warm-up.
Shapes: N images, C channels, H x W positions.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from senet_lab.blocks import tail

TILE = 2048
"""Elements that a program works on at a time."""
CHANNELS = 64
"""Of those, side by side, at most: 128 bytes in bfloat16, what a GPU reads at once."""
TYPES = (torch.float32, torch.bfloat16)


@cache
def available() -> bool:
    """Whether Triton can be imported."""
    try:
        from senet_lab.blocks import tail_kernels  # noqa: F401
    except ImportError:
        return False
    return True


def use(on: bool = True) -> None:
    """Let `tail.gated_and_joined` ask this module on CUDA from now on, or no longer.

    Raises:
        ImportError: Triton is not there.
    """
    if on:
        from senet_lab.blocks import tail_kernels  # noqa: F401
    tail.fused = gated_and_joined if on else None


def gated_and_joined(branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor, relu: bool = True) -> Tensor | None:
    """As `tail.gated_and_joined`; None for types or memory formats that are not for these kernels."""
    if not _fits(branch_NCHW, gate_NC, shortcut_NCHW):
        return None
    if torch.is_grad_enabled():
        return _Fused.apply(branch_NCHW, gate_NC, shortcut_NCHW, relu)  # type: ignore[no-untyped-call,no-any-return]
    return _end(branch_NCHW, gate_NC, shortcut_NCHW, relu)


def _fits(branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor) -> bool:
    maps, every = (branch_NCHW, shortcut_NCHW), (branch_NCHW, gate_NC, shortcut_NCHW)
    return (
        branch_NCHW.shape == shortcut_NCHW.shape
        and gate_NC.shape == branch_NCHW.shape[:2]
        and branch_NCHW.numel() > 0
        and all(t.is_contiguous(memory_format=torch.channels_last) for t in maps)
        and all(t.dtype in TYPES and t.device == branch_NCHW.device for t in every)
    )


class _Fused(torch.autograd.Function):
    """`_end` and `_back`; keeps what `tail` keeps: branch, gate and, for the ReLU, the result."""

    @staticmethod
    def forward(ctx: Any, branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor, relu: bool) -> Tensor:
        out_NCHW = _end(branch_NCHW, gate_NC, shortcut_NCHW, relu)
        ctx.shortcut_type = shortcut_NCHW.dtype
        ctx.save_for_backward(branch_NCHW, gate_NC, out_NCHW if relu else None)
        return out_NCHW

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, go_NCHW: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        branch_NCHW, gate_NC, out_NCHW = ctx.saved_tensors
        return *_back(go_NCHW, branch_NCHW, gate_NC, out_NCHW, ctx.shortcut_type), None


def _end(branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor, relu: bool) -> Tensor:
    from senet_lab.blocks import tail_kernels

    kind = torch.promote_types(torch.promote_types(branch_NCHW.dtype, gate_NC.dtype), shortcut_NCHW.dtype)
    out_NCHW = torch.empty_like(branch_NCHW, dtype=kind, memory_format=torch.channels_last)
    images, positions, channels, tile = _sizes(branch_NCHW)
    grid = (images * -(-positions // tile["P_TILE"]), -(-channels // tile["C_TILE"]))
    with torch.cuda.device_of(branch_NCHW):  # type: ignore[no-untyped-call]
        tail_kernels.ended[grid](
            out_NCHW, branch_NCHW, gate_NC, shortcut_NCHW, positions, channels, *gate_NC.stride(),
            RELU=relu, ROUND=_rounds(branch_NCHW, gate_NC), **tile, enable_fp_fusion=False,
        )  # fmt: skip
    return out_NCHW


def _back(
    go_NCHW: Tensor, branch_NCHW: Tensor, gate_NC: Tensor, out_NCHW: Tensor | None, shortcut_type: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of branch, gate and shortcut."""
    from senet_lab.blocks import tail_kernels

    go_NCHW = go_NCHW.contiguous(memory_format=torch.channels_last)  # it may be one number expanded
    of_branch_NCHW = torch.empty_like(branch_NCHW, memory_format=torch.channels_last)
    of_gate_NC = torch.empty_like(gate_NC, memory_format=torch.contiguous_format)
    of_shortcut_NCHW = torch.empty_like(go_NCHW, dtype=shortcut_type, memory_format=torch.channels_last)
    images, positions, channels, tile = _sizes(branch_NCHW)
    with torch.cuda.device_of(branch_NCHW):  # type: ignore[no-untyped-call]
        tail_kernels.returned[(images, -(-channels // tile["C_TILE"]))](
            of_branch_NCHW, of_gate_NC, of_shortcut_NCHW, go_NCHW, branch_NCHW, gate_NC,
            go_NCHW if out_NCHW is None else out_NCHW, positions, channels, *gate_NC.stride(),
            RELU=out_NCHW is not None, ROUND=_rounds(branch_NCHW, gate_NC), **tile, enable_fp_fusion=False,
        )  # fmt: skip
    return of_branch_NCHW, of_gate_NC, of_shortcut_NCHW


def _rounds(branch_NCHW: Tensor, gate_NC: Tensor) -> bool:
    return branch_NCHW.dtype == gate_NC.dtype == torch.bfloat16


def _sizes(x_NCHW: Tensor) -> tuple[int, int, int, dict[str, int]]:
    """Images, positions, channels; a tile of powers of two, as Triton wants them."""
    images, channels, height, width = x_NCHW.shape
    c_tile = min(CHANNELS, _power_of_two(channels))
    return (
        images,
        height * width,
        channels,
        {"P_TILE": min(TILE // c_tile, _power_of_two(height * width)), "C_TILE": c_tile},
    )


def _power_of_two(at_least: int) -> int:
    return 1 << (at_least - 1).bit_length()

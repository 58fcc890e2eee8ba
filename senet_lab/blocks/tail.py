"""How a residual unit ends: gate the branch, add the shortcut, ReLU, in as few passes over memory as can be.

Every bit, of results and of gradients, is that of the formula in plain operations (tests hold them against it); only
the memory is used better. Sums and ReLUs overwrite what nobody needs any more, and on the CPU large maps are worked
through a few images at a time, so that each operation finds in the cache what the one before it left there.
Shapes: N images, C channels, H x W positions.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

PIECE_BYTES = 2**20
"""Of one map, that are worked on at a time on the CPU: with the others beside it, about what a cache holds."""
SMALL_BYTES = 2**19
"""A map up to which, on the CPU, a Function's calls cost more than the passes it saves."""
fused: Callable[[Tensor, Tensor, Tensor, bool], Tensor | None] | None = None
"""Another way to do `gated_and_joined`, asked on CUDA; it answers None to what it cannot do (`tail_triton.use`)."""


def joined(branch_NCHW: Tensor, shortcut_NCHW: Tensor, relu: bool = True) -> Tensor:
    """relu(branch + shortcut), or the sum alone; overwrites `branch`, which no other may need, gradients included."""
    if torch.result_type(branch_NCHW, shortcut_NCHW) == branch_NCHW.dtype:
        branch_NCHW += shortcut_NCHW
    else:
        branch_NCHW = branch_NCHW + shortcut_NCHW
    return branch_NCHW.relu_() if relu else branch_NCHW


def gated(x_NCHW: Tensor, gate_NC: Tensor) -> Tensor:
    """gate * x."""
    if x_NCHW.dtype != gate_NC.dtype or _is_small(x_NCHW):
        return x_NCHW * gate_NC[:, :, None, None]
    return _Tail.apply(x_NCHW, gate_NC, None, False)  # type: ignore[no-untyped-call,no-any-return]


def gated_and_joined(branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor, relu: bool = True) -> Tensor:
    """relu(gate * branch + shortcut), or the sum alone; without gradients it overwrites `branch`, as `joined` does."""
    if fused is not None and branch_NCHW.is_cuda:
        done_NCHW = fused(branch_NCHW, gate_NC, shortcut_NCHW, relu)
        if done_NCHW is not None:
            return done_NCHW
    differ = not branch_NCHW.dtype == gate_NC.dtype == shortcut_NCHW.dtype  # under autocast
    if differ or (torch.is_grad_enabled() and _is_small(branch_NCHW)):
        return joined(branch_NCHW * gate_NC[:, :, None, None], shortcut_NCHW, relu)
    if torch.is_grad_enabled():
        return _Tail.apply(branch_NCHW, gate_NC, shortcut_NCHW, relu)  # type: ignore[no-untyped-call,no-any-return]
    return _end(branch_NCHW, branch_NCHW, gate_NC, shortcut_NCHW, relu)


class _Tail(torch.autograd.Function):
    """`_end`; its backward needs the branch, the gate and, for the ReLU, the result."""

    @staticmethod
    def forward(ctx: Any, branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor | None, relu: bool) -> Tensor:
        out_NCHW = _end(torch.empty_like(branch_NCHW), branch_NCHW, gate_NC, shortcut_NCHW, relu)
        ctx.joins, ctx.relu = shortcut_NCHW is not None, relu
        ctx.save_for_backward(branch_NCHW, gate_NC, *([out_NCHW] if relu else []))
        return out_NCHW

    @staticmethod
    def backward(ctx: Any, go_NCHW: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        branch_NCHW, gate_NC, *result = ctx.saved_tensors
        out_NCHW = result[0] if ctx.relu else None
        of_branch, of_gate, of_sum = _back(go_NCHW, branch_NCHW, gate_NC, out_NCHW)
        return of_branch, of_gate, of_sum if ctx.joins else None, None


def _end(out_NCHW: Tensor, x_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor | None, relu: bool) -> Tensor:
    """gate * x, plus the shortcut and rectified where asked, in `out`, which may be x.

    addcmul would save a pass and round once less: other bits.
    """
    gate_NC11 = gate_NC[:, :, None, None]
    for out, x, gate, *shortcut in _pieces(out_NCHW, x_NCHW, gate_NC11, shortcut_NCHW):
        torch.mul(x, gate, out=out)
        if shortcut:
            out += shortcut[0]
        if relu:
            out.relu_()
    return out_NCHW


def _back(go_NCHW: Tensor, x_NCHW: Tensor, gate_NC: Tensor, out_NCHW: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, of the gate and of the sum, of which `out` is the ReLU, if there is one."""
    gate_NC11 = gate_NC[:, :, None, None]
    if torch.is_grad_enabled() or (out_NCHW is None and not _is_dense(go_NCHW)):  # to be derived again; rare
        g_NCHW = go_NCHW if out_NCHW is None else torch.ops.aten.threshold_backward(go_NCHW, out_NCHW, 0)
        return g_NCHW * gate_NC11, (g_NCHW * x_NCHW).sum((2, 3)), g_NCHW
    g_NCHW = go_NCHW if out_NCHW is None else torch.empty_like(out_NCHW)
    of_x_NCHW, of_gate_NC = torch.empty_like(g_NCHW), torch.empty_like(gate_NC)
    pieces = _pieces(go_NCHW, g_NCHW, x_NCHW, gate_NC11, of_x_NCHW, of_gate_NC, out_NCHW)
    for go, g, x, gate, of_x, of_gate, *out in pieces:
        if out:
            torch.ops.aten.threshold_backward.grad_input(go, out[0], 0, grad_input=g)
        torch.mul(g, x, out=of_x)  # for a moment: the products whose sum is the gate's gradient
        torch.sum(of_x, (2, 3), out=of_gate)
        torch.mul(g, gate, out=of_x)
    return of_x_NCHW, of_gate_NC, g_NCHW


def _pieces(first: Tensor, *others: Tensor | None) -> Iterable[tuple[Tensor, ...]]:
    """The same images of all that are there; all of them at once but for large maps on the CPU."""
    tensors = [first, *(t for t in others if t is not None)]
    if not first.is_cpu or first.nbytes <= 2 * PIECE_BYTES:
        return [tuple(tensors)]
    images = max(1, len(first) * PIECE_BYTES // first.nbytes)
    return zip(*(torch.split(t, images) for t in tensors), strict=True)


def _is_small(x_NCHW: Tensor) -> bool:
    return x_NCHW.is_cpu and x_NCHW.nbytes <= SMALL_BYTES


def _is_dense(x_NCHW: Tensor) -> bool:
    return x_NCHW.is_contiguous() or x_NCHW.is_contiguous(memory_format=torch.channels_last)

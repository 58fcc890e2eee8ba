"""The Triton kernels of `tail_triton`; importing this needs Triton.

Maps lie as channels_last does: image after image, position after position, channels side by side. A program works
on a tile of P_TILE positions x C_TILE channels of one image; ROUND says that the product is a bfloat16 in between.
"""

# Triton reads annotations as code of the kernel: parameters have none but its own.
import triton
import triton.language as tl


@triton.jit
def _rounded(value, ROUND: tl.constexpr):
    """A float32 as the type of the product holds it."""
    if ROUND:
        value = value.to(tl.bfloat16).to(tl.float32)
    return value


@triton.jit
def ended(
    out, branch, gate, shortcut, positions, channels, gate_step_n, gate_step_c,
    RELU: tl.constexpr, ROUND: tl.constexpr, P_TILE: tl.constexpr, C_TILE: tl.constexpr,
):  # fmt: skip
    """relu(gate * branch + shortcut); grid: (images * tiles of positions, tiles of channels)."""
    tiles = tl.cdiv(positions, P_TILE)
    image = (tl.program_id(0) // tiles).to(tl.int64)
    p = (tl.program_id(0) % tiles) * P_TILE + tl.arange(0, P_TILE)
    c = tl.program_id(1) * C_TILE + tl.arange(0, C_TILE)
    at = image * positions * channels + p[:, None] * channels + c[None, :]
    inside = (p < positions)[:, None] & (c < channels)[None, :]
    scale = tl.load(gate + image * gate_step_n + c * gate_step_c, mask=c < channels, other=0).to(tl.float32)
    x = tl.load(branch + at, mask=inside, other=0).to(tl.float32)
    total = _rounded(x * scale[None, :], ROUND) + tl.load(shortcut + at, mask=inside, other=0).to(tl.float32)
    if RELU:
        total = tl.where(total <= 0, 0.0, total)  # unlike a maximum, this keeps what is no number, as torch does
    tl.store(out + at, total.to(out.dtype.element_ty), mask=inside)


@triton.jit
def returned(
    of_branch, of_gate, of_sum, go, branch, gate, out,
    positions, channels, gate_step_n, gate_step_c,
    RELU: tl.constexpr, ROUND: tl.constexpr, P_TILE: tl.constexpr, C_TILE: tl.constexpr,
):  # fmt: skip
    """Gradients of branch, gate and sum from `go`; grid: (images, tiles of channels), so no two programs add to one."""
    image = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * C_TILE + tl.arange(0, C_TILE)
    scale = tl.load(gate + image * gate_step_n + c * gate_step_c, mask=c < channels, other=0).to(tl.float32)
    total = tl.zeros((P_TILE, C_TILE), dtype=tl.float32)
    for first in range(0, positions, P_TILE):
        p = first + tl.arange(0, P_TILE)
        at = image * positions * channels + p[:, None] * channels + c[None, :]
        inside = (p < positions)[:, None] & (c < channels)[None, :]
        g = tl.load(go + at, mask=inside, other=0).to(tl.float32)
        if RELU:
            g = tl.where(tl.load(out + at, mask=inside, other=0).to(tl.float32) <= 0, 0.0, g)
        tl.store(of_sum + at, g.to(of_sum.dtype.element_ty), mask=inside)
        g = _rounded(g, ROUND)
        x = tl.load(branch + at, mask=inside, other=0).to(tl.float32)
        total += g * x
        tl.store(of_branch + at, (g * scale[None, :]).to(of_branch.dtype.element_ty), mask=inside)
    sums = tl.sum(total, axis=0).to(of_gate.dtype.element_ty)
    tl.store(of_gate + image * channels + c, sums, mask=c < channels)

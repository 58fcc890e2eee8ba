"""What a GPU makes of one trial's step: number formats, memory formats, graphs, compilation; time to an accuracy.

    PYTHONPATH=. python -m benchmarks.gpu --data-dir DATA --source parquet:cifar10

Needs torch, numpy and pydantic alone; the time to an accuracy also what reads the images (pyarrow, Pillow).
"""

import contextlib
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import measure
from benchmarks.cases import Case, resnet20, resnet50
from benchmarks.measure import CannotRun, Part, Row

Work = Callable[[], object]
Form = Callable[..., torch.Tensor | None]
FIRST = "plain, eager, fp32, NCHW"


def step(network: nn.Module, case: Case, bf16: bool, last: bool) -> Work:
    """A step of SGD on one batch that lies on the GPU."""
    memory_format = torch.channels_last if last else torch.contiguous_format
    network.to("cuda", memory_format=memory_format).train()
    x = torch.randn(case.batch, case.channels, case.size, case.size, device="cuda").to(memory_format=memory_format)
    y = torch.randint(case.classes, (case.batch,), device="cuda")
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True, fused=True)

    def work() -> None:
        precision = torch.autocast("cuda", torch.bfloat16) if bf16 else contextlib.nullcontext()
        with precision:
            loss = F.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return work


def as_graph(work: Work) -> Work:
    """As PyTorch's documentation captures a whole step: warm-up on a side stream, then the capture."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def tail_forms() -> dict[str, Form]:
    """Other ways to end a residual unit than `blocks.tail`, by name."""
    found: dict[str, Form] = {"compiled": torch.compile(plain_tail)}
    with contextlib.suppress(ImportError):
        from senet_lab.blocks import tail_triton

        if tail_triton.available():
            found["Triton"] = tail_triton.gated_and_joined
    return found


def plain_tail(x: torch.Tensor, gate: torch.Tensor, shortcut: torch.Tensor, relu: bool = True) -> torch.Tensor:
    total = x * gate[:, :, None, None] + shortcut
    return F.relu(total) if relu else total


def with_tail(form: Form, work: Work) -> Work:
    """The work, with residual units that end in this form wherever it takes them."""
    from senet_lab.blocks import tail

    def other() -> None:
        tail.fused = form
        try:
            work()
        finally:
            tail.fused = None

    return other


def ways(case: Case, compiled: bool) -> dict[str, Callable[[], Work]]:
    """By name, what makes the step."""
    found: dict[str, Callable[[], Work]] = {FIRST: lambda: step(case.theirs(), case, False, False)}
    for bf16 in (False, True):
        for last in (False, True):
            name = f"{'bf16' if bf16 else 'fp32'}, {'NHWC' if last else 'NCHW'}"
            found[f"ours, eager, {name}"] = lambda b=bf16, c=last: step(case.ours(), case, b, c)
    for bf16 in (False, True):
        name = f"{'bf16' if bf16 else 'fp32'}, NHWC"
        found[f"ours, CUDA graph, {name}"] = lambda b=bf16: as_graph(step(case.ours(), case, b, True))
        for tail, form in tail_forms().items() if compiled else ():
            found[f"ours, CUDA graph, {tail} tail, {name}"] = lambda b=bf16, f=form: as_graph(
                with_tail(f, step(case.ours(), case, b, True))
            )
    if compiled:
        found["ours, compiled, bf16, NHWC"] = lambda: step(torch.compile(case.ours("cuda")), case, True, True)
        found["ours, compiled and graph, bf16, NHWC"] = lambda: as_graph(
            step(torch.compile(case.ours("cuda")), case, True, True)
        )
    return found


def steps(chosen: Namespace, part: Part) -> None:
    cases = [resnet20(16), resnet20(16, 1024), resnet50(16, 64)]
    for case in cases[:1] if chosen.quick else cases:
        what = f"{case.name}, {case.size}x{case.size}, B={case.batch}"
        clocks = {}
        for name, make in ways(case, not chosen.quick).items():
            try:
                since = time.perf_counter()
                clocks[name] = measure.clocked(make(), "cuda", times=20)
                part.raw[f"{what}: {name}: seconds to its first step"] = time.perf_counter() - since
            except Exception as error:
                part.rows.append(Row(f"{what}: {name}", "", remark=f"failed: {type(error).__name__}: {error}"[:200]))
        _add(part, what, clocks, chosen.rounds or 5, case.batch)
        torch.cuda.empty_cache()


def _add(part: Part, what: str, clocks: dict[str, Callable[[], float]], rounds: int, batch: int = 0) -> None:
    """Rows of ways against the first of them."""
    seconds = measure.in_turn(clocks, rounds, what)
    part.raw[what] = seconds
    first = next(iter(seconds))

    def shown(name: str) -> str:
        return measure.text([batch / s for s in seconds[name]], "images/s") if batch else measure.text(seconds[name])

    for name in list(seconds)[1:]:
        part.rows.append(
            Row(f"{what}: {name}", shown(name), shown(first), measure.ratios(seconds[first], seconds[name]))
        )


def tails(chosen: Namespace, part: Part) -> None:
    """relu(gate * x + shortcut), forward and back: plain, compiled, and ours where it is."""
    forms: dict[str, Form] = {"plain": plain_tail, **tail_forms()}
    with contextlib.suppress(ImportError, AttributeError):
        from senet_lab.blocks import tail

        forms["ours"] = tail.gated_and_joined
    for dtype in (torch.float32, torch.bfloat16):
        x, shortcut, go = (
            torch.randn(1024, 16, 32, 32, device="cuda", dtype=dtype).to(memory_format=torch.channels_last)
            for _ in range(3)
        )
        gate = torch.rand(1024, 16, device="cuda", dtype=dtype)

        def work(form: Form, given: tuple[torch.Tensor, ...], go: torch.Tensor) -> None:
            torch.autograd.grad(form(*given), given, go)

        given = tuple(t.requires_grad_() for t in (x, gate, shortcut))
        clocks = {n: measure.clocked(lambda f=f, g=given, o=go: work(f, g, o), "cuda", 20) for n, f in forms.items()}
        _add(part, f"SE tail, (1024, 16, 32, 32), {str(dtype).removeprefix('torch.')}", clocks, chosen.rounds or 5)


def to_accuracy(chosen: Namespace, part: Part) -> None:
    """Seconds of training, evaluations included, until the validation error is small enough."""
    if chosen.data_dir is None:
        part.notes.append("Time to an accuracy: not asked for; --data-dir and --source name the images.")
        return
    from senet_lab.recipes import CIFAR10
    from senet_lab.spec import SE, Trial
    from senet_lab.training.begin import begin
    from senet_lab.training.train import train

    settings = CIFAR10.model_dump() | {"model": CIFAR10.model.model_copy(update={"se": SE()}).model_dump()}
    settings["data"]["source"] = chosen.source
    settings["train"] |= {"epochs": chosen.epochs, "schedule": "cosine", "drops": (), "warmup_epochs": 1.0}
    trial = Trial.model_validate(settings)
    learner, parts = begin(trial, torch.device("cuda"), chosen.data_dir)
    since = time.perf_counter()
    for metrics in train(trial, learner, parts):
        measure.progress(f"epoch {metrics.epoch}: validation error {metrics.validation_error:.3f}")
        if metrics.validation_error <= chosen.error:
            seconds = time.perf_counter() - since
            what = f"SE-ResNet-20, {chosen.source}: validation error {chosen.error:g} reached in epoch {metrics.epoch}"
            part.rows.append(Row(what, measure.text([seconds]), remark=f"of a cosine over {chosen.epochs} epochs"))
            return
    part.rows.append(Row(f"validation error {chosen.error:g}", "", remark=f"not reached in {chosen.epochs} epochs"))


def fill(chosen: Namespace, part: Part) -> None:
    if not torch.cuda.is_available():
        raise CannotRun(f"needs a CUDA GPU; torch {torch.__version__} sees none")
    part.raw["gpu"] = torch.cuda.get_device_name()
    part.notes.append(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, 20 steps a timing, fused SGD.")
    steps(chosen, part)
    tails(chosen, part)
    to_accuracy(chosen, part)


PART = Part(
    "One trial on a GPU", "speed of the way that is named over the plain eager one (fp32, NCHW)", other="plain, eager"
)

if __name__ == "__main__":
    parser = measure.options(__doc__)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--source", default="cifar10")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--error", type=float, default=0.1)
    measure.main(parser, fill, PART)

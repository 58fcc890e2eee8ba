"""A step of one or several tensor programs as one CUDA graph: launched at once, without Python in between.

As the CUDA graphs section of PyTorch's documentation wants it: the same memory at every step, a warm-up on a
side stream before the capture, and nothing in it that waits for the device. Programs run side by side, each on
a stream of its own that the capture forks into and joins again.
"""

from collections.abc import Callable, Sequence

import torch

from senet_lab.training.program import Program

WARM_UP = 3
"""Steps before the capture, in which libraries choose their kernels and get their workspaces."""
Steps = Callable[[int], None]
"""Takes a number of steps of all programs."""


def stepper(programs: Sequence[Program], graph: bool) -> Steps:
    """The steps of `programs`, one program after another or, as a `graph`, all at once.

    A graph is captured here, which costs a few steps; the programs are as they were before, but have to
    `begin` an epoch anew.
    """
    return _replayed(programs) if graph else lambda steps: _in_turn(programs, steps)


def _in_turn(programs: Sequence[Program], steps: int) -> None:
    for program in programs:
        for _ in range(steps):
            program.step()


def _replayed(programs: Sequence[Program]) -> Steps:
    device = programs[0].loss_K.device
    # The stream in use comes back also where the capture fails, which torch leaves behind then.
    with torch.cuda.device(device), torch.cuda.stream(torch.cuda.current_stream(device)):
        streams = [torch.cuda.Stream(device) for _ in programs]  # type: ignore[no-untyped-call]
        for program, stream in zip(programs, streams, strict=True):
            program.begin(1)
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    program.step()
            torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for stream in streams:
                stream.wait_stream(torch.cuda.current_stream())
            for program, stream in zip(programs, streams, strict=True):
                with torch.cuda.stream(stream):
                    program.step()
            for stream in streams:
                torch.cuda.current_stream().wait_stream(stream)
    for program in programs:
        program.load()

    def replay(steps: int) -> None:
        for _ in range(steps):
            graph.replay()

    return replay

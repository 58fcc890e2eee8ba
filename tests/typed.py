"""Commands and trainings in this process, where a process of their own is not what is tested: it costs seconds."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from senet_lab import catalog, inventory, sweep
from senet_lab.executors.local import Local
from tests.bad.case import Answer, answer


def typed(folder: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> Answer:
    """What `senet-lab` says when it is typed in `folder`."""
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patched:
        for name, value in (variables or {}).items():
            patched.setenv(name, value)
        return answer([*arguments])


def train(file: Path, runs: Path, seeds: int | None = None) -> None:
    """Run the trials of a sweep file with nobody in their way, without report and MLflow."""
    question = catalog.read(file)
    question = question if seeds is None else catalog.derive(question, {}, seeds=seeds)
    sweep.run(inventory.take(question, runs), Local(), lambda step: None)

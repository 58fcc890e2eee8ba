"""A report's files, drawn on several cores."""

import os
from multiprocessing import parent_process
from pathlib import Path

import pytest

from senet_lab.commands import report
from senet_lab.results import artifacts, figures
from tests.commands.conftest import Fill

draw = artifacts.draw


def draw_only_at_home(name: str, shown: figures.Shown) -> artifacts.Drawing:
    """As if memory ran out in any other process."""
    if parent_process() is not None:
        os._exit(9)
    return draw(name, shown)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_any_number_of_cores_gives_the_same_bytes(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fill(seeds=2)
    for count in (1, 3):
        monkeypatch.setattr(report, "cores", lambda count=count: count)
        report.report_only(found, Path(str(count)), include_stale=False)
    (one,), (two,) = (list(Path(str(count)).iterdir()) for count in (1, 3))
    assert len(files(one)) == 25
    assert files(one) == files(two)


def test_a_process_that_dies_costs_no_report(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fill(seeds=2)
    monkeypatch.setattr(report, "cores", lambda: 1)
    report.report_only(found, Path("whole"), include_stale=False)
    monkeypatch.setattr(report, "cores", lambda: 4)  # helpers of no other test's number: they die
    monkeypatch.setattr(artifacts, "draw", draw_only_at_home)
    report.report_only(found, Path("died"), include_stale=False)
    (whole,), (died,) = (list(Path(name).iterdir()) for name in ("whole", "died"))
    assert files(whole) == files(died)

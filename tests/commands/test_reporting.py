"""A report's files, drawn on several cores."""

import os
import signal
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


@pytest.mark.long
def test_whoever_draws_the_bytes_are_the_same(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """One core, two helpers, and helpers that die while they draw."""
    found = fill(seeds=2)
    for count, place in ((1, "alone"), (3, "helped"), (2, "bereft")):
        monkeypatch.setattr(report, "cores", lambda count=count: count)
        if place == "bereft":
            monkeypatch.setattr(artifacts, "draw", draw_only_at_home)
        report.report_only(found, Path(place), include_stale=False)
    (alone,), (helped,), (bereft,) = (list(Path(place).iterdir()) for place in ("alone", "helped", "bereft"))
    assert len(files(alone)) == 25
    assert files(alone) == files(helped) == files(bereft)


def test_what_is_prepared_twice_is_there_once_and_can_be_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """As look after look, and a sweep that ends without a report."""
    monkeypatch.setattr(report, "cores", lambda: 2)
    report.prepare(lambda: None)
    report.prepare(lambda: None)
    (helpers,) = report._prepared
    report.release()
    assert not report._prepared
    for process in helpers._started:
        process.join(30)
        assert process.exitcode == -signal.SIGKILL

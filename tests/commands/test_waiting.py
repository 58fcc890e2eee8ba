"""What a terminal shows while something takes seconds, and that nothing else ever sees it."""

import io
import sys
from collections.abc import Callable

import pytest

from senet_lab.commands import foreseeing, waiting
from senet_lab.inventory import Inventory
from tests.commands.conftest import Fill


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_and_output_goes_where_it_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with waiting("Writing [the report]"):
        print("{}")
    assert "Writing [the report] ..." in terminal.getvalue()
    assert capsys.readouterr().out == "{}\n"


def test_scripts_see_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting("Writing"), waiting("Writing"):
        print("{}")
    assert capsys.readouterr() == ("{}\n", "")


def test_networks_are_timed_where_no_trial_is_done(ask: Callable[..., Inventory], fill: Fill) -> None:
    assert foreseeing(ask(), 4.0).startswith("Timing the networks") and foreseeing(ask(), 0.0).startswith("Looking")
    assert foreseeing(fill(seeds=2), 4.0).startswith("Looking")

"""A Ctrl-C where Python drops it; and that nothing is left of the handler."""

import signal
import sys
import threading
import weakref
from types import SimpleNamespace
from typing import cast

import pytest

from senet_lab.commands.sweep import _listener
from senet_lab.jobs import Step
from senet_lab.plan import PlannedTrial
from senet_lab.signals import remembered
from senet_lab.tracking import Projection


class Thing:
    """What a weak reference can be of."""


def pressed_in_a_callback() -> None:
    """SIGINT while a weakref callback runs: Python by itself prints it, as "Exception ignored in", and goes on."""
    thing = Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing
    assert reference() is None


def test_what_python_drops_is_raised_at_the_next_step_of_a_sweep() -> None:
    told = []
    projection = cast(Projection, SimpleNamespace(epochs=lambda planned, epochs: told.append(planned)))
    with remembered() as check:
        listener = _listener(projection, check)
        listener(Step(cast(PlannedTrial, "first"), ()))
        pressed_in_a_callback()
        with pytest.raises(KeyboardInterrupt):
            listener(Step(cast(PlannedTrial, "second"), ()))
    assert told == ["first"]


def test_what_python_drops_is_raised_at_the_next_check_and_a_second_one_at_once() -> None:
    hook = sys.unraisablehook
    with remembered() as check:
        check()
        pressed_in_a_callback()
        with pytest.raises(KeyboardInterrupt):
            check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and sys.unraisablehook is hook


def test_an_ordinary_ctrl_c_raises_at_once_and_the_handler_goes_with_it() -> None:
    with pytest.raises(KeyboardInterrupt), remembered():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_command_in_the_background_stays_deaf() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with remembered() as check:
            signal.raise_signal(signal.SIGINT)
            check()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_changes_nothing() -> None:
    found = []

    def look() -> None:
        with remembered() as check:
            check()
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]

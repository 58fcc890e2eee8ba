"""A Ctrl-C that waits for a better moment, and comes then."""

import os
import signal
import threading

import pytest

from senet_lab.signals import deferred, gently


def test_it_comes_at_the_end() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append(True)
    assert reached and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_one_nothing_comes() -> None:
    with deferred():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_keeps_its_word() -> None:
    with pytest.raises(ValueError, match="mine"), deferred():
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_first_is_given_away_and_the_second_is_as_ever() -> None:
    said, speaker = threading.Event(), []

    def say() -> None:
        speaker.append(threading.current_thread())
        said.set()

    stopped = []
    with pytest.raises(KeyboardInterrupt), gently(lambda: not stopped.append(True), say):
        signal.raise_signal(signal.SIGINT)
        assert said.wait(60) and speaker != [threading.main_thread()]
        assert stopped == [True]
        signal.raise_signal(signal.SIGINT)
    assert stopped == [True] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_nobody_takes_is_as_ever() -> None:
    said = []
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), gently(lambda: False, lambda: said.append(True)):
        signal.raise_signal(signal.SIGINT)
    with gently(lambda: True, lambda: said.append(True)):
        pass
    assert not said and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for thread in threading.enumerate()[before:]:
        thread.join(60)
        assert not thread.is_alive()


def test_ignored_stays_ignored_and_other_threads_are_left_alone() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred(), gently(lambda: True, lambda: None):
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    failed: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with deferred(), gently(lambda: True, lambda: None):
                pass
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert failed == []

"""What a trial gets of a machine, in Ray's words."""

import pytest

from senet_lab.executors.slot import Slot


def test_a_slot_says_what_it_needs() -> None:
    assert Slot().resources == {"CPU": 1}
    assert Slot(cpus=2, gpus=0.25).resources == {"CPU": 2, "GPU": 0.25}


@pytest.mark.parametrize(("gpus", "shares"), [(0.0, False), (0.25, True), (0.5, True), (1.0, False), (2.0, False)])
def test_a_part_of_a_gpu_is_shared(gpus: float, shares: bool) -> None:
    assert Slot(gpus=gpus).shares_gpu is shares


def test_alone_is_a_whole_gpu_and_never_less_than_before() -> None:
    assert Slot(cpus=3, gpus=0.25).alone() == Slot(cpus=3, gpus=1.0)
    assert Slot(gpus=2.0).alone() == Slot(gpus=2.0)
    assert Slot().alone() == Slot(), "without one, none is asked for"


@pytest.mark.parametrize(("gpus", "roomier"), [(0.1, 0.2), (0.25, 0.5), (0.75, 1.0), (1.0, 1.0), (0.0, 0.0)])
def test_roomier_halves_the_neighbours(gpus: float, roomier: float) -> None:
    assert Slot(gpus=gpus, at_once=4).roomier() == Slot(gpus=roomier, at_once=4)


def test_a_group_has_a_gpu_for_itself_unless_a_share_was_asked_for() -> None:
    default = Slot(gpus=0.25, whole_for_groups=True)
    assert default.of(1) == default and default.of(16).gpus == 1.0
    assert Slot(gpus=0.25).of(16).gpus == 0.25
    assert Slot(whole_for_groups=True).of(16).gpus == 0.0, "there is none"
    assert default.roomier().of(2).gpus == 1.0

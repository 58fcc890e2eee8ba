"""Test labels survive their file, and a file that does not is none."""

import numpy as np
import pytest

from senet_lab import labels

NAMES = ("goldfish", "plane, carpenter's", "ä")
LABELS = np.array([2, 0, 1, 1, 2], np.int64)


@pytest.mark.parametrize("classes", [3, 2**15, 2**15 + 1])
def test_labels_and_names_come_back(classes: int) -> None:
    names = NAMES + tuple(map(str, range(3, classes)))
    mine = np.append(LABELS, classes - 1)
    found = labels.from_bytes(labels.to_bytes(mine, names))
    assert found is not None and found[0].tolist() == mine.tolist() and found[0].dtype == np.int64
    assert found[1] == names


def test_the_same_labels_make_the_same_bytes() -> None:
    assert labels.to_bytes(LABELS, NAMES) == labels.to_bytes(LABELS.copy(), NAMES)


def test_no_damage_gives_other_labels() -> None:
    """Either the file says what it said, or it says nothing."""
    whole = labels.to_bytes(LABELS, NAMES)
    for place in range(0, len(whole), 7):
        damaged = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        found = labels.from_bytes(damaged)
        assert found is None or (found[0].tolist(), found[1]) == (LABELS.tolist(), NAMES), place
    for length in range(0, len(whole), 11):
        assert labels.from_bytes(whole[:length]) is None
    assert labels.from_bytes(b"rubbish") is None

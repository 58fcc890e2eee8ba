"""SIGKILL at random moments: the same command again makes it good. The longer run is benchmarks/kill.py."""

import random
from pathlib import Path

import pytest

from benchmarks import kill
from tests.typed import typed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]


@pytest.mark.long
def test_a_driver_killed_at_random_moments(tmp_path: Path) -> None:
    """Each trial once, complete and bit-equal; nothing RUNNING, nothing double, nothing left behind."""
    tormented, undisturbed = tmp_path / "tormented", tmp_path / "undisturbed"
    for folder in (tormented, undisturbed):
        kill.write(folder, epochs=6)
    story = kill.torment(tormented, 13, random.Random(4), ray_share=0.4)
    assert story.count == 13 and story.of_ray >= 5 and 5 <= story.alone <= 8
    done = kill.run(tormented, *kill.arguments(story.seeds, "ray"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert typed(undisturbed, *kill.arguments(story.seeds, "local")).code == 0
    assert list(kill.faults(tormented, undisturbed)) == []
    assert len(kill.results(tormented)) == 2 * story.seeds
    kill.until_gone(tormented)

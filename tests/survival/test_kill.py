"""SIGKILL at random moments: the same command again makes it good. The longer run is benchmarks/kill.py."""

import random
from pathlib import Path

import pytest

from benchmarks import kill

pytestmark = pytest.mark.slow


def test_a_driver_killed_at_random_moments(tmp_path: Path) -> None:
    """Each trial once, complete and bit-equal; nothing RUNNING, nothing double, nothing left behind."""
    tormented, undisturbed = tmp_path / "tormented", tmp_path / "undisturbed"
    for folder in (tormented, undisturbed):
        kill.write(folder, epochs=6)
    story = kill.torment(tormented, 26, random.Random(4), ray_share=0.45)
    assert story.count == 26 and story.of_ray >= 10 and 10 <= story.alone <= 16
    for folder, executor in ((tormented, "ray"), (undisturbed, "local")):
        done = kill.run(folder, *kill.arguments(story.seeds, executor))
        assert done.returncode == 0, done.stdout + done.stderr
    assert list(kill.faults(tormented, undisturbed)) == []
    assert len(kill.results(tormented)) == 2 * story.seeds
    kill.until_gone(tormented)

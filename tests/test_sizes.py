"""How many trials pay together: asked of another process, which may fail without harm."""

from pathlib import Path

import pytest

from senet_lab import sizes
from senet_lab.spec import Trial
from tests.conftest import TINY


@pytest.mark.long
def test_a_size_is_measured_and_an_error_is_an_answer() -> None:
    lost = TINY.model_copy(update={"data": TINY.data.model_copy(update={"source": "parquet:nowhere"})})
    size, error = sizes.measured([TINY, lost], "cpu", Path("data"))
    assert isinstance(size, int) and size >= 1
    assert "there is no folder" in str(error)


def test_no_trials_need_no_process() -> None:
    nothing: list[Trial] = []
    assert list(sizes.measured(nothing, "cpu", Path("data"))) == []

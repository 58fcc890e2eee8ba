"""Numbers of candidates say what they count."""

from dataclasses import replace

import pytest

from senet_lab.results import outcomes
from tests.results import studied


@pytest.mark.parametrize(
    ("came", "ended", "told"),
    [
        (["done"] * 3, "3 candidates", ""),
        (
            ["done"] * 2 + ["stopped"] * 6,
            "2 candidates that were trained to their end (besides 6 stopped early)",
            "2 trained to their end, 6 stopped early",
        ),
        (
            ["failed", "done"],
            "1 candidate that was trained to its end (besides 1 failed)",
            "1 trained to its end, 1 failed",
        ),
    ],
)
def test_candidates_are_counted_by_what_came_of_them(came, ended, told):
    tried = studied.searched().tried
    tried = replace(tried, candidates=tried.candidates.head(len(came)).assign(outcome=came))
    assert outcomes.to_their_end(tried, str(came.count("done"))) == ended
    assert outcomes.told(tried) == told

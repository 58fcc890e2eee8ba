"""A store of synthetic trials of a shipped question: what commands that only read need."""

from collections.abc import Callable
from pathlib import Path

import pytest

from senet_lab import catalog, inventory, store
from senet_lab.inventory import Inventory
from senet_lab.records import Environment
from tests.results.conftest import make_record

Fill = Callable[..., Inventory]


def environment(command: str, **changes: object) -> Environment:
    known: dict[str, object] = {"command": command, "python": "3.11", "platform": "Linux", "cpu": "Some", "cores": 2}
    known |= {"gpus": (), "packages": {"torch": "2.13"}, "git_commit": "c0ffee", "git_diff": None}
    return Environment.model_validate(known | changes)


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Trials of `reduction_ratio` in ./runs, all but `without`: row i has 30 + 3 i + (7 seed mod 3) wrong."""
    monkeypatch.chdir(tmp_path)

    def filled(seeds: int = 4, without: tuple[str, ...] = (), more: int = 0) -> Inventory:
        question = catalog.derive(catalog.read(catalog.find("reduction_ratio")), {}, seeds=seeds)
        found = inventory.take(question, "runs")
        first = found.store.save_environment(environment("senet-lab sweep reduction_ratio --seeds 2"))
        later = found.store.save_environment(
            environment("senet-lab sweep reduction_ratio", git_commit="decade", git_diff="+x")
        )
        labels = [row.label for row in question.rows]
        for planned in found.planned:
            if planned.name in without:
                continue
            wrong = 30 + 3 * labels.index(planned.variant.label) + (planned.trial.seed * 7) % 3 + more
            record = make_record(planned, wrong, environment=first if planned.trial.seed < 2 else later)
            store.finish(found.store.open(planned), record)
        return found.again()

    return filled

"""What MLflow has already: the runs of an experiment by what they are of."""

from collections.abc import Iterator
from typing import Any

from senet_lab.tracking import runs

PAGE = 500
"""Runs a request; a thousand are a second's work for a server, and it has ten."""


def find(client: Any, experiment: str) -> tuple[dict[runs.Key, runs.Run], dict[str, runs.Key]]:
    """Our runs in an experiment; and those that say the same again, by id.

    Two commands at once, or an answer that was lost, can make a run twice. The one that has ended is kept,
    else the older one.
    """
    known: dict[runs.Key, runs.Run] = {}
    doubles: dict[str, runs.Key] = {}
    for run in _all(client, experiment):
        key = runs.key_of(run.tags)
        if not all(key):
            continue
        kept = known.setdefault(key, run)
        if kept is not run:
            better, worse = (run, kept) if _ended(run) > _ended(kept) else (kept, run)
            known[key] = better
            doubles[worse.id] = key
    return known, doubles


def _ended(run: runs.Run) -> bool:
    return runs.ENDED in run.tags


def _all(client: Any, experiment: str) -> Iterator[runs.Run]:
    """Oldest first."""
    token = None
    while True:
        page = client.search_runs([experiment], max_results=PAGE, page_token=token, order_by=["start_time"])
        for found in page:
            info, data = found.info, found.data
            tags, metrics, params = dict(data.tags), dict(data.metrics), set(data.params)
            yield runs.Run(info.run_id, info.status, info.run_name, tags, info.start_time, metrics, None, params)
        token = page.token
        if not token:
            return

"""The record of a trial whose worker died: nothing was raised in it, so whoever waited for it writes the record."""

import time

from senet_lab import store
from senet_lab.jobs import Job, Step, new_record
from senet_lab.together import ended

MAX_WORKER_DEATHS = 2
"""So many times a trial is tried again."""


def lost(job: Job, said: str, started_at: float | None = None) -> Step:
    """The failed record of a trial whose worker died more often than that; its own, if it has one.

    `said`: the worker's last words; `started_at`: Unix time of the last start, where it is known.
    """
    if (record := ended(job)) is not None:
        return Step(job.planned, (), record)
    started_at = started_at or time.time()
    record = new_record(
        job,
        status="failed",
        started_at=started_at,
        ended_at=max(started_at, time.time()),  # the clock may have been set meanwhile
        seconds=0.0,
        attempts=1 + MAX_WORKER_DEATHS,
        traceback=(
            f"the worker process died {1 + MAX_WORKER_DEATHS} times ({said}); most often the "
            f"machine's memory ran out (fewer at once: --workers 1) or a library crashed"
        ),
        device=job.device,
    )
    store.finish(store.Store(job.store, job.sweep).open(job.planned, job.folder), record)
    return Step(job.planned, (), record)

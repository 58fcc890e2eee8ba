"""What a sitting takes, kept in the store while it runs: whatever ends it, what was known some seconds before stays."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from senet_lab.errors import StoreError
from senet_lab.expected import Expected
from senet_lab.inventory import Inventory
from senet_lab.jobs import Step
from senet_lab.meters import Meters
from senet_lab.records import Foreseen, Sitting
from senet_lab.store import Store

EVERY_SECONDS = 10.0


@dataclass
class Logbook:
    """Listens to steps; a context manager around the sitting. Where it cannot write, the sweep goes on without."""

    store: Store
    known: dict[str, Any]
    """What a `Sitting` says from its beginning on."""
    meters: Meters | None
    """None on a cluster: the energy of this machine is none of its trials'."""
    since: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.process_time)
    """Processor time of this process when it began."""
    first: float | None = None
    last: float | None = None
    ended: int = 0
    environment: str = ""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._writes = threading.Thread(target=self._write_on, name="logbook", daemon=True)

    @property
    def number(self) -> int:
        """The sitting's."""
        return int(self.known["number"])

    def __enter__(self) -> Self:
        self._write()
        self._writes.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        self._writes.join()
        self._write(over=True)

    def __call__(self, step: Step) -> None:
        """Take in one step."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        if step.record is not None:
            self.ended += 1
            self.environment = step.record.environment

    def sitting(self, over: bool = False) -> Sitting:
        """What is known at this moment."""
        return Sitting(
            **self.known,
            seconds=time.monotonic() - self.since,
            running_seconds=self.last - self.first if self.first and self.last else 0.0,
            driver_seconds=time.process_time() - self.used,
            over=over,
            ended=self.ended,
            environment=self.environment,
            joules=self.meters.joules() if self.meters else {},
        )

    def _write(self, over: bool = False) -> None:
        with suppress(StoreError):  # what it costs is no result: where results cannot be written, they will tell
            self.store.save_sitting(self.sitting(over))

    def _write_on(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self._write()


def begin(found: Inventory, trials: int, slots: int | None, told: Expected | None) -> Logbook:
    """The logbook of the next sitting, of so many `trials`; `slots`: at once, None on a cluster."""
    f = told.forecast if told else None
    foreseen = Foreseen(seconds=f.seconds, low=f.low, high=f.high, source=told.source) if f and told else None
    known = {"number": found.next_sitting, "began_at": time.time(), "trials": trials, "slots": slots}
    return Logbook(found.store, known | {"forecast": foreseen}, None if slots is None else Meters())

"""The only reader and writer of run folders. What is not in here did not happen.

    runs/<sweep>/<row>_seed-<n>_<id>/
        trial.json      what was asked; written first
        state.bin       the last epoch's checkpoint, while the trial is not done
        gates.parquet   its gates on the test images (see `gates`), where the network has SE blocks
        record.json     how it ended, with the digest of the gates; written last, and only whole
    runs/<sweep>/environments/<digest>.json
    runs/<sweep>/labels/<data digest>.parquet     of the test images (see `labels`)
    runs/<sweep>/studies/<row>_<id>.json          which candidates a study has asked for (see `selection`)

A record and a checkpoint carry their own digest: one that was cut off or damaged counts as not there, and the
trial is done again; without its gates a result is still one. The store knows bytes, not tensors; nothing in it is
ever unpickled.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from senet_lab import files, lease, seals
from senet_lab.errors import StoreError
from senet_lab.files import Place
from senet_lab.labels import Labels
from senet_lab.labels import from_bytes as read_labels
from senet_lab.plan import PlannedTrial, StoredTrial
from senet_lab.records import Asked, Environment, TrialRecord

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}")
DIGEST_BYTES = 32
BESIDE = {"environments", "labels", "studies"}
"""Folders that are no trial's."""


class Store:
    """The run folders of one sweep under `root`/`sweep`; a missing folder is an empty store."""

    def __init__(self, root: "str | Place", sweep: str) -> None:
        if not SAFE_NAME.fullmatch(sweep):
            raise StoreError(f"{sweep!r} cannot name a run folder; allowed: letters, digits, and _ . + -")
        self.root = files.place(root)
        """Holds the folders of all sweeps."""
        self.sweep = sweep
        self.path = files.place(self.root / sweep)

    @contextlib.contextmanager
    def locked(self, tell: Callable[[str], object] = lambda text: None) -> Iterator[None]:
        """Keep other commands from running the same sweep here. Raises StoreError if one does already.

        What killed processes left behind is taken away first and last: theirs may live on for a moment.
        """
        with lease.held(self.path, tell):
            self._tidy()
            yield
            self._tidy()

    def _tidy(self) -> None:
        """Take away half-written files, and checkpoints of trials that are done."""
        if isinstance(self.path, Path):
            for aside in files.matching(self.path, f"*/{files.ASIDE}"):
                files.remove(aside)
        for state in files.matching(self.path, "*/state.bin"):
            if _is_done(state.parent):
                files.remove(state)

    def folder(self, planned: PlannedTrial) -> Place:
        """The run folder of a trial: the one it has, under whatever row name, or the one it would get."""
        usual = self.path / _usual(planned)
        if files.is_folder(usual):
            return usual
        return next(iter(files.matching(self.path, f"*_{planned.id}")), usual)

    def names(self, planned: Iterable[PlannedTrial]) -> dict[str, str]:
        """Id -> name of the run folder, as `folder` gives it, of many trials by one look at the store."""
        there = {f.name.rpartition("_")[2]: f.name for f in files.folders(self.path)}
        return {t.id: there.get(t.id, _usual(t)) for t in planned}

    def open(self, planned: PlannedTrial, name: str | None = None) -> Place:
        """Make the trial's run folder, with its identity inside; `name`: of it, where that is known."""
        folder = self.path / name if name else self.folder(planned)
        identity = Asked(
            id=planned.id,
            name=planned.name,
            fingerprint=planned.fingerprint,
            code=planned.code,
            settings=dict(planned.variant.settings),
            trial=planned.trial,
        )
        payload = identity.model_dump_json(indent=1).encode()
        if files.read(folder / "trial.json") != payload:
            files.write(folder / "trial.json", payload)
        return folder

    def contents(self) -> tuple[list[TrialRecord], list[StoredTrial]]:
        """The records of all trials that ended, one an id, and the trials that began and did not end.

        What is not whole counts as not there. Raises StoreError for what the system will not let be read.
        """
        folders = [f for f in files.folders(self.path) if f.name not in BESIDE]
        records: dict[str, TrialRecord] = {}
        ended: set[Place] = set()
        for path, content in files.read_all(f / "record.json" for f in folders).items():
            if record := seals.record(path, content):
                records[record.id] = record
                ended.add(path.parent)
        begun: dict[str, StoredTrial] = {}
        for path, content in files.read_all(f / "trial.json" for f in folders if f not in ended).items():
            found = seals.asked(path.parent, content)
            if found and found.id not in records:
                begun[found.id] = StoredTrial(found.id, found.fingerprint, "interrupted")
        return list(records.values()), list(begun.values())

    def save_environment(self, environment: Environment) -> str:
        """Keep `environment` once and return the digest that names it."""
        payload = environment.model_dump_json(indent=1).encode()
        digest = seals.name(payload)
        path = self.path / "environments" / f"{digest}.json"
        if files.read(path) != payload:
            files.write(path, payload)
        return digest

    def environment(self, digest: str) -> Environment | None:
        """The environment that `digest` names, if it is kept here and whole."""
        path = self.path / "environments" / f"{digest}.json"
        content = files.read(path)
        if content is None or seals.name(content) != digest:
            return None
        try:
            return Environment.model_validate_json(content)
        except ValidationError as error:
            raise seals.of_another_version(path, error) from None

    def save_labels(self, data: str, payload: bytes) -> None:
        """Keep the test labels of the data set whose digest is `data`: a file of `labels`."""
        files.write(self._labels(data), payload)

    def labels(self, data: str) -> Labels | None:
        """The test labels of the data set whose digest is `data`, as records have it, if they are kept and whole."""
        content = files.read(self._labels(data)) if SAFE_NAME.fullmatch(data) else None
        return None if content is None else read_labels(content)

    def save_study(self, name: str, facts: dict[str, Any]) -> None:
        """Keep what a study has asked for, before any of it is run."""
        files.write(self._study(name), json.dumps(seals.sealed(facts), indent=1).encode())

    def study(self, name: str) -> dict[str, Any] | None:
        """What the study of that name has asked for, if that is kept and whole: else it asks the same again."""
        return seals.facts(files.read(self._study(name)))

    def _study(self, name: str) -> Place:
        if not SAFE_NAME.fullmatch(name):
            raise StoreError(f"{name!r} cannot name a study; allowed: letters, digits, and _ . + -")
        return self.path / "studies" / f"{name}.json"

    def _labels(self, data: str) -> Place:
        return self.path / "labels" / f"{data}.parquet"


def asked(folder: Place) -> Asked | None:
    """What was asked of a run folder's trial; None if that is not there or damaged."""
    return seals.asked(folder, files.read(folder / "trial.json"))


def save_state(folder: Place, payload: bytes) -> None:
    """Replace the checkpoint of a run folder. A process killed here leaves the one before.

    Two that write the same trial do no harm: whichever checkpoint stays, the same result comes of it.
    """
    files.write(folder / "state.bin", _state_digest(folder, payload) + payload, durable=False)


def load_state(folder: Place) -> bytes | None:
    """The checkpoint of a run folder, or None where there is none that is whole."""
    content = files.read(folder / "state.bin") or b""
    digest, payload = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return payload if _state_digest(folder, payload) == digest else None


def save_gates(folder: Place, payload: bytes) -> str:
    """Keep a trial's gates, before its record; returns the digest that the record needs."""
    files.write(folder / "gates.parquet", payload)
    return hashlib.sha256(payload).hexdigest()


def load_gates(folder: Place, record: TrialRecord) -> bytes | None:
    """The gates of a run folder's trial; None where it has none, or not those of `record` and whole."""
    content = files.read(folder / "gates.parquet") if record.gates else None
    whole = content is not None and hashlib.sha256(content).hexdigest() == record.gates
    return content if whole else None


def drop_state(folder: Place) -> None:
    """Take away a checkpoint that is of no use."""
    files.remove(folder / "state.bin")


def finish(folder: Place, record: TrialRecord) -> None:
    """Write how a trial ended, last of all; a finished trial needs its checkpoint no more.

    A result stays, even if another process that had the same trial fails or is stopped after it.
    """
    if record.status != "done" and _is_done(folder):
        return
    facts = json.loads(record.model_dump_json())
    files.write(folder / "record.json", json.dumps(seals.sealed(facts), indent=1).encode())
    if record.status == "done":
        drop_state(folder)


def ended(folder: Place) -> TrialRecord | None:
    """How the trial of a run folder ended, if it has."""
    path = folder / "record.json"
    return seals.record(path, files.read(path))


def _usual(planned: PlannedTrial) -> str:
    return f"{planned.variant.slug[:100]}_seed-{planned.trial.seed}_{planned.id}"


def _state_digest(folder: Place, payload: bytes) -> bytes:
    """Over the trial's id, too: the checkpoint of another trial may well fit its network."""
    return hashlib.sha256(seals.id_of(folder).encode() + payload).digest()


def _is_done(folder: Place) -> bool:
    record = ended(folder)
    return record is not None and record.status == "done"

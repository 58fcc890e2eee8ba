"""The only reader and writer of run folders. What is not in here did not happen.

    runs/<sweep>/<row>_seed-<n>_<id>/
        trial.json     what was asked; written first
        state.bin      the last epoch's checkpoint, while the trial is not done
        record.json    how it ended; written last, and only whole
    runs/<sweep>/environments/<digest>.json

A record and a checkpoint carry their own digest: one that was cut off or damaged counts as not there, and the
trial is done again. The store knows bytes, not tensors; nothing in it is ever unpickled.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from senet_lab import files, lease
from senet_lab.errors import StoreError
from senet_lab.files import Place
from senet_lab.plan import PlannedTrial, StoredTrial
from senet_lab.records import Environment, TrialRecord
from senet_lab.spec import Trial
from senet_lab.spec.operators import ANY

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}")
DIGEST_BYTES = 32
SEAL = "sha256"
"""Key of a record's digest, over all its other keys."""
Content = TypeVar("Content", bound=BaseModel)


class Asked(BaseModel):
    """trial.json: the identity of a folder, before anything has happened in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    name: str
    fingerprint: str
    code: str
    settings: dict[str, Any] = Field(default_factory=dict)
    """What differs from the sweep's base, by dotted path."""
    trial: Trial | None = None
    """The whole configuration; older folders do not say."""


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
        """Keep other commands from running the same sweep here. Raises StoreError if one does already."""
        with lease.held(self.path, tell):
            yield

    def folder(self, planned: PlannedTrial) -> Place:
        """The run folder of a trial: the one it has, under whatever row name, or the one it would get."""
        usual = self.path / f"{planned.variant.slug[:100]}_seed-{planned.trial.seed}_{planned.id}"
        if files.is_folder(usual):
            return usual
        return next(iter(files.matching(self.path, f"*_{planned.id}")), usual)

    def open(self, planned: PlannedTrial) -> Place:
        """Make the trial's run folder, with its identity inside."""
        folder = self.folder(planned)
        identity = Asked(
            id=planned.id,
            name=planned.name,
            fingerprint=planned.fingerprint,
            code=planned.code,
            settings=dict(planned.variant.settings),
            trial=planned.trial,
        )
        if asked(folder) is None:
            files.write(folder / "trial.json", identity.model_dump_json(indent=1).encode())
        return folder

    def contents(self) -> tuple[list[TrialRecord], list[StoredTrial]]:
        """The records of all trials that ended, one an id, and the trials that began and did not end.

        What is not whole counts as not there. Raises StoreError for what the system will not let be read.
        """
        folders = [f for f in files.folders(self.path) if f.name != "environments"]
        records: dict[str, TrialRecord] = {}
        ended: set[Place] = set()
        for path, content in files.read_all(f / "record.json" for f in folders).items():
            if record := _parsed(path, content, TrialRecord):
                records[record.id] = record
                ended.add(path.parent)
        begun: dict[str, StoredTrial] = {}
        for path, content in files.read_all(f / "trial.json" for f in folders if f not in ended).items():
            found = _parsed(path, content, Asked)
            if found and found.id not in records:
                begun[found.id] = StoredTrial(found.id, found.fingerprint, "interrupted")
        return list(records.values()), list(begun.values())

    def save_environment(self, environment: Environment) -> str:
        """Keep `environment` once and return the digest that names it."""
        payload = environment.model_dump_json(indent=1).encode()
        digest = hashlib.sha256(payload).hexdigest()[:12]
        path = self.path / "environments" / f"{digest}.json"
        if files.read(path) != payload:
            files.write(path, payload)
        return digest

    def environment(self, digest: str) -> Environment | None:
        """The environment that `digest` names, if it is kept here."""
        path = self.path / "environments" / f"{digest}.json"
        return _parsed(path, files.read(path), Environment)


def asked(folder: Place) -> Asked | None:
    """What was asked of a run folder's trial; None if that is not there or damaged."""
    return _parsed(folder / "trial.json", files.read(folder / "trial.json"), Asked)


def save_state(folder: Place, payload: bytes) -> None:
    """Replace the checkpoint of a run folder. A process killed here leaves the one before."""
    files.write(folder / "state.bin", hashlib.sha256(payload).digest() + payload, durable=False)


def load_state(folder: Place) -> bytes | None:
    """The checkpoint of a run folder, or None where there is none that is whole."""
    content = files.read(folder / "state.bin") or b""
    digest, payload = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return payload if hashlib.sha256(payload).digest() == digest else None


def drop_state(folder: Place) -> None:
    """Take away a checkpoint that is of no use."""
    files.remove(folder / "state.bin")


def finish(folder: Place, record: TrialRecord) -> None:
    """Write how a trial ended, last of all; a finished trial needs its checkpoint no more."""
    facts = json.loads(record.model_dump_json())
    files.write(folder / "record.json", json.dumps({SEAL: _seal(facts), **facts}, indent=1).encode())
    if record.status == "done":
        drop_state(folder)
        for left in folder.glob(".*.????????") if isinstance(folder, Path) else ():  # by a process that was killed
            files.remove(left)


def _parsed(path: Place, content: bytes | None, kind: type[Content]) -> Content | None:
    """What a file says; None where it is not there, cut off or damaged. To overwrite anything else would be a loss."""
    if content is None:
        return None
    try:
        facts = json.loads(content)
    except ValueError:
        return None
    seal = facts.pop(SEAL, None) if isinstance(facts, dict) else None
    if seal is not None and seal != _seal(facts):
        return None
    try:
        return kind.model_validate_json(content, context=ANY)
    except ValidationError as error:
        raise StoreError(
            f"{path}: this was written by another version of senet-lab ({error.errors()[0]['msg']}); "
            f"use that version, or another store with --store"
        ) from None


def _seal(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

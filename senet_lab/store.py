"""The only reader and writer of run folders. What is not in here did not happen.

    runs/<sweep>/<row>_seed-<n>_<id>/
        trial.json     what was asked; written first
        state.bin      the last epoch's checkpoint, while the trial is not done
        record.json    how it ended; written last, and only whole
    runs/<sweep>/environments/<digest>.json

Files are written aside and moved into place, so a reader finds the old one or the new one.
The store knows bytes, not tensors; nothing in it is ever unpickled.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from senet_lab.errors import StoreError
from senet_lab.plan import PlannedTrial, StoredTrial
from senet_lab.records import Environment, TrialRecord

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}")
DIGEST_BYTES = 32
Content = TypeVar("Content", bound=BaseModel)


class Asked(BaseModel):
    """trial.json: the identity of a folder, before anything has happened in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    name: str
    fingerprint: str
    code: str


class Store:
    """The run folders of one sweep under `root`/`sweep`; a missing folder is an empty store."""

    def __init__(self, root: Path, sweep: str) -> None:
        if not SAFE_NAME.fullmatch(sweep):
            raise StoreError(f"{sweep!r} cannot name a run folder; allowed: letters, digits, and _ . + -")
        if Path(root).exists() and not Path(root).is_dir():
            raise StoreError(f"--store {root}: this is a file; name a folder, it is made where there is none")
        self.sweep = sweep
        self.path = Path(root).absolute() / sweep

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from running the same sweep here. Raises StoreError if one does already."""
        path = self.path / ".lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        except OSError as error:
            raise _unwritable(path, error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(
                    f"{self.path}: another command is running this sweep here; wait for it, or stop it with Ctrl-C"
                ) from None
            yield

    def folder(self, planned: PlannedTrial) -> Path:
        """The run folder of a trial: the one it has, under whatever row name, or the one it would get."""
        usual = self.path / f"{planned.variant.slug[:100]}_seed-{planned.trial.seed}_{planned.id}"
        if usual.is_dir() or not self.path.is_dir():
            return usual
        return next(self.path.glob(f"*_{planned.id}"), usual)

    def open(self, planned: PlannedTrial) -> Path:
        """Make the trial's run folder, with its identity inside."""
        folder = self.folder(planned)
        asked = Asked(id=planned.id, name=planned.name, fingerprint=planned.fingerprint, code=planned.code)
        if not (folder / "trial.json").exists():
            _write(folder / "trial.json", asked.model_dump_json(indent=1).encode())
        return folder

    def contents(self) -> tuple[list[TrialRecord], list[StoredTrial]]:
        """The records of all trials that ended, one an id, and the trials that began and did not end.

        What is not whole counts as not there. Raises StoreError for what the system will not let be read.
        """
        records: dict[str, TrialRecord] = {}
        begun: dict[str, StoredTrial] = {}
        for folder in self._folders():
            if record := _read(folder / "record.json", TrialRecord):
                records[record.id] = record
            elif asked := _read(folder / "trial.json", Asked):
                begun[asked.id] = StoredTrial(asked.id, asked.fingerprint, "interrupted")
        return list(records.values()), [s for s in begun.values() if s.id not in records]

    def save_environment(self, environment: Environment) -> str:
        """Keep `environment` once and return the digest that names it."""
        payload = environment.model_dump_json(indent=1).encode()
        digest = hashlib.sha256(payload).hexdigest()[:12]
        path = self.path / "environments" / f"{digest}.json"
        if not path.exists():
            _write(path, payload)
        return digest

    def environment(self, digest: str) -> Environment | None:
        """The environment that `digest` names, if it is kept here."""
        return _read(self.path / "environments" / f"{digest}.json", Environment)

    def _folders(self) -> Iterator[Path]:
        if self.path.is_dir():
            try:
                yield from sorted(p for p in self.path.iterdir() if p.is_dir() and p.name != "environments")
            except OSError as error:
                raise _unreadable(self.path, error) from error


def save_state(folder: Path, payload: bytes) -> None:
    """Replace the checkpoint of a run folder. A process killed here leaves the one before."""
    _write(folder / "state.bin", hashlib.sha256(payload).digest() + payload, durable=False)


def load_state(folder: Path) -> bytes | None:
    """The checkpoint of a run folder, or None where there is none that is whole."""
    try:
        content = (folder / "state.bin").read_bytes()
    except OSError:
        return None
    digest, payload = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return payload if hashlib.sha256(payload).digest() == digest else None


def finish(folder: Path, record: TrialRecord) -> None:
    """Write how a trial ended, last of all; a finished trial needs its checkpoint no more."""
    _write(folder / "record.json", record.model_dump_json(indent=1).encode())
    if record.status == "done":
        for checkpoint in (folder / "state.bin", *folder.glob(".*.????????")):  # and what a killed process left
            with contextlib.suppress(OSError):
                checkpoint.unlink(missing_ok=True)


def _read(path: Path, kind: type[Content]) -> Content | None:
    """What a file says; None where there is none or it is cut off. To overwrite anything else would be a loss."""
    try:
        content = path.read_bytes()
        return kind.model_validate_json(content)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValidationError as error:
        if any(issue["type"] == "json_invalid" for issue in error.errors()):
            return None
        raise StoreError(
            f"{path}: this was written by another version of senet-lab ({error.errors()[0]['msg']}); "
            f"use that version, or another store with --store"
        ) from None


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: cannot be read ({error.strerror}); see to rights there, or choose another with --store")


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path}: cannot be written ({error.strerror}); make room or rights there, or choose another with --store"
    )


def _write(path: Path, payload: bytes, durable: bool = True) -> None:
    """Write aside, then move into place. `durable` also outlives a power cut."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(payload)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise _unwritable(path, error) from error

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
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from senet_lab import files, lease
from senet_lab.errors import StoreError
from senet_lab.files import Place
from senet_lab.plan import PlannedTrial, StoredTrial
from senet_lab.records import Asked, Environment, TrialRecord
from senet_lab.spec.operators import ANY

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}")
DIGEST_BYTES = 32
SEAL = "sha256"
"""Key of a record's digest, over all its other keys."""


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
        folders = [f for f in files.folders(self.path) if f.name != "environments"]
        records: dict[str, TrialRecord] = {}
        ended: set[Place] = set()
        for path, content in files.read_all(f / "record.json" for f in folders).items():
            if record := _record(path, content):
                records[record.id] = record
                ended.add(path.parent)
        begun: dict[str, StoredTrial] = {}
        for path, content in files.read_all(f / "trial.json" for f in folders if f not in ended).items():
            found = _asked(path.parent, content)
            if found and found.id not in records:
                begun[found.id] = StoredTrial(found.id, found.fingerprint, "interrupted")
        return list(records.values()), list(begun.values())

    def save_environment(self, environment: Environment) -> str:
        """Keep `environment` once and return the digest that names it."""
        payload = environment.model_dump_json(indent=1).encode()
        digest = _name(payload)
        path = self.path / "environments" / f"{digest}.json"
        if files.read(path) != payload:
            files.write(path, payload)
        return digest

    def environment(self, digest: str) -> Environment | None:
        """The environment that `digest` names, if it is kept here and whole."""
        path = self.path / "environments" / f"{digest}.json"
        content = files.read(path)
        if content is None or _name(content) != digest:
            return None
        try:
            return Environment.model_validate_json(content)
        except ValidationError as error:
            raise _of_another_version(path, error) from None


def asked(folder: Place) -> Asked | None:
    """What was asked of a run folder's trial; None if that is not there or damaged."""
    return _asked(folder, files.read(folder / "trial.json"))


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


def drop_state(folder: Place) -> None:
    """Take away a checkpoint that is of no use."""
    files.remove(folder / "state.bin")


def finish(folder: Place, record: TrialRecord) -> None:
    """Write how a trial ended, last of all; a finished trial needs its checkpoint no more.

    A result stays, even if another process that had the same trial fails after it.
    """
    if record.status == "failed" and _is_done(folder):
        return
    facts = json.loads(record.model_dump_json())
    files.write(folder / "record.json", json.dumps({SEAL: _seal(facts), **facts}, indent=1).encode())
    if record.status == "done":
        drop_state(folder)


def _usual(planned: PlannedTrial) -> str:
    return f"{planned.variant.slug[:100]}_seed-{planned.trial.seed}_{planned.id}"


def _id(folder: Place) -> str:
    """Of the trial whose run folder this is."""
    return folder.name.rpartition("_")[2]


def _state_digest(folder: Place, payload: bytes) -> bytes:
    """Over the trial's id, too: the checkpoint of another trial may well fit its network."""
    return hashlib.sha256(_id(folder).encode() + payload).digest()


def _name(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()[:12]


def _is_done(folder: Place) -> bool:
    path = folder / "record.json"
    record = _record(path, files.read(path))
    return record is not None and record.status == "done"


def _asked(folder: Place, content: bytes | None) -> Asked | None:
    """What a trial.json says; None where it is damaged: nothing depends on it that cannot be written anew."""
    try:
        found = Asked.model_validate_json(content or b"", context=ANY)
    except ValidationError:
        return None
    return found if found.id == _id(folder) else None


def _record(path: Place, content: bytes | None) -> TrialRecord | None:
    """What a record.json says; None where it is not there, cut off or damaged.

    Raises StoreError for anything else, as to overwrite that would be a loss.
    """
    if content is None:
        return None
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if isinstance(facts, dict) and not _intact(facts):
        return None
    try:
        return TrialRecord.model_validate_json(content, context=ANY)
    except ValidationError as error:
        raise _of_another_version(path, error) from None


def _of_another_version(path: Place, error: ValidationError) -> StoreError:
    return StoreError(
        f"{path}: this was written by another version of senet-lab ({error.errors()[0]['msg']}); "
        f"use that version, or another store with --store"
    )


def _intact(facts: dict[str, Any]) -> bool:
    """Whether a record's digest is that of its other keys. The first version wrote none, and no unknown keys either."""
    if SEAL not in facts:
        return facts.keys() <= TrialRecord.model_fields.keys()
    rest = {key: value for key, value in facts.items() if key != SEAL}
    return bool(facts[SEAL] == _seal(rest))


def _seal(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

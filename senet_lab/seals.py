"""By what the store believes a file: its own digest, its name, and that this version understands it."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from senet_lab.errors import StoreError
from senet_lab.files import Place
from senet_lab.records import Asked, TrialRecord
from senet_lab.spec.operators import ANY

SEAL = "sha256"
"""Key of a record's digest, over all its other keys."""


def id_of(folder: Place) -> str:
    """Of the trial whose run folder this is."""
    return folder.name.rpartition("_")[2]


def name(payload: bytes) -> str:
    """Of a file that is named by its content."""
    return hashlib.sha256(payload).hexdigest()[:12]


def sealed(facts: dict[str, Any]) -> dict[str, Any]:
    """A record's facts with their digest."""
    return {SEAL: _seal(facts), **facts}


def asked(folder: Place, content: bytes | None) -> Asked | None:
    """What a trial.json says; None where it is damaged: nothing depends on it that cannot be written anew."""
    try:
        found = Asked.model_validate_json(content or b"", context=ANY)
    except ValidationError:
        return None
    return found if found.id == id_of(folder) else None


def record(path: Place, content: bytes | None) -> TrialRecord | None:
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
        raise of_another_version(path, error) from None


def facts(content: bytes | None) -> dict[str, Any] | None:
    """What a file says that was written `sealed`; None where it is not there, cut off or damaged."""
    try:
        found = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.pop(SEAL, None) != _seal(found):
        return None
    return found


def of_another_version(path: Place, error: ValidationError) -> StoreError:
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

"""One trial of a store, found by whatever people have of it, with all that is known of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from senet_lab import files
from senet_lab.credentials import without_credentials
from senet_lab.design import slug
from senet_lab.errors import UserError
from senet_lab.files import Place
from senet_lab.records import Asked, Environment, EpochMetrics, TrialRecord
from senet_lab.store import SAFE_NAME, Store, asked

NEAR = 8


@dataclass(frozen=True)
class Entry:
    """A run folder by its name, `<row>_seed-<n>_<id>`."""

    sweep: str
    folder: Place

    @property
    def id(self) -> str:
        return self.folder.name.rpartition("_")[2]

    @property
    def name(self) -> str:
        """Row and seed, as far as a folder's name tells them: the row with - for what no path may have."""
        row, _, seed = self.folder.name.rpartition("_")[0].rpartition("_seed-")
        return f"{row} seed={seed}"


@dataclass(frozen=True)
class Exhibit:
    """A trial, with all that is known of it."""

    entry: Entry
    record: TrialRecord | None
    """None: it began and did not end."""
    epochs: tuple[EpochMetrics, ...]
    """Its own, or those of the checkpoint it goes on from."""
    environment: Environment | None
    asked: Asked | None = None
    """What was asked for, as far as the folder says."""

    @property
    def state(self) -> str:
        return self.record.status if self.record else "interrupted"

    @property
    def name(self) -> str:
        if self.record:
            return f"{self.record.variant} seed={self.record.trial.seed}"
        return self.asked.name if self.asked else self.entry.name


def find(root: str, words: str, sweep: str | None = None) -> Exhibit:
    """The trial under `root` that `words` name: an id or how it begins, a run folder, or "row seed=n".

    A run folder with its sweep's before it is of that sweep. Raises UserError, with those that come near, if there is
    none or more than one.
    """
    entries = list(_entries(root, sweep))
    where = f"{root}{f' (sweep {sweep})' if sweep else ''}"
    if not entries:
        raise UserError(f"{where}: there are no trials here; name their folder with --store, or run a sweep first")
    fitting = [e for e in entries if _fits(e, words)]
    fitting = [e for e in fitting if _in_full(e, words)] or fitting
    if len(fitting) == 1:
        return _read(root, fitting)[0]
    if fitting:
        raise UserError(_ambiguous(root, words, fitting))
    near = _near(entries, words)
    hint = f"near it:\n{_lines(root, near)}" if near else f"e.g. {entries[0].id}, {entries[0].name}"
    raise UserError(
        f"{words!r} names no trial of the {len(entries)} in {where}; "
        f"allowed: an id or how it begins, a run folder, or a row and its seed; {hint}"
    )


def _entries(root: str, sweep: str | None) -> Iterator[Entry]:
    """The run folders of every sweep, or of one, by name."""
    store = Store(root, sweep or "any")  # refuses a root that is a file, and a sweep that is no name
    for place in files.folders(store.root):
        if sweep in (None, place.name) and SAFE_NAME.fullmatch(place.name):
            yield from (Entry(place.name, folder) for folder in files.folders(place) if "_seed-" in folder.name)


def _fits(entry: Entry, words: str) -> bool:
    return (
        entry.id.startswith(words)
        or entry.folder.name == words.rstrip("/").rpartition("/")[2]
        or entry.name == _as_folder(words)
    )


def _in_full(entry: Entry, words: str) -> bool:
    """Whether `words` are the path of a run folder, at least from its sweep's on."""
    return words.rstrip("/").split("/")[-2:] == [entry.sweep, entry.folder.name]


def _ambiguous(root: str, words: str, fitting: list[Entry]) -> str:
    """What tells the trials from each other: an id, but for one that several sweeps hold."""
    sweeps = list(dict.fromkeys(e.sweep for e in fitting))
    if len({e.id for e in fitting}) == 1:
        by = f"--sweep, e.g. --sweep {sweeps[0]}, or its run folder, e.g. {sweeps[0]}/{fitting[0].folder.name}"
        return f"{words!r} names a trial that {len(sweeps)} sweeps have; give {by}:\n{_lines(root, fitting)}"
    by = "one of their ids, or --sweep" if len(sweeps) > 1 else "one of their ids"
    return f"{words!r} names {len(fitting)} trials; give {by}:\n{_lines(root, fitting)}"


def _as_folder(words: str) -> str:
    """ "row seed=n" in the letters that a folder's name is made of."""
    row, _, seed = words.rpartition(" seed=")
    return f"{slug(row.strip())[:100]} seed={seed.strip()}"


def _near(entries: list[Entry], words: str) -> list[Entry]:
    """Those whose id, name or folder is spelt much like `words`."""
    spellings = {text: e for e in entries for text in (e.id, e.name, e.folder.name)}
    close = get_close_matches(_as_folder(words) if " " in words else words, spellings, n=NEAR, cutoff=0.6)
    return list(dict.fromkeys(spellings[text] for text in close))


def _lines(root: str, entries: list[Entry]) -> str:
    """A line per trial that tells it from the others."""
    shown = _read(root, entries[:NEAR])
    lines = [f"  {e.entry.id}  {e.entry.sweep}: {e.name}, {e.state}, {len(e.epochs)} epochs" for e in shown]
    return "\n".join(lines + (["  ..."] if len(entries) > NEAR else []))


def _read(root: str, entries: list[Entry]) -> list[Exhibit]:
    """What the store knows of `entries`; each sweep of it is read once."""
    stores = {sweep: Store(root, sweep) for sweep in {e.sweep for e in entries}}
    records = {(sweep, r.id): r for sweep, store in stores.items() for r in store.contents()[0]}

    def one(entry: Entry) -> Exhibit:
        record = records.get((entry.sweep, entry.id))
        if record is None:
            from senet_lab import checkpoints  # torch: where a trial has ended, nobody waits for it

            return Exhibit(entry, None, checkpoints.epochs(entry.folder), None, asked(entry.folder))
        return Exhibit(entry, record, record.epochs, stores[entry.sweep].environment(record.environment))

    return [one(entry) for entry in entries]


def as_json(found: Exhibit) -> dict[str, Any]:
    """What `show --json` prints. Keys are only ever added.

    `id`, `state` (done, failed, interrupted), `name`, `sweep`, `folder`, `record` (as in record.json; null if
    interrupted), `asked` (as in trial.json; null if ended), `epochs` (of an interrupted trial those that are
    kept), `environment` (null if not known).
    """
    tree = {
        "id": found.entry.id,
        "state": found.state,
        "name": found.name,
        "sweep": found.entry.sweep,
        "folder": str(found.entry.folder),
        "record": found.record and found.record.model_dump(mode="json"),
        "asked": found.asked and found.asked.model_dump(mode="json"),
        "epochs": [e.model_dump(mode="json") for e in found.epochs],
        "environment": found.environment and found.environment.model_dump(mode="json"),
    }
    return {key: _clean(value) for key, value in tree.items()}


def _clean(value: Any) -> Any:
    """`value` without the credentials of addresses in its texts."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    return [_clean(v) for v in value] if isinstance(value, list) else value

"""From a sweep to its rows: pure functions, no randomness, nothing else decides what exists."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from senet_lab.errors import SpecError, choices
from senet_lab.spec import Model, Spec, Sweep, Trial, apply

Settings = Mapping[str, Any]

DESIGNS = ("grid", "one_at_a_time", "leave_one_out", "zip", "variants")
ONE_SE: Settings = {"model.se.reduction": 1, "model.se.reduction_in": {}, "model.se.stages": "all"}
"""Settings of SE that show in the hidden widths and in nothing else, at one value."""
CONTROLS: dict[str, Settings] = {"no_se": {"model.se": None}, "no_squeeze": {"model.se.squeeze": "none"}}


@dataclass(frozen=True)
class Variant:
    """One row: a configuration without its seed."""

    label: str
    settings: Settings
    """What differs from the sweep's base, by dotted path."""
    trial: Trial
    """The whole configuration, with seed 0."""
    control: bool = False
    origin: Trial | None = None
    """Of a row that was tuned: its configuration before."""
    tuned: Settings = field(default_factory=dict)
    """What was chosen for it, by dotted path."""
    candidate: int | None = None
    """Of what is tried to choose by: its number in the row's study."""

    @property
    def asked(self) -> Trial:
        """The configuration as the sweep asks for it, before anything was tuned."""
        return self.origin or self.trial

    @property
    def slug(self) -> str:
        """The label as it may stand in a path."""
        return slug(self.label)


def slug(label: str) -> str:
    """`label` as it may stand in a path: ASCII, a byte a character, whatever it is written in."""
    return "".join(c if (c.isascii() and c.isalnum()) or c in "._" else "-" for c in label)


def variants(sweep: Sweep) -> tuple[Variant, ...]:
    """The rows of `sweep` in the order of its file; equal configurations are one row.

    Raises one SpecError that names, a line each, every setting that no trial may have, value listed
    twice, two rows that build the same network, seed that is not left to the sweep, and a baseline
    that is not a row.
    """
    wrong: list[str] = []
    found = _rows(sweep, wrong)
    complete = not wrong  # a baseline may be among the rows that could not be made
    if seeded := [row.label for row in found if row.trial.seed]:
        wrong.append(f"seed: {seeded[0]} sets it; a sweep gives every row the seeds 0, 1, 2, ...: set `seeds` only")
    for label in (label for label, n in Counter(row.label for row in found).items() if n > 1):
        wrong.append(f"two rows are called {label}; give one of them another name in variants={{name: ...}}")
    wrong += _same_networks(found)
    if complete:
        try:
            baselines(sweep, found)
        except SpecError as error:
            wrong.append(str(error))
    if wrong:
        raise SpecError("\n".join(dict.fromkeys(wrong)))
    return found


def _rows(sweep: Sweep, wrong: list[str]) -> tuple[Variant, ...]:
    """The rows that can be made; what stands against the others is added to `wrong`."""
    named = sweep.variants if isinstance(sweep.variants, dict) else {}
    listed = [*_designed(sweep, wrong), *named.values()]
    if not listed and not sweep.controls and not wrong:
        raise SpecError(f"the sweep asks for no rows; give it one of {', '.join(DESIGNS)}")
    names = short_names({key for settings in listed for key in settings})
    labels = [_label(settings, names) for settings in listed[: len(listed) - len(named)]] + [*named]
    asked = [(label, settings, False) for label, settings in zip(labels, listed, strict=True)]
    asked += [(name, CONTROLS[name], True) for name in sweep.controls]
    rows: dict[Trial, Variant] = {}
    for label, settings, control in asked:
        try:
            trial = apply(sweep.base, settings)
        except SpecError as error:
            wrong += str(error).splitlines()
            continue
        if trial in rows and (control or label in named):
            place = "controls" if control else "variants"
            wrong.append(f"{place}: {label} is the row {rows[trial].label} already; leave one of them out")
        rows.setdefault(trial, Variant(label, settings, trial, control))
    return tuple(rows.values())


def baselines(sweep: Sweep, rows: tuple[Variant, ...]) -> dict[str, str]:
    """Label -> label of the row that it is compared to; those that only others are compared to are left out.

    Raises SpecError if no row can be the baseline, or none has a counterpart.
    """
    if not sweep.counterpart:
        against = _baseline(sweep, rows).label
        return {row.label: against for row in rows if row.label != against}
    by_trial = {row.asked: row.label for row in rows}
    pairs = {}
    for row in rows:
        other = by_trial.get(apply(row.asked, sweep.counterpart))
        if other is not None and other != row.label:
            pairs[row.label] = other
    if not pairs:
        raise SpecError(
            f"counterpart: no row is left with {sweep.counterpart} that another row could be compared to; "
            f"the rows are {', '.join(by_trial.values())}"
        )
    return pairs


def _baseline(sweep: Sweep, rows: tuple[Variant, ...]) -> Variant:
    labels = [v.label for v in rows]
    if isinstance(sweep.baseline, str):
        fitting = [v for v in rows if v.label == sweep.baseline]
    else:
        wanted = apply(sweep.base, sweep.baseline or {})
        fitting = [v for v in rows if v.asked == wanted]
    if not fitting:
        raise SpecError(f"baseline: {sweep.baseline!r} is not a row of this sweep; {choices(sweep.baseline, labels)}")
    return fitting[0]


def factors(rows: tuple[Variant, ...]) -> tuple[str, ...]:
    """The dotted paths that the rows vary, controls left aside, in order of appearance."""
    return tuple(dict.fromkeys(key for v in rows if not v.control for key in v.settings))


def _designed(sweep: Sweep, wrong: list[str]) -> Iterator[Settings]:
    for name in ("grid", "one_at_a_time"):
        for key, values in getattr(sweep, name).items():
            if repeated := [v for i, v in enumerate(values) if v in values[:i]]:
                wrong.append(f"{name}[{key!r}]: {repeated[0]!r} is listed twice; a value is one row, list it once")
    if sweep.grid:
        for combination in itertools.product(*sweep.grid.values()):
            yield dict(zip(sweep.grid, combination, strict=True))
    for key, values in sweep.one_at_a_time.items():
        yield from ({key: value} for value in values)
    if sweep.leave_one_out:
        yield {}
        yield from ({key: value} for key, value in sweep.leave_one_out.items())
    if sweep.zip:
        lengths = {key: len(values) for key, values in sweep.zip.items()}
        if len(set(lengths.values())) > 1:
            wrong.append(f"zip: its lists must be equally long, found {lengths}; make them so")
        else:
            yield from (
                dict(zip(sweep.zip, together, strict=True)) for together in zip(*sweep.zip.values(), strict=True)
            )
    if not isinstance(sweep.variants, dict):
        yield from sweep.variants


def short_names(keys: set[str]) -> dict[str, str]:
    """Dotted path -> its shortest ending that no other path of the sweep shares.

    Of a single stage's reduction at least `reduction_in.stage2`: stage2=8 would not say of what.
    """
    names = {}
    for key in keys:
        parts = key.split(".")
        shortest = 2 if parts[-2:-1] == ["reduction_in"] else 1
        endings = [".".join(parts[-n:]) for n in range(shortest, len(parts) + 1)]
        names[key] = next(e for e in endings if sum(k == e or k.endswith("." + e) for k in keys) == 1)
    return names


def _label(settings: Settings, names: Mapping[str, str]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, list | tuple):
            return "+".join(map(str, value))
        if isinstance(value, Model):  # two of one name are told apart by names of their own: variants={name: ...}
            return value.name
        if isinstance(value, dict | Spec):  # a whole block: what differs from its defaults
            inside = value.model_dump(exclude_defaults=True) if isinstance(value, Spec) else value
            return "(" + ",".join(f"{k}={text(v)}" for k, v in inside.items()) + ")"
        return str(value)

    return ",".join(f"{names[key]}={text(value)}" for key, value in settings.items()) or "base"


def _same_networks(rows: tuple[Variant, ...]) -> Iterator[str]:
    """A line for each row that is an earlier one under another name.

    Settings of SE that put the same hidden widths in the same places are one network.
    """
    seen: dict[str, Variant] = {}
    for row in rows:
        widths = row.trial.model.hidden_widths
        same = apply(row.trial, ONE_SE) if widths else row.trial
        identity = f"{same.model_dump_json()} {widths}"
        if (first := seen.setdefault(identity, row)) is not row:
            yield (
                f"{first.label} and {row.label} build the same network: hidden widths per stage "
                f"{widths}; the widths are channels // r, at least 1. Leave one of them out or use wider stages"
            )

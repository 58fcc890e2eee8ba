"""What a study may choose from: a range or a list for each setting, some only where another has a certain value."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from annotated_types import Ge, Len
from pydantic import Field, model_validator

from senet_lab.errors import choices
from senet_lab.spec.values import Spec

Chosen = Mapping[str, Any]
"""Dotted path -> what was chosen: of a range a number, of a list the option's label."""


class Dimension(Spec):
    """What one setting may be."""

    when: dict[str, Any] = Field(default_factory=dict)
    """Only where these settings have these values, e.g. {"model.se": "on"}: of lists, the option's label."""


class Float(Dimension):
    """A number between two others, both included."""

    low: float
    high: float
    log: bool = False
    """Whether factors are what counts, as with learning rates."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        _rising(self.low, self.high, self.log)
        return self


class Int(Dimension):
    """A whole number between two others, both included."""

    low: int
    high: int
    step: Annotated[int, Ge(1)] = 1
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.log and self.step != 1:
            raise ValueError(f"step {self.step} and log exclude each other; leave one of them out")
        _rising(self.low, self.high, self.log)
        return self


class Choice(Dimension):
    """One of a list; or of a dict, whose keys are then what the values are called."""

    options: Annotated[tuple[Any, ...], Field(strict=False), Len(1)] | Annotated[dict[str, Any], Len(1)]

    @property
    def labelled(self) -> dict[str, Any]:
        """Label -> value."""
        if isinstance(self.options, dict):
            return self.options
        return {label(value): value for value in self.options}

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len(self.labelled) < len(self.options):
            raise ValueError(
                f"options {list(self.options)}: one is listed twice; list each once, or name them: {{...}}"
            )
        return self


AnyDimension = Choice | Float | Int
Space = Annotated[dict[str, AnyDimension], Len(1)]
"""Dotted path -> what it may be, in the order of choosing: `when` may name what stands before."""


def label(value: Any) -> str:
    """An option as it is called: text as it is, lists with a + between."""
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def check(space: Mapping[str, AnyDimension]) -> None:
    """Raises ValueError for a `when` that names what does not stand before, or what that cannot be, or is missing."""
    before: dict[str, Dimension] = {}
    for key, dimension in space.items():
        for other, wanted in dimension.when.items():
            if other not in before:
                allowed = (
                    f"let {other} stand first" if other in space else choices(other, [k for k in space if k != key])
                )
                raise ValueError(f"space.{key}: when names {other}, which does not stand before it; {allowed}")
            if not _several(wanted):
                raise ValueError(f"space.{key}: when {other} is one of nothing; name a value, or leave it out")
            for one in _several(wanted):
                _check_possible(key, other, before[other], one)
        if after := [other for other in before if other.startswith(f"{key}.")]:
            raise ValueError(f"space.{key}: it would put back {after[0]}, which stands before it; let it stand first")
        for other in (o for o in before if key.startswith(f"{o}.")):
            _check_there(key, other, before[other], _needed(dimension, before).get(other))
        before[key] = dimension


def _check_there(key: str, other: str, known: Dimension, wanted: Any) -> None:
    """`key` sets something inside `other`, and would bring it back where nothing was chosen for it."""
    labels = known.labelled if isinstance(known, Choice) else {}
    absent = [name for name, value in labels.items() if value is None]
    there = [name for name in labels if name not in absent]
    if absent and (wanted is None or any(label(one) in absent for one in _several(wanted))):
        raise ValueError(
            f"space.{key}: it would bring {other} back where {absent[0]!r} is chosen; add "
            f"when={{{other!r}: {(there[0] if len(there) == 1 else there)!r}}}"
        )


def _check_possible(key: str, other: str, known: Dimension, one: Any) -> None:
    if isinstance(known, Choice):
        if label(one) not in known.labelled:
            raise ValueError(f"space.{key}: when {other} is {one!r}; {choices(one, list(known.labelled))}")
    elif isinstance(known, Float) or not isinstance(known, Int) or one not in range(known.low, known.high + 1):
        raise ValueError(
            f"space.{key}: when {other} is {one!r}; a condition names options of a Choice, or numbers of an Int's range"
        )


def applies(dimension: AnyDimension, chosen: Chosen) -> bool:
    """Whether there is anything to choose, after what was chosen before."""
    return all(
        other in chosen and any(label(chosen[other]) == label(one) for one in _several(wanted))
        for other, wanted in dimension.when.items()
    )


def settings(space: Mapping[str, AnyDimension], chosen: Chosen) -> dict[str, Any]:
    """What was chosen as settings: dotted path -> value."""
    return {key: _value(space[key], one) for key, one in chosen.items()}


def corners(space: Mapping[str, AnyDimension]) -> Iterator[dict[str, Any]]:
    """Choices that together have every end of every range and every option once, the others at their first."""
    for key, dimension in space.items():
        for end in _ends(dimension):
            chosen: dict[str, Any] = {}
            for other, one in space.items():
                wanted = _wanted(key, other, space)
                first = end if other == key else wanted if wanted is not None else _ends(one)[0]
                if applies(one, chosen):
                    chosen[other] = first
            if key in chosen:
                yield chosen


def _wanted(key: str, other: str, space: Mapping[str, AnyDimension]) -> Any:
    """What `other` has to be so that there is a `key`; None where it does not matter."""
    needed = _needed(space[key], space)
    if other not in needed:
        return None
    one = _several(needed[other])[0]
    return label(one) if isinstance(space[other], Choice) else one


def _needed(dimension: Dimension, space: Mapping[str, Dimension]) -> dict[str, Any]:
    """Its conditions, and those of the settings that they name."""
    needed = dict(dimension.when)
    for condition in dimension.when:
        needed = {**space[condition].when, **needed}
    return needed


def _ends(dimension: AnyDimension) -> list[Any]:
    return list(dimension.labelled) if isinstance(dimension, Choice) else [dimension.low, dimension.high]


def _value(dimension: AnyDimension, one: Any) -> Any:
    return dimension.labelled[one] if isinstance(dimension, Choice) else one


def _several(wanted: Any) -> list[Any]:
    return list(wanted) if isinstance(wanted, list | tuple) else [wanted]


def _rising(low: float, high: float, log: bool) -> None:
    if not low < high:
        raise ValueError(f"low {low:g} is not below high {high:g}; exchange them, or leave the setting out")
    if log and low <= 0:
        raise ValueError(f"low {low:g} with log: a logarithm needs a low above 0")

"""What was tried and what was chosen, in words: sentences for captions and the table of what was chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from senet_lab.candidates import BUDGETED, Trials
from senet_lab.results.studies import OBJECTIVES, Tried, settings_text
from senet_lab.results.tables import count, fold, interval
from senet_lab.spec.space import AnyDimension, Choice

SAMPLERS = {"random": "random search", "grid": "a grid", "tpe": "Optuna's TPE", "cmaes": "Optuna's CMA-ES"}
SAMPLERS |= {"gp": "Optuna's Gaussian process", "nsga2": "Optuna's NSGA-II"}
OUTCOMES = {"failed": "failed and {was} replaced", "stopped": "{was} stopped early"}
OUTCOMES |= {"over a limit": "{was} over a limit and not trained"}
TITLE = "What was chosen"
BY, AGAIN, TEST = "chosen by [val. %]", "fresh seeds [val. %]", "fresh seeds [test %]"
FOLDED = 22
"""Letters of a line of settings in a terminal."""


@dataclass(frozen=True)
class Winner:
    """The candidate that a row is, or whose settings it was trained with."""

    number: int
    settings: Mapping[str, Any]
    """Dotted path -> number, or the option's label."""
    words: str
    """The same for people."""
    error: float
    """What it was chosen by: a fraction of validation images wrong, of one training."""
    trained: int
    """Candidates that it was chosen from."""
    id: str
    """Of its trial, which is none of the row's."""


def frame(chosen: pd.DataFrame) -> pd.DataFrame:
    """`studies.chosen` as text: the score that chose, beside the scores of fresh seeds."""
    columns = {
        "variant": chosen["variant"],
        BY: [f"{100 * error:.2f}" for error in chosen["selection_error"]],
        AGAIN: _intervals(chosen, "validation"),
        TEST: _intervals(chosen, "test"),
        "chosen": chosen["settings"],
    }
    return pd.DataFrame(columns, dtype="str")


def folded(text: pd.DataFrame) -> pd.DataFrame:
    """`frame` for a terminal: a setting a line, and a long one's value on the next."""
    return text.assign(chosen=["\n".join(map(_folded, settings.split(", "))) for settings in text["chosen"]])


def _folded(setting: str) -> str:
    name, _, value = setting.partition("=")
    return setting if len(setting) <= FOLDED else f"{fold(name + '=', FOLDED)}\n  {fold(value, FOLDED - 2)}"


def candidates(tried: Tried) -> pd.DataFrame:
    """Every candidate as text, a line each."""
    found = tried.candidates
    columns = {
        "row": found["row"],
        "number": found["number"].map(str),
        "outcome": found["outcome"],
        "validation %": ["-" if error != error else f"{100 * error:.2f}" for error in found["validation_error"]],
        "params": found["params"].map(count),
        "settings": [settings_text(tried, one) for _, one in found.iterrows()],
    }
    frame = pd.DataFrame(columns, dtype="str")
    return frame if tried.search is None else frame.drop(columns="row")


def _intervals(chosen: pd.DataFrame, part: str) -> list[str]:
    columns = (chosen[f"{part}_{what}"] for what in ("mean", "low", "high"))
    return [interval(*line) for line in zip(*columns, strict=True)]


def caption(tried: Tried, chosen: pd.DataFrame, seeds: int) -> str:
    """What the numbers of `frame` are, and by how much the score that chose was too low."""
    said = (
        *sentences(tried, seeds),
        "Chosen by: the validation error (val.) of the trial that was chosen, the lowest of many and so no estimate; "
        "fresh seeds: mean and 95 % Student-t interval at the last epoch, validation images first, then test images.",
        _optimism(chosen),
        *_counts(tried),
    )
    return " ".join(s for s in said if s)


def winner(tried: Tried, studies: Sequence[Trials], label: str) -> Winner | None:
    """What chose the settings of a row; `tried`: `studies` as frames."""
    known = tried.candidates[tried.candidates["chosen"] & (tried.candidates["measured_as"] == label)]
    for _, line in known.iterrows():
        (study,) = (s for s in studies if s.row.label == line["row"])
        own = study.candidates[line["number"]]
        words, error, id_ = settings_text(tried, line), line["validation_error"], (own.record or own.planned).id
        return Winner(own.number, own.chosen, words, float(error), study.count(*BUDGETED), id_)
    return None


def sentences(tried: Tried, seeds: int) -> tuple[str, ...]:
    """How rows came to their settings: budget, sampler, space, by what was judged, and what was measured again."""
    judged = f"judged on validation images at the last epoch by {_and(OBJECTIVES[o] for o in tried.objectives)}"
    asked = f"{tried.trained} candidates ({SAMPLERS[tried.study.sampler]}) over {space(tried)}, {judged}"
    fresh = f"{seeds} fresh seed{'s' * (seeds != 1)}"
    if tried.search is None:
        return (
            f"Every row was tuned by itself: {asked}.",
            f"The best of each row was trained again on {fresh}; only these are reported.",
        )
    limits = [f"{OBJECTIVES[name]} at most {most:,g}" for name, most in tried.search.limits.items()]
    return (
        f"One search: {asked}{'; ' * bool(limits)}{_and(limits)}.",
        f"{_again(tried)} trained again on {fresh}; only these are reported.",
    )


def _again(tried: Tried) -> str:
    """Who of a search is measured on fresh seeds, with the verb; the base may be one of those that were chosen."""
    found = tried.candidates
    chosen, front = (int(found[column].sum()) for column in ("chosen", "on_front"))
    base = bool((found["measured_as"] == found["row"])[found["chosen"]].any())
    if not chosen:
        return "No candidate may be chosen, and only the base was"
    if len(tried.objectives) > 1:
        return _of_front(chosen - base, front, base)
    if base:
        return f"The best {chosen}, the base among them, were" if chosen > 1 else "The best, which is the base, was"
    return f"The best {chosen} and the base were" if chosen > 1 else "The best and the base were"


def _of_front(others: int, front: int, base: bool) -> str:
    """As `_again`, of several objectives; `others`: those that were chosen and are not the base."""
    if not others:
        return (
            "The base, alone on the Pareto front, was"
            if front == 1
            else f"Of the {front} on the Pareto front the base alone was"
        )
    if others == front:
        return f"The {'one' if front == 1 else front} on the Pareto front and the base were"
    among = f", which is one of the {front}," if base else ""
    return f"Of the {front} on the Pareto front {others} and the base{among} were"


def besides(tried: Tried) -> str:
    """How many trainings chose, besides those that are reported."""
    n = int(tried.candidates["outcome"].isin(BUDGETED).sum())
    return f"{n:,} candidate{'s' * (n != 1)}"


def otherwise(tried: Tried) -> str:
    """Why a study that is made again may choose otherwise, whatever the machine; "" where it does not."""
    if (search := tried.search) is None:
        return ""
    timed = "latency" in (*search.objectives, *search.limits)
    why = [
        "which candidates are stopped early depends on which run at the same time" * (search.stopping is not None),
        "the seconds an image are measured anew" * timed,
    ]
    return _and(w for w in why if w)


def short(tried: Tried) -> str:
    """As `sentences`, for the caption of the table: how many, and that they are not what is reported."""
    n, again = tried.trained, "on validation images; the numbers are of fresh seeds."
    if tried.search is None:
        return f"Every row was tuned by the best of {n} candidates {again}"
    return f"Candidates were chosen from {n} {again}"


def space(tried: Tried) -> str:
    """What was chosen from, setting by setting."""
    return _and(f"{tried.names[path]} ({_range(dimension)})" for path, dimension in tried.study.space.items())


def _range(dimension: AnyDimension) -> str:
    if isinstance(dimension, Choice):
        return ", ".join(dimension.labelled)
    return f"{dimension.low:g} to {dimension.high:g}{', log' * dimension.log}"


def _optimism(chosen: pd.DataFrame) -> str:
    """By how much fresh seeds differ from what chose, on the same kind of images."""
    found = 100 * (chosen["validation_mean"] - chosen["selection_error"]).mean()
    return "" if found != found else f"Fresh seeds are {found:+.2f} points from what chose, on average."


def _counts(tried: Tried) -> list[str]:
    """What came of the candidates that have no say, and why a study has fewer than its budget."""
    outcomes = tried.candidates["outcome"].value_counts()
    said = [
        f"{n} {text.format(was='was' if n == 1 else 'were')}"
        for what, text in OUTCOMES.items()
        if (n := int(outcomes.get(what, 0)))
    ]
    text = [f"Of all candidates {_and(said)}."] if said else []
    whose = [("The search" if tried.search else row, why) for row, why in tried.exhausted]
    return text + [f"{name} had fewer than {tried.study.trials:,}: {why}." for name, why in whose]


def _and(parts: Iterable[str]) -> str:
    *first, last = [*parts] or [""]
    return f"{', '.join(first)} and {last}" if first else last

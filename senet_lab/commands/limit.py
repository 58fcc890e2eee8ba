"""Sweeps that end before all is done, by `--max-hours` or the first Ctrl-C: with whole seeds, and with a word."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from senet_lab import balance
from senet_lab.balance import Course, Limit, Rest, listed
from senet_lab.commands import console
from senet_lab.errors import UserError
from senet_lab.forecast import forecast
from senet_lab.inventory import Inventory
from senet_lab.plan import Plan, PlannedTrial, State, block
from senet_lab.spec import Trial

if TYPE_CHECKING:
    from senet_lab.expected import Expected, Known

AGAIN = "To go on, type the same command again"


class Pace:
    """Seconds of what is left of a run, by the trials of the store and those that have ended in it."""

    def __init__(self, found: Inventory, places: int | None, grouped: Callable[[Trial], bool]) -> None:
        """`places`: groups at once; None where nobody knows: the most that were seen at once.

        `grouped`: which rows are trained together.
        """
        self._found, self._places, self._grouped = found, places, grouped
        self._known: tuple[int, Known] | None = None
        self._works: dict[str, float] = {}

    def __call__(self, rest: Rest) -> float | None:
        """None where no trial tells it; 0 where nothing is left."""
        if not rest.trials:
            return 0.0
        from senet_lab import expected

        if self._known is None or self._known[0] != len(rest.ended):
            found = replace(self._found, records=(*self._found.records, *rest.ended))
            self._known = len(rest.ended), expected.known_times(found, self._device(rest), self._grouped)
        known = self._known[1]
        left = [(t, max(expected.LEAST_SHARE, share)) for t, share in rest.trials]
        needs = expected.needs(self._found, left, self._works)
        told = forecast(needs, known.timings, self._places or max(1, rest.at_once), known.drift)
        return None if told is None else told.seconds

    def _device(self, rest: Rest) -> str:
        """Where trials of this run end; before the first one has, where they would on this machine."""
        import torch

        ran = [record.device for record in rest.ended if record.status == "done"]
        return ran[-1] if ran else "cuda" if torch.cuda.is_available() else "cpu"


def announce(course: Course, pace: Pace) -> None:
    """Say what the first Ctrl-C means."""
    rest = course.rest()
    trials = f"{len(rest.trials)} trial{'s' * (len(rest.trials) != 1)}"
    console.print(
        f"Stopping: {trials} more, {_aim(t for t, _ in rest.trials)}{_about(pace(rest))}. Ctrl-C again stops at "
        f"once and loses nothing: a trial that is interrupted goes on from its last epoch",
        soft_wrap=True,
        markup=False,
    )


def _aim(left: Iterable[PlannedTrial]) -> str:
    """Why what is left is still run. Candidates have one seed, and those of a search are no rows yet."""
    row = next((t.variant for t in left), None)
    if row is None or row.candidate is None:
        return "so that all rows have the same seeds"
    return "so that all rows have as many candidates" if row.tuned else "of candidates that have begun"


def refuse_too_long(
    found: Inventory, limit: Limit, rerun: Collection[State], expect: "Callable[[Inventory], Expected | None]"
) -> None:
    """Raises UserError if not even the first seed that is missing would be there in all rows before the limit."""
    if limit.max_hours is None:
        return
    coming = replace(found, plan=balance.first(found.plan, rerun))
    told = expect(coming)
    if (told.forecast.seconds if told else 0.0) <= limit.left():
        return
    due = len(coming.plan.to_run(rerun))
    costs = f"would take{_about(told.forecast.seconds, ' about')}" if told else "cannot begin by then"
    raise UserError(
        f"--max-hours {limit.max_hours:g}: the first seed that is missing, {due} trial{'s' * (due > 1)}, {costs}; "
        f"allow more, or leave it out and press Ctrl-C once when it has been enough: that leaves whole seeds, too"
    )


def standing(plan: Plan) -> str:
    """Which seeds are there."""
    whole, torn = balance.whole(plan)
    asked = len({block(t) for t, _ in plan.trials})
    text = f"{len(whole)} of {asked} seeds are there in every row"
    return f"{text} and seed{'s' * (len(torn) > 1)} {listed(torn)} in some rows only" if torn else text


def outcome(
    course: Course, found: Inventory, rerun: Collection[State], expect: "Callable[[Inventory], Expected | None]"
) -> str:
    """How a run that left trials out came to its end; empty for one that did not."""
    if not (course.late or course.stopped):
        return ""
    text = ending(found.plan, rerun, expect(found))
    return text if course.stopped else f"--max-hours {course.limit.max_hours:g} leave no time for another seed: {text}"


def ending(plan: Plan, rerun: Collection[State], told: "Expected | None") -> str:
    """Which seeds are there, what is left, and how long that takes."""
    if not (left := len(plan.to_run(rerun))):
        return f"{standing(plan)}, and nothing is left to run"
    trials = f"{left} trial{'s are' if left > 1 else ' is'} left"
    return f"{standing(plan)}; {trials}{_about(told.forecast.seconds if told else None)}. {AGAIN}"


def _about(seconds: float | None, words: str = ", about") -> str:
    from senet_lab.results.stats import duration

    return "" if seconds is None else f"{words} {duration(seconds)}"

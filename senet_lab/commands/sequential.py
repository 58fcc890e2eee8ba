"""`--until-decided`: look, add seeds to undecided rows, look again; each time all is replayed from the store."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from senet_lab.balance import Limit
from senet_lab.commands import console
from senet_lab.commands.limit import standing
from senet_lab.errors import Interrupted, UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import State

if TYPE_CHECKING:
    from senet_lab.expected import Expected
    from senet_lab.results.looks import Looked
    from senet_lab.results.replay import State as Stand


@dataclass(frozen=True)
class Means:
    """How trials are run."""

    rerun: Collection[State]
    run: Callable[[Inventory], None]
    expect: Callable[[Inventory], "Expected | None"]
    """The time of what is due, where something tells it."""
    stopped: Callable[[], bool] = lambda: False
    """Whether nothing else is to begin."""


def until_decided(asked: Inventory, until: Limit, means: Means) -> "tuple[Looked, str]":
    """Run look after look; the state at the end, and a sentence that says why it is the end.

    Raises UserError if there is not one complete look, and Interrupted if it was stopped before there was one.
    """
    from senet_lab.results.looks import complete, look

    looked, tried, pace = look(asked), frozenset[str](), 0.0
    while due := (coming := looked.next(tried)).plan.to_run(means.rerun):
        told = means.expect(coming)
        seconds = told.forecast.seconds if told else pace * len(due)
        if seconds > until.left() or until.left() <= 0:
            return looked, _too_long(looked, seconds, until)
        console.print(announcement(looked.state), soft_wrap=True, markup=False)
        began = time.monotonic()
        means.run(coming)
        pace = (time.monotonic() - began) / len(due)
        tried |= {t.id for t in due}
        looked = replace(look(asked, beyond=max(looked.state.wanted.values(), default=0)), tried=tried)
        if means.stopped():
            return _stopped(looked), ending(looked)
    return complete(looked), ending(looked)


def announcement(state: "Stand") -> str:
    """Which look begins."""
    if not state.wanted:
        return "Trials of complete looks are run again"
    coming, rows = state.look + 1, len(state.design.baselines)
    seeds = f"{state.design.seeds(coming):,} seed{'s' * (state.design.seeds(coming) > 1)}"
    if coming == 1:
        return f"Look 1: {seeds} of every row"
    decided = f"{rows - len(state.undecided)} of {rows} rows are decided"
    return f"Look {coming}: {seeds} of {', '.join(state.wanted)}; {decided}"


def ending(looked: "Looked") -> str:
    """What is decided, and what another look would take."""
    state = looked.state
    looks = f"look {state.look}" if state.look > 1 else "the first look"
    if not state.undecided:
        return f"All {len(state.design.baselines)} rows are decided at {looks}".replace("All 1 rows are", "The row is")
    if not state.wanted:
        return f"Undecided at {looks}: {', '.join(state.undecided)}; the next one would need more than 10,000 seeds"
    stale = looked.next().plan.counts()["stale"]
    older = f"; {stale} of its trials are of other code, which --rerun stale runs again" if stale else ""
    return (
        f"Undecided at {looks}: {', '.join(state.undecided)}. The next one has {state.design.seeds(state.look + 1):,} "
        f"seeds of {', '.join(state.wanted)}; `sweep` with --until-decided{' --rerun stale' if stale else ''} and the "
        f"same --set, --seeds, --recipe and --store runs it{older}"
    )


def _stopped(looked: "Looked") -> "Looked":
    """`looked`, with its complete looks. Raises Interrupted if there is none."""
    if looked.state.look:
        return looked
    left = len(looked.used.plan.to_run())
    raise Interrupted(
        f"stopped; {standing(looked.used.plan)}: the first look is not complete, {left} of its trials are left. "
        f"To go on, type the same command again"
    )


def _too_long(looked: "Looked", seconds: float, until: Limit) -> str:
    from senet_lab.results.stats import duration

    state = looked.state
    if not state.look:
        costs = f"would take about {duration(seconds)}" if seconds else "has not begun by then"
        raise UserError(
            f"--max-hours {until.max_hours:g}: the first look, of {state.design.first} seeds, {costs}; "
            f"allow more, or begin with fewer --seeds"
        )
    left = until.left()
    left_text = f"{duration(left)} of --max-hours {until.max_hours:g} are left" if left > 0 else "--max-hours is over"
    go_on = "type the same command again, with more hours if need be"
    if not state.wanted:
        time_text = f"would take about {duration(seconds)}, and" if seconds else "are left as they are:"
        return f"{ending(looked)}. The trials to run again {time_text} {left_text}. To run them, {go_on}"
    time_text = f" would take about {duration(seconds)}, and" if seconds else ":"
    return (
        f"Undecided at look {state.look}: {', '.join(state.undecided)}. Look {state.look + 1} "
        f"({state.design.seeds(state.look + 1):,} seeds of {', '.join(state.wanted)}){time_text} {left_text}. "
        f"To go on, {go_on}"
    )

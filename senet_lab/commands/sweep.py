"""Run what a question is missing, report, and bring MLflow up to date."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from senet_lab import selection, signals
from senet_lab.balance import Course, Limit
from senet_lab.candidates import stopping
from senet_lab.commands import console, engine, limit, waiting
from senet_lab.commands.choosing import choose, standing
from senet_lab.commands.report import WRITING, prepare, release, show_report
from senet_lab.commands.running import Beside, How, run, told_time
from senet_lab.commands.sequential import Means, until_decided
from senet_lab.commands.together import Together
from senet_lab.credentials import without_credentials
from senet_lab.environment import program
from senet_lab.errors import Interrupted, TrialsFailed, UserError
from senet_lab.inventory import Inventory, keep_labels
from senet_lab.options import to_show
from senet_lab.plan import State

if TYPE_CHECKING:
    from senet_lab.executors import Executor, Listener
    from senet_lab.jobs import Step
    from senet_lab.results.looks import Looked
    from senet_lab.results.report import Report
    from senet_lab.tracking import Projection


def run_sweep(found: Inventory, how: How, until: bool = False) -> None:
    """Run what is missing, report, and bring MLflow up to date; `until` all is decided, look after look.

    Raises TrialsFailed if a trial that was asked for is not done, unless the time was over, Interrupted after Ctrl-C,
    UserError if the time that is allowed is not enough for anything.
    """
    from senet_lab import tracking
    from senet_lab.results import keys
    from senet_lab.results.folder import check_folder

    folder = how.reports / keys.table(found.question, looks=until)
    check_folder(folder)
    uri = how.tracking_uri or tracking.default_uri()
    if wrong := tracking.refused(uri):
        raise UserError(f"MLflow: {wrong}")
    due = _due(found, how, until)
    study = found.question.study
    how = replace(how, executor=engine.chosen(how, due, study is not None and stopping(study) is not None))
    executor = engine.executor(how, needed=due > 0, stays=study is not None)
    tell = partial(console.print, soft_wrap=True, markup=False)
    with found.store.locked(tell), signals.remembered() as check:
        found = found.again()  # another command may have worked on it until now
        projection = tracking.Projection(found.question, uri, found.store.environment)
        written: Report | None = None
        course = Course(how.limit)
        try:
            groups = Together(how.together, how.executor, how.address, how.gpus_per_trial, found.data_dir)
            beside = Beside(_listener(projection, check), partial(prepare, projection.settle), course)
            runs = partial(run, how=how, groups=groups, executor=executor, beside=beside)
            means = Means(how.rerun, runs, partial(told_time, how, groups), lambda: course.stopped)
            if found.question.study is not None:
                quiet = partial(runs, beside=replace(beside, nearly_done=_nothing))
                candidates = partial(_candidates, replace(means, run=quiet), course, executor)
                found = choose(found, candidates, lambda: course.over, how)
                projection.asks(found.question)
            if until:
                course.limit = Limit()  # looks mind the clock themselves
            looked: Looked | None = None
            if selection.is_open(found):
                ending = f"{standing(found)}. {limit.AGAIN}"
            else:
                found, looked, ending = _work(found, means, course, how.limit if until else None)
                check()
                with waiting(WRITING):
                    projection.settle()
                written = show_report(found, how.reports, looks=looked.state if looked else None)
            if ending and not course.stopped:
                console.print(ending, soft_wrap=True, markup=False)
        except KeyboardInterrupt:
            raise Interrupted from None
        finally:
            executor.stop()
            release()
            rows = written.aggregates() if written else ()
            now = found if written else _latest(found)
            if not written and not until and course.begun and not selection.is_open(now):
                console.print(limit.standing(now.plan), soft_wrap=True, markup=False)
            behind = projection.close(
                selection.everything(now),
                now.records,
                [tracking.VariantAggregate(r.label, r.metrics, r.verdict, r.sentence) for r in rows],
                folder if written else None,
            )
    page = without_credentials(uri) if uri.startswith("http") else f"{program()} ui"
    console.print(behind or f"To look at the runs in MLflow: {page}", markup=False, soft_wrap=True)
    if course.stopped:
        raise Interrupted(f"stopped; {ending}")
    if written is None:
        return
    _refuse_failures(looked.due if looked else found, course.late)


def _due(found: Inventory, how: How, until: bool) -> int:
    """Trials that this command has to run, at most."""
    if found.question.study is None:
        return len(_coming(found, until).plan.to_run(how.rerun))
    studies = selection.read(found)
    if not all(one.finished for one in studies):
        return sum(one.left for one in studies) + len(found.planned)
    return len(_coming(selection.confirmed(found), until).plan.to_run(how.rerun))


def _coming(found: Inventory, until: bool) -> Inventory:
    """What is asked for first."""
    if not until:
        return found
    from senet_lab.results.looks import look

    return look(found).next()


def _work(
    found: Inventory, means: Means, course: Course, until: Limit | None
) -> "tuple[Inventory, Looked | None, str]":
    """Run what is due: what the report is of then, and how it came to an end."""
    if until is not None:
        looked, ending = until_decided(found, until, means)
        return looked.used, looked, ending
    if not found.plan.to_run(means.rerun):
        keep_labels(found)  # stores of older versions have none
        console.print(f"{found.plan.counts()['done']} of {len(found.planned)} trials are done; nothing to run")
        return found, None, ""
    if _fits(found, means, course):
        means.run(found)
        found = found.again()
    return found, None, limit.outcome(course, found, means.rerun, means.expect)


def _nothing() -> None:
    """What is done when a place has no candidate any more: there is no report yet."""


def _candidates(means: Means, course: Course, executor: "Executor", coming: Inventory) -> None:
    """Run a batch of candidates, where there is time for one of every row; what they are held against knows others."""
    from senet_lab.executors.ray_tune import RayTune

    study = coming.question.study
    rule = None if study is None else stopping(study)
    if isinstance(executor, RayTune) and rule is not None:
        wanted = {t.id for t in coming.plan.to_run()}
        past = [r for r in coming.records if r.id in {t.id for t in coming.planned} - wanted]
        executor.watch(rule, [r.epochs for r in past])
    try:
        if _fits(coming, means, course):
            means.run(coming)
    finally:
        if isinstance(executor, RayTune):
            executor.watch(None)


def _fits(found: Inventory, means: Means, course: Course) -> bool:
    """Whether there is time for the first block. Raises UserError if not, where nothing has run in this command."""
    try:
        limit.refuse_too_long(found, course.limit, means.rerun, means.expect)
    except UserError:
        if not course.begun:
            raise
        course.late = True
        return False
    return True


def _latest(found: Inventory) -> Inventory:
    """What the store holds now; if it cannot be read any more, what it held: the first error is the one to tell."""
    try:
        return found.again()
    except UserError:
        return found


def _listener(projection: "Projection", check: Callable[[], None]) -> "Listener":
    """Tells MLflow every step; `check` before it, as a Ctrl-C may have been lost."""

    def listener(step: "Step") -> None:
        check()
        if step.record is None:
            projection.epochs(step.planned, step.epochs)
        else:
            projection.finished(step.record, step.planned)

    return listener


def _refuse_failures(found: Inventory, late: bool) -> None:
    """Raises TrialsFailed; `late`: what has not begun, or not ended, is left by the time that was allowed."""
    counts = found.plan.counts()
    states: tuple[State, ...] = ("failed",) if late else ("failed", "missing", "interrupted")
    left = {state: counts[state] for state in states if counts[state]}
    if not left:
        return
    text = f"{', '.join(f'{n} {state}' for state, n in left.items())} of {len(found.planned)} trials"
    remedy = "to run what is left, type the same command again"
    if failed := [r for r in found.counting if r.status == "failed"]:
        first = failed[0]
        last = (first.traceback or "").strip().splitlines()[-1:]
        text += f", e.g. {first.variant} seed={first.trial.seed}: {without_credentials(''.join(last))}"
        remedy = (
            f"{to_show(found.store.root, first.id)} shows its whole traceback; "
            f"to try the failed ones again, add --rerun failed to the same command"
        )
    raise TrialsFailed(f"{text}. {remedy}")

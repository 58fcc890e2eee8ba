"""What the numbers of a report do not say."""

import math
from typing import TYPE_CHECKING

from senet_lab.results import captions, stats
from senet_lab.results.page.protocol import sources
from senet_lab.results.provenance import FAILED
from senet_lab.results.studies import Tried

if TYPE_CHECKING:
    from senet_lab.results.report import Report


def notices(report: "Report") -> tuple[str, ...]:
    """What a reader has to know before believing the answer; nothing where all trials are done, by one code."""
    return tuple(s for s in (_short(report), _stale(report)) if s)


def limits(report: "Report") -> tuple[str, ...]:
    """A sentence or two each, the weightiest first; only what holds for this report."""
    return (*notices(report), *(s for s in (_test_images(report), *_always(report), _open(report)) if s))


def _short(report: "Report") -> str:
    wanted = int(report.summary["wanted"].sum())
    missing = wanted - int(report.summary["n"].sum())
    if not missing:
        return ""
    failed = report.provenance.count(FAILED) if report.provenance else 0
    why = f" {failed} of them failed, and a trial may fail because of what is compared." if failed else ""
    return f"{missing:,} of the {wanted:,} trials that the sweep asks for are not in the numbers.{why}"


def _test_images(report: "Report") -> str:
    """The sampling error that no number of seeds takes away."""
    done = report.trials
    if done.empty:
        return ""
    n, p = int(done["n_test"].min()), float(done["test_error"].median())
    alone = 100 * math.sqrt(p * (1 - p) / n)
    text = (
        f"Every trial was tested on the same {n:,} images. An error of {100 * p:.2f} % on so many has a standard "
        f"error of {alone:.2f} points from the choice of the images alone (binomial), which more seeds do not lower "
        f"and the intervals over seeds do not contain."
    )
    known = report.comparison.get("delta_se_test")
    if known is None or known.dropna().empty:
        return f"{text} Of a difference between two rows it is smaller, as both are tested on the same images."
    return f"{text} In the differences between rows it is {100 * known.min():.2f} to {100 * known.max():.2f} points."


def _always(report: "Report") -> tuple[str, ...]:
    sweep = report.question.sweep
    margin = stats.points(sweep.margin)
    here = ", ".join(sources(report))
    return (
        f"The numbers are of {here}, of these networks and this length of training. Nothing here says that the same "
        f"holds on other data, for larger networks or for longer training.",
        _tuning(report),
        f"Equivalent means within {margin}, the margin that the sweep file declares. Whether {margin} matter is for "
        f"the reader to say; another margin gives other verdicts.",
        *_choices(report),
    )


def _choices(report: "Report") -> tuple[str, str]:
    """What results may have decided: the number of seeds, and what is done on the test images."""
    reader = "Who changes the sweep after reading this page, and reports the best of several, has chosen on them."
    if (state := report.looks) is None:
        return (
            "The p values and intervals are those of a number of seeds that was fixed beforehand. Adding seeds until a "
            "verdict changes makes errors more likely than they say; `--until-decided` adds them and keeps 5 %.",
            f"The test images were not used to choose anything here. {reader}",
        )
    return (
        f"The number of seeds was not fixed: undecided rows were given more at looks of {state.seeds_of_looks} seeds. "
        f"The p values and intervals are adjusted for all looks; {captions.first_number(state)}.",
        f"Errors on the test images chose which rows were given more seeds, which the adjustment covers, and nothing "
        f"else here. {reader}",
    )


def _tuning(report: "Report") -> str:
    """Whose learning rate the rows were trained with."""
    if (tried := report.tried) is not None:
        return _chosen(tried)
    settings = [row.trial.train for row in report.question.rows]
    if all(train == settings[0] for train in settings):
        return (
            "All rows are trained with one set of hyperparameters, which were not tuned for each. A row that needs "
            "another learning rate is judged at this one."
        )
    return "The rows differ in how they are trained, too (Protocol). Nothing here tuned that row by row."


def _chosen(tried: Tried) -> str:
    """What tuning and searching leave open."""
    n, space = tried.trained, ", ".join(tried.names.values())
    if tried.search is not None:
        return (
            f"The candidates are the best that {n} trials of one search found over {space}. Another search, a longer "
            f"one or another space may find better ones; and a setting that none of the best has is not shown to be "
            f"worse, as the search chose what was tried together with it."
        )
    return (
        f"Each row was trained with the best {space} of {n} candidates of its own. A row whose best lies elsewhere, "
        f"outside the space or between the candidates, is judged at these; all other hyperparameters are common."
    )


def _stale(report: "Report") -> str:
    stale = int(report.trials["stale"].sum())
    return f"{stale} trials were made by code that has changed since, and count because they were asked for." * (
        stale > 0
    )


def _open(report: "Report") -> str:
    n = int((report.comparison["verdict"] == "undecided").sum())
    return f"{n} comparison{'s are' if n > 1 else ' is'} undecided: that is no evidence of equality." if n else ""

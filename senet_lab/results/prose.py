"""A pair of rows in words and tables for people: percent and points from here on."""

import math

import pandas as pd

from senet_lab.results import parts, tables
from senet_lab.results.pair import SWEEP, Family, Pair
from senet_lab.results.signflip import ALPHA, DRAWS, EXACT_UP_TO
from senet_lab.results.signflip import FEWEST_FOR_SIGN_FLIP as FEWEST
from senet_lab.results.stats import points

VERDICTS = {
    "better": "{a} is better than {b}",
    "worse": "{a} is worse than {b}",
    "equivalent": "the two are equivalent within {margin}",
    "undecided": "which of the two is better, or whether they are equivalent within {margin}, is undecided",
}


def paragraph(pair: Pair, summary: pd.DataFrame, setting: str) -> str:
    """Sentences to paste into a rebuttal: both errors, the difference with interval and tests, the verdict.

    `summary` as of `stats.summarise`, `setting`: data and images, e.g. "On digits (891 test images)".
    """
    d, n = pair.difference, int(pair.difference["n"])
    errors = " and ".join(_error(label, summary) for label in (pair.a, pair.b))
    if n < 2:
        return f"{setting}, the test error was {errors}. Nothing can be tested: common seeds, {n}; needed, 2 at least."
    interval = "" if math.isnan(d["low"]) else f"95 % CI {signed(d['low'])} to {signed(d['high'])}; "
    tests = "no spread, no t test" if math.isnan(d["t"]) else f"paired t({n - 1}) = {d['t']:.2f}"
    tests += f", unadjusted p {p_value(d['p'])}"
    flips = "" if math.isnan(d["p_signflip"]) else f"; sign-flip permutation test, p {p_value(d['p_signflip'])}"
    tost = f"; two one-sided t tests against a margin of {points(pair.margin)}, p {p_value(d['p_tost'])}"
    told = VERDICTS[pair.verdict].format(a=pair.a, b=pair.b, margin=points(pair.margin))
    sentences = [
        f"{setting}, the test error after the last epoch was {errors}.",
        f"Over the {n} seeds that both were trained with, the mean paired difference ({pair.a} minus {pair.b}) was "
        f"{signed(d['mean'])} points{_common(pair, summary)} (of this pair alone: {interval}{tests}{flips}{tost}).",
        f"{_adjusted(pair)}: {told}.",
        _new_seed(pair),
        _test_set(pair),
    ]
    return " ".join(s for s in sentences if s)


def facts(pair: Pair) -> pd.DataFrame:
    """What the pair's difference is, a line a statement: `what`, `value`, `meaning`."""
    d, n = pair.difference, int(pair.difference["n"])
    wins, ties = int((pair.seeds["difference"] < 0).sum()), int((pair.seeds["difference"] == 0).sum())
    lines = [
        (
            "difference, points",
            tables.interval(d["mean"], d["low"], d["high"], "+"),
            f"mean of n = {n} seeds, 95 % CI",
        ),
        ("seeds for a, ties, b", f"{wins}, {ties}, {n - wins - ties}", "which row had the smaller error"),
        ("paired t test", f"p {p_value(d['p'])}", f"t = {d['t']:.2f}, {n - 1} degrees of freedom" if n > 1 else ""),
        (
            "sign-flip test",
            f"p {p_value(d['p_signflip'])}",
            f"assumes only symmetry; from {FEWEST} seeds on, exact up to {EXACT_UP_TO}, above by {DRAWS:,} draws",
        ),
        ("equivalence", f"p {p_value(d['p_tost'])}", f"two one-sided t tests, margin {points(pair.margin)}"),
        (
            "adjusted",
            f"p {p_value(pair.family.p)}",
            f"{_among(pair.family)}: the verdict's; equivalence, p {p_value(pair.family.p_tost)}; the p above are "
            f"unadjusted",
        ),
        ("P(a better)", _number(d["p_better"], ".2f"), "on one new seed"),
        ("correlation", _number(d["correlation"], "+.2f"), "of the two errors over seeds: what pairing gains"),
        ("1 SE by the seeds", _number(100 * d["se_seeds"], ".2f"), "points; what the interval is made of"),
        ("1 SE by the images", _images(d["se_test"]), "points; what as many other test images would add"),
    ]
    return pd.DataFrame(lines, columns=["what", "value", "meaning"])


def mcnemar(pair: Pair) -> str:
    """McNemar's test as a sentence."""
    m = pair.images
    if m is None:
        return "McNemar's test needs both rows' answers on the same images; not all trials kept them."
    return (
        f"Image by image (McNemar): a mean of {m['only_a']:.1f} of {m['images']:,.0f} images only a gets wrong, "
        f"{m['only_b']:.1f} only b. Networks of the same seed, one pair at a time (exact test): {m['seeds_below']:.0f} "
        f"of {m['seeds']:.0f} pairs differ with p < .05. All seeds together, with an image as the unit: "
        f"chi2(1) = {m['chi2']:.2f}, p {p_value(m['p'])}; that is about other images and these networks, the t test "
        f"about other seeds and these images."
    )


def classes(pair: Pair) -> pd.DataFrame | None:
    """Class by class, as text, the largest difference first; None where labels are not known."""
    if pair.classes is None:
        return None
    found = pair.classes.reindex(pair.classes["difference"].abs().sort_values(ascending=False, kind="stable").index)
    return pd.DataFrame(
        [
            {
                "class": row["name"],
                "images": str(row["images"]),
                "a %": f"{100 * row['a']:.2f}",
                "b %": f"{100 * row['b']:.2f}",
                "a - b, points [joint 95 %]": tables.interval(row["difference"], row["low"], row["high"], "+"),
                "p (Holm)": p_value(row["p_holm"]).removeprefix("= "),
            }
            for _, row in found.iterrows()
        ]
    )


def signed(fraction: float) -> str:
    """In points, with its sign; nought has a plus."""
    return f"{round(100 * fraction, 2) + 0.0:+.2f}"


def p_value(p: float) -> str:
    """ "= .031", "< .001", or "is not defined"."""
    if math.isnan(p):
        return "not defined"
    if p < 0.001:
        return "< .001"
    text = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return f"= {text.removeprefix('0')}"


def _error(label: str, summary: pd.DataFrame) -> str:
    row = summary[summary["variant"] == label].iloc[0]
    if not row["n"]:
        return f"unknown for {label} (no trial is done)"
    return f"{100 * row['mean']:.2f} % for {label}{_between(row['ci_low'], row['ci_high'], ' %', row['n'])}"


def _common(pair: Pair, summary: pd.DataFrame) -> str:
    """Both errors over the common seeds, where a row has others besides: only these are apart by the difference."""
    n = summary.loc[summary["variant"].isin([pair.a, pair.b]), "n"].max()
    if n == len(pair.seeds):
        return ""
    a, b = (f"{100 * pair.seeds[row].mean():.2f} %" for row in "ab")
    return f", {a} against {b} with these seeds alone"


def _between(low: float, high: float, unit: str = "", n: int | None = None) -> str:
    inside = [] if math.isnan(low) else [f"95 % CI {100 * low:.2f} to {100 * high:.2f}{unit}"]
    inside += [] if n is None else [f"n = {n} seed{'' if n == 1 else 's'}"]
    return f" ({', '.join(inside)})" if inside else ""


def _new_seed(pair: Pair) -> str:
    p = pair.difference["p_better"]
    return (
        "" if math.isnan(p) else f"On a new seed {pair.a} would have the smaller error with a probability of {p:.2f}."
    )


def _test_set(pair: Pair) -> str:
    d = pair.difference
    if math.isnan(d["se_test"]):
        return ""
    adds = f"another {_images(d['se_test'])} points (1 SE)" if d["se_test"] else parts.TOO_LITTLE
    return (
        f"The interval is about seeds, on these test images; other test images of the same number and kind would move "
        f"the difference by {adds}."
    )


def _images(se: float) -> str:
    """A standard error in points; one that is estimated at 0 is not 0 (see `parts.split`)."""
    if se == 0:
        return parts.TOO_LITTLE
    return "under 0.01" if 100 * se < 0.005 else _number(100 * se, ".2f")


def _adjusted(pair: Pair) -> str:
    """What the verdict goes by."""
    family = pair.family
    if math.isnan(family.p):
        return f"{_begun(_among(family))}, nothing is found yet"
    judged = "" if family.alpha == ALPHA else f", judged at {family.alpha:.2g}, which this look spends"
    return (
        f"{_begun(_among(family))}, p {p_value(family.p)} for a difference and p {p_value(family.p_tost)} for "
        f"equivalence{judged}"
    )


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _among(family: Family) -> str:
    """The comparisons that are corrected for."""
    looks = " and its looks" if family.looks else ""
    if family.size == 1:
        return f"as the only comparison of the sweep{looks and ', after correction for its looks'}"
    if family.of == SWEEP:
        return f"after Holm over the {family.size} comparisons of the sweep{looks}"
    return f"after Holm over all {family.size} pairs"


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)

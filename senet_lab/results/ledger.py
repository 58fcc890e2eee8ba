"""What was computed for a question: hours by what they were for, energy, money, and the words that checklists ask for.

An hour of a core or GPU is one for which it was held, busy or not. Energy is that of the whole machine while trials
ran, as far as meters told it, so it belongs to no single trial.
"""

import math
from collections import Counter
from dataclasses import dataclass

import pandas as pd

from senet_lab.records import Environment
from senet_lab.results import stats
from senet_lab.results.provenance import (
    COUNTS,
    FAILED,
    INTERRUPTED,
    MISSING,
    OLDER,
    OTHER,
    SELECTION,
    STOPPED,
    Provenance,
)

MEBIBYTE = 2**20
HOUR, KILOWATT_HOUR = 3600.0, 3.6e6
TABLE, PRELIMINARY, ALL = "in the table", "preliminary", "all"
PURPOSES = {
    TABLE: (COUNTS,),
    SELECTION: (SELECTION,),
    FAILED: (FAILED,),
    STOPPED: (STOPPED,),
    INTERRUPTED: (INTERRUPTED,),
    PRELIMINARY: (OLDER, OTHER),
}
"""What hours were for -> uses of trials."""
NAMES = {
    SELECTION: "that settings were chosen by",
    FAILED: "failed",
    STOPPED: "stopped early",
    INTERRUPTED: "interrupted and not done yet",
    MISSING: "not run yet",
    OLDER: "of code that has changed since",
    OTHER: "of settings or seeds that are not asked for here",
}


@dataclass(frozen=True)
class Prices:
    """Money for an hour of a core, of a GPU, and for a kilowatt-hour; None: not to be counted."""

    cpu_hour: float | None = None
    gpu_hour: float | None = None
    kwh: float | None = None
    currency: str = ""

    @property
    def given(self) -> bool:
        return (self.cpu_hour, self.gpu_hour, self.kwh) != (None, None, None)

    @property
    def hourly(self) -> bool:
        """Whether hours have one."""
        return (self.cpu_hour, self.gpu_hour) != (None, None)

    def of(self, cpu_hours: float, gpu_hours: float, kwh: float = 0.0) -> float:
        """Money for so much; what has no price costs nothing."""
        return cpu_hours * (self.cpu_hour or 0) + gpu_hours * (self.gpu_hour or 0) + kwh * (self.kwh or 0)


def purposes(found: Provenance, prices: Prices | None = None) -> pd.DataFrame:
    """A line per purpose that has trials, and one of all: `purpose`, `trials`, `cpu_hours`, `gpu_hours`, `share` (of
    the trials' time, 0 to 1), `money` (without energy; NaN where hours have no price). Attempts that were tried again
    are hours of "failed"."""
    prices = prices or Prices()
    began = found.runs[found.runs["use"] != MISSING]
    lost = began["lost_seconds"]
    lines = []
    for purpose, uses in PURPOSES.items():
        own = began["use"].isin(uses)
        seconds = began["seconds"].where(own, 0.0) + (lost if purpose == FAILED else 0.0)
        if own.any() or seconds.any():
            lines.append(_hours(purpose, int(own.sum()), seconds, began))
    lines.append(_hours(ALL, len(began), began["seconds"] + lost, began))
    frame = pd.DataFrame(lines)
    frame["share"] = frame["seconds"] / (frame["seconds"].iloc[-1] or math.nan)
    money = [prices.of(c, g) for c, g in zip(frame["cpu_hours"], frame["gpu_hours"], strict=True)]
    frame["money"] = money if prices.hourly else math.nan
    return frame[["purpose", "trials", "cpu_hours", "gpu_hours", "share", "money"]]


def _hours(purpose: str, trials: int, seconds: "pd.Series[float]", runs: pd.DataFrame) -> dict[str, object]:
    held = {"cpu": runs["cpus"], "gpu": runs["gpus"].where(~_unsaid(runs), 1.0)}
    hours = {f"{kind}_hours": float((seconds * each).sum()) / HOUR for kind, each in held.items()}
    return {"purpose": purpose, "trials": trials, "seconds": float(seconds.sum())} | hours


def _unsaid(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Which trials ran on a GPU that their records do not say a part of."""
    return runs["device"].str.startswith("cuda") & (runs["gpus"] == 0)


def sittings(found: Provenance) -> pd.DataFrame:
    """A line per time that trials were run: `number`, `began_at` (Unix time), `seconds` (wall), `trials` (to run),
    `ended`, `over`, `slots`, `forecast_seconds`, `low_seconds`, `high_seconds`, `source` (of the forecast, where one
    was made), `running_seconds` (what it is compared to), `off` (actual / forecast - 1, where all trials ended),
    `kwh` (NaN without a meter)."""
    lines = []
    for s in found.sittings:
        said, whole = s.forecast, s.over and s.ended == s.trials
        lines.append(
            {name: getattr(s, name) for name in ("number", "began_at", "seconds", "trials", "ended", "over")}
            | {"slots": s.slots or math.nan, "running_seconds": s.running_seconds}
            | {f"{name}_seconds": getattr(said, name, math.nan) for name in ("low", "high")}
            | {"forecast_seconds": said.seconds if said else math.nan, "source": said.source if said else ""}
            | {"off": s.running_seconds / said.seconds - 1 if said and said.seconds and whole else math.nan}
            | {"kwh": sum(s.joules.values()) / KILOWATT_HOUR if s.joules else math.nan}
        )
    return pd.DataFrame(lines, columns=SITTINGS)


SITTINGS = ["number", "began_at", "seconds", "trials", "ended", "over", "slots", "forecast_seconds", "low_seconds"]
SITTINGS += ["high_seconds", "source", "running_seconds", "off", "kwh"]


def kwh(found: Provenance) -> dict[str, float]:
    """Meter -> kilowatt-hours over all sittings; empty where none had a meter."""
    total: Counter[str] = Counter()
    for sitting in found.sittings:
        total.update(sitting.joules)
    return {meter: joules / KILOWATT_HOUR for meter, joules in sorted(total.items())}


def energy(found: Provenance) -> str:
    """What meters told, in a sentence; empty without any."""
    if not (each := kwh(found)):
        return ""
    metered = sum(1 for s in found.sittings if s.joules)
    told = " and ".join(f"{spent:.2g} kWh {MEASURED.get(meter, f'by {meter}')}" for meter, spent in each.items())
    part = "" if metered == len(found.sittings) else f" in {metered} of {len(found.sittings)} sittings"
    return f"While trials ran{part}, the whole machine, with whatever else ran on it, used {told}."


MEASURED = {"RAPL": "in its processors (RAPL)", "NVML": "in its GPUs (NVML)"}


def total(found: Provenance) -> str:
    """All compute in two sentences."""
    kept, n = found.seconds(COUNTS), found.count(COUNTS)
    hours = {line["purpose"]: (line["cpu_hours"], line["gpu_hours"]) for _, line in purposes(found).iterrows()}
    text = "No trial is in the table"
    if n:
        spent = _spoken(*hours[TABLE])
        text = f"{stats.duration(kept)} of trial time for the {n:,} trial{'s' * (n != 1)} in the table ({spent})"
    rest = [f"{found.count(use):,} {words}" for use, words in NAMES.items() if found.count(use)]
    if not rest:
        return f"{text}. No trial failed, was interrupted or was left out."
    more = hours[ALL] not in (hours.get(TABLE), (0.0, 0.0))
    return f"{text}. Besides: {', '.join(rest)}{f'; with them {_spoken(*hours[ALL])} in all' * more}."


def _spoken(cpu_hours: float, gpu_hours: float) -> str:
    return f"{cpu_hours:.2g} CPU-hours" + (f" and {gpu_hours:.2g} GPU-hours" if gpu_hours else "")


def not_known(found: Provenance) -> list[str]:
    """How what has no record, or was made again, is counted."""
    said = []
    tries = int((found.runs["attempts"] - 1).clip(lower=0).sum())
    if tries:
        said.append(f"{tries} earlier attempts of trials that were tried again count among what failed.")
    if found.count(INTERRUPTED):
        said.append("Of an interrupted trial the epochs count that its checkpoint holds.")
    if _unsaid(found.runs).any():
        said.append("Older records do not say what part of a GPU a trial had; a whole one is counted.")
    return said


def statement(found: Provenance | None) -> tuple[str, str]:
    """Answer and text for "Experiments compute resources", item 8 of the NeurIPS checklist, as others ask for it too.

    https://neurips.cc/public/guides/PaperChecklist: processors, memory, time of single runs, the total, and what was
    computed beyond what is reported.
    """
    ran = None if found is None else found.runs[found.runs["attempts"] > 0]
    if found is None or ran is None or ran.empty:
        return "NA", NOTHING
    machines = "; or ".join(dict.fromkeys(hardware(e) for e in found.environments.values()))
    kept = ran[ran["use"] == COUNTS] if found.count(COUNTS) else ran
    peak = kept["peak_memory_bytes"].max()
    memory = f" and at most {peak / MEBIBYTE:,.0f} MiB of memory" if peak == peak else ""
    where = f", on {machines}" if machines else ""
    used = f" {energy(found)}" if energy(found) else ""
    return "Yes", (
        f"One run takes {kept['seconds'].mean():.1f} s on average{memory}{where}. {total(found)}{used} "
        f"{TO_FILL}add what was computed outside this sweep.]"
    )


NOTHING = "No run has been made."
TO_FILL = "[AUTHORS: "


def hardware(environment: Environment) -> str:
    """Processor and GPUs."""
    each = Counter(environment.gpus).items()
    gpus = ", ".join(f"{n} x {name}" if n > 1 else name for name, n in each) or "no GPU"
    return f"{environment.cpu}, {environment.cores} core{'s' * (environment.cores != 1)}; {gpus}"

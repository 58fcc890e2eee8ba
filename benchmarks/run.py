"""All parts of the benchmark in turn, and their page: benchmarks/results/<date>-<hardware>.md, numbers beside it.

    python -m benchmarks.run --only networks,se --rounds 9

Each part is a program of its own, `python -m benchmarks.<part>`; one that fails or cannot run here does not stop the
others, and the page says why. The page is written anew after each part.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.measure import Part

ROOT = Path(__file__).parent.parent
EXPECTED = {"networks": 380, "se": 700, "together": 130, "gpu": 15, "overhead": 300, "end_to_end": 1340}
"""Parts in their order, and about how many seconds each takes on two slow cores; with --quick a tenth."""
LONGEST_SECONDS = 3600
OPTIONS = {"se": ("others",), "gpu": ("data_dir", "source"), "end_to_end": ("seeds",)}
"""What is passed on to a part, where it is given."""


def here() -> dict[str, Any]:
    """The machine and what is installed."""
    import torch

    cuda = torch.cuda.is_available()
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if cuda else "none",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "load at start": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "commit": _output("git", "rev-parse", "--short", "HEAD") or "unknown",
    }
    return facts


def hardware(facts: dict[str, Any]) -> str:
    """The machine in a file's name."""
    name = facts["gpu"] if facts["gpu"] != "none" else f"{facts['cpu']} {facts['cores']} cores"
    name = re.sub(r"\(\w+\)|@.*?GHz|\bcpu\b|\bprocessor\b", " ", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def page(facts: dict[str, Any], parts: dict[str, Part]) -> str:
    """The whole page."""
    lines = ["# Benchmark", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    judged = [(row, part) for part in parts.values() for row in part.rows if row.goal is not None and row.ratios]
    if judged:
        lines += ["## Goals", "", "| goal of | wanted | measured | verdict |", "| --- | ---: | ---: | ---: |"]
        lines += [f"| {row.what} | {row.goal} | {row.median:.3f} | {row.verdict} |" for row, _ in judged]
        lines += ["", 'A verdict is of the median; "spread straddles" where single rounds say the opposite.', ""]
    return "\n".join([*lines, *(part.markdown() for part in parts.values())])


def run(name: str, chosen: argparse.Namespace) -> Part:
    """One part in a process of its own, what it says on the terminal; never raises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(path)]
        command += ["--quick"] * chosen.quick + (["--rounds", str(chosen.rounds)] if chosen.rounds else [])
        for option in OPTIONS.get(name, ()):
            if (value := getattr(chosen, option)) is not None:
                command += [f"--{option.replace('_', '-')}", str(value)]
        since = time.perf_counter()
        try:
            code: object = subprocess.run(command, cwd=ROOT, timeout=LONGEST_SECONDS).returncode
        except subprocess.TimeoutExpired:
            code = f"no end in {LONGEST_SECONDS} s"
        if path.is_file():
            return measure.read(path)
        why = f"python -m benchmarks.{name} ended with {code} before it had begun; it says why on the terminal"
        return Part(name, "", cannot=why, seconds=time.perf_counter() - since)


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--only", help=f"parts, by commas: {', '.join(EXPECTED)}")
    parser.add_argument("--others", type=Path, help="a folder that holds timm and torchvision")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--source")
    parser.add_argument("--seeds", type=int, help="of the whole sweep; 20")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    chosen = parser.parse_args()
    names = chosen.only.split(",") if chosen.only else list(EXPECTED)
    if unknown := set(names) - set(EXPECTED):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(EXPECTED)}")
    for option in ("others", "data_dir"):
        if (folder := getattr(chosen, option)) is not None:
            setattr(chosen, option, folder.absolute())
    if chosen.quick and chosen.out == parser.get_default("out"):
        chosen.out = Path(tempfile.mkdtemp(prefix="benchmark-"))  # no result
    facts = here()
    stem = f"{facts['date'][:10]}-{hardware(facts)}"
    parts: dict[str, Part] = {}
    pace = 0.1 if chosen.quick else 1.0
    for number, name in enumerate(names):
        left = pace * sum(EXPECTED[n] for n in names[number:])
        print(f"[{number + 1}/{len(names)}] {name}; about {max(1, round(left / 60))} min left", file=sys.stderr)
        parts[name] = run(name, chosen)
        took, due = sum(p.seconds for p in parts.values()), sum(EXPECTED[n] for n in parts)
        pace = took / due
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / f"{stem}.md").write_text(page(facts, parts), encoding="utf-8")
        numbers = {"here": facts, "parts": {n: asdict(p) for n, p in parts.items()}}
        (chosen.out / f"{stem}.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    print(page(facts, parts))
    print(f"written to {chosen.out / stem}.md", file=sys.stderr)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    main()

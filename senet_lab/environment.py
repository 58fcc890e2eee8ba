"""Where and with what a sweep runs: the facts that a result has to be read with."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from senet_lab.credentials import without_credentials, without_logins, without_secrets
from senet_lab.records import UNTRACKED, Environment

PACKAGES = (
    *("senet-lab", "torch", "numpy", "ray", "mlflow", "optuna", "pydantic", "pandas", "scipy", "scikit-learn"),
    "pillow",  # decodes images, and not every version to the same bits
)
DIFF_LIMIT = 100_000
MOST_NAMES = 20
"""Of untracked files: a virtual environment that git does not ignore has thousands."""
GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd")
"""Of NVIDIA's driver and of AMD's, where they are loaded."""


def collect() -> Environment:
    """The environment of this process. Needs no torch; never raises for what cannot be found out."""
    return Environment(
        command=shlex.join(["senet-lab", *(without_credentials(without_secrets(a, [a])) for a in sys.argv[1:])]),
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=processor(),
        cores=cores(),
        gpus=gpus(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        git_commit=(_output("git", "rev-parse", "HEAD") or "").strip() or None,
        git_diff=without_logins(_changes())[:DIFF_LIMIT] or None,
    )


def _changes() -> str:
    """What the commit has not: the names of Python files that git does not know, as sweeps of one's own, and the diff.

    The names stand first: before the diff git and patch pass over them, and a long diff does not cut them off.
    """
    new = (_output("git", "ls-files", "--others", "--exclude-standard", "--", "*.py") or "").splitlines()
    names = [*new[:MOST_NAMES], f"and {len(new) - MOST_NAMES:,} more"] if len(new) > MOST_NAMES else new
    return "".join(f"{UNTRACKED}{name}\n" for name in names) + (_output("git", "diff", "HEAD") or "")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> tuple[str, ...]:
    """Names of the NVIDIA GPUs here, asked of their driver: torch need not be imported for it."""
    return tuple((_output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or "").splitlines())


def has_gpu() -> bool:
    """Whether there may be a GPU here: also where its driver's program is not at hand, slow, or AMD's."""
    return any(Path(device).exists() for device in GPU_DEVICES) or bool(gpus())


def program() -> str:
    """What to type for this program here: its path, where the shell would not find its name."""
    called = Path(sys.argv[0])
    if shutil.which("senet-lab") or called.name != "senet-lab":
        return "senet-lab"
    return os.path.relpath(called)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Name of the processor here."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")

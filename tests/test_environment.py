"""The facts that a result has to be read with."""

import subprocess
import sys
from pathlib import Path

import pytest

from senet_lab import environment
from senet_lab.credentials import without_credentials
from senet_lab.records import Environment


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("--tracking-uri http://me:secret@host:5000/x", "--tracking-uri http://host:5000/x"),
        ("postgresql://me:secret@host/db mysql://u:p@h/d", "postgresql://host/db mysql://h/d"),
        ("--tracking-uri=https://token@host", "--tracking-uri=https://host"),
        ("http://me:se@cret@host/x", "http://host/x"),
        ("http://host/a mail@host sqlite:///mlflow.db", "http://host/a mail@host sqlite:///mlflow.db"),
        ("http://me:canary-5up3r@host:5000/x", "http://host:5000/x"),
        ("postgresql+psycopg://me:canary-5up3r@odd@host/db?password=canary-5up3r", "postgresql+psycopg://host/db"),
        ("request to 'https://canary-5up3r@host/api' failed", "request to 'https://host/api' failed"),
        ("mysql://me:canary-5up3r/it's@host/db?a=canary-5up3r&b=1 and more", "mysql://host/db and more"),
        ("sqlite:////home/me/mlflow.db", "sqlite:////home/me/mlflow.db"),
    ],
)
def test_user_and_password_are_taken_out_of_urls(text: str, kept: str) -> None:
    assert without_credentials(text) == kept


def test_the_command_is_kept_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/senet-lab", "sweep", "a b", "--tracking-uri", "http://u:pass@h/"])
    assert environment.collect().command == "senet-lab sweep 'a b' --tracking-uri http://h/"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"one\n")
    me = ["-c", "user.name=n", "-c", "user.email=e@x"]
    for command in (["init", "-q"], ["add", "notes.txt"], [*me, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def test_commit_and_uncommitted_changes_are_kept(repository: Path) -> None:
    clean = environment.collect()
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert clean.git_commit == head and len(head) == 40 and clean.git_diff is None
    (repository / "notes.txt").write_bytes(b"two\n")
    found = environment.collect().git_diff
    assert found is not None and "-one" in found and "+two" in found


def test_python_files_that_git_does_not_track_are_named(repository: Path) -> None:
    """A sweep that was never added is in no commit and no diff."""
    (repository / "sweeps").mkdir()
    for name in ("sweeps/mine.py", "left_out.py", "data.txt"):
        (repository / name).write_bytes(b"secret = 1\n")
    (repository / ".gitignore").write_bytes(b"left_out.py\n")
    assert environment.collect().git_diff == "Untracked: sweeps/mine.py\n"
    (repository / "notes.txt").write_text("line\n" * 100_000)
    found = environment.collect().git_diff
    assert found is not None and found.startswith("Untracked: sweeps/mine.py\ndiff --git ") and "secret" not in found
    for number in range(30):
        (repository / "sweeps" / f"{number:02}.py").touch()
    found = environment.collect().git_diff
    assert found is not None and found.count("Untracked: ") == 21 and "Untracked: and 11 more\n" in found


def test_a_change_in_another_encoding_does_not_stop_a_sweep(repository: Path) -> None:
    (repository / "notes.txt").write_bytes("größer\n".encode("latin-1"))
    found = environment.collect()
    assert found.git_diff is not None
    assert Environment.model_validate_json(found.model_dump_json()) == found


def test_a_huge_change_is_cut(repository: Path) -> None:
    (repository / "notes.txt").write_text("line\n" * 100_000)
    assert len(environment.collect().git_diff or "") == environment.DIFF_LIMIT


def test_nothing_that_cannot_be_found_out_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # no git, no nvidia-smi
    monkeypatch.setattr(environment, "PACKAGES", ("torch", "no-such-package"))
    found = environment.collect()
    assert found.git_commit is None and found.git_diff is None and found.gpus == ()
    assert set(found.packages) == {"torch"}
    assert found.cores >= 1 and found.cpu


def test_a_program_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*command: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("git", 10)

    monkeypatch.setattr(subprocess, "run", hang)
    assert environment.collect().git_commit is None


def test_it_needs_no_torch() -> None:
    code = "import sys; from senet_lab import environment; environment.collect(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

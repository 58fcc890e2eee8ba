"""A folder that cannot take the report is refused in words, and asking changes nothing."""

import shutil
from pathlib import Path

import pytest

from senet_lab.errors import UserError
from senet_lab.results import artifacts, report
from senet_lab.results.folder import check_folder


def file_as_folder(tmp_path):
    (tmp_path / "file").write_text("kept")
    return tmp_path / "file"


def file_above(tmp_path):
    return file_as_folder(tmp_path) / "reports" / "sweep"


def folder_as_file(tmp_path):
    (tmp_path / "reports" / "error.png").mkdir(parents=True)
    return tmp_path / "reports"


def nowhere(tmp_path):
    return Path("/proc/senet-lab/sweep") if Path("/proc/self").exists() else file_above(tmp_path)


@pytest.mark.parametrize("obstacle", [file_as_folder, file_above, folder_as_file, nowhere])
@pytest.mark.usefixtures("undrawn")
def test_a_folder_that_cannot_be_written_is_a_users_error(obstacle, question, planned, tmp_path):
    folder = obstacle(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="cannot be written into") as early:
        check_folder(folder)
    assert str(folder) in str(early.value) and "--to" in str(early.value)
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(UserError, match=r"cannot be written into .*; choose another folder with --to"):
        artifacts.write(report.analyse(question, planned, []), folder)


def test_asking_leaves_nothing_behind_and_changes_nothing(tmp_path):
    check_folder(tmp_path / "a" / "b")
    assert not any(tmp_path.iterdir())
    table = tmp_path / "table.csv"
    table.write_text("numbers")
    then = table.stat().st_mtime_ns
    check_folder(tmp_path)
    assert (table.read_text(), table.stat().st_mtime_ns, len([*tmp_path.iterdir()])) == ("numbers", then, 1)


@pytest.mark.usefixtures("undrawn")
def test_a_full_disk_is_told_too(question, planned, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="No space left on device; choose"):
        artifacts.write(report.analyse(question, planned, []), tmp_path)


@pytest.mark.usefixtures("undrawn")
def test_a_relative_folder_is_made(question, planned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_folder(Path("reports/sweep"))
    assert not Path("reports").exists()
    artifacts.write(report.analyse(question, planned, []), Path("reports/sweep"))
    check_folder(Path("reports/sweep"))
    shutil.rmtree("reports")

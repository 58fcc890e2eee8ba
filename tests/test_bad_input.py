"""Wrong sweep files, options, data and stores: exit code 2, a sentence that helps, nothing left behind.

The tables are in `tests/bad`: a new way to be wrong is a line more there. Most are tried in this process; each
behaves as in a process of its own, which a few show.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from senet_lab import catalog, inventory
from senet_lab.credentials import without_secrets
from senet_lab.environment import collect
from senet_lab.errors import StoreError, printable, shown
from senet_lab.store import Store
from tests.bad import files, operators, options, places
from tests.bad.case import CANARY, GOOD, Answer, Case, answer, good, prepare, tree
from tests.conftest import question
from tests.typed import typed

TABLES = {
    f"{module.__name__.rpartition('.')[2]}: {name.lower()}: {what}": case
    for module in (files, operators, options, places)
    for name, table in vars(module).items()
    if name.isupper() and isinstance(table, dict)
    for what, case in table.items()
    if isinstance(case, Case)
}


def check(case: Case, told: Answer, folder: Path) -> None:
    """Of one answer, all but what is left behind."""
    message = told.err.replace(str(folder), "HERE")
    assert told.code == 2, told
    assert message.startswith("senet-lab: ")
    assert [words for words in case.says if words not in message] == []
    assert "Traceback" not in message and 'File "' not in message and "fault of senet-lab" not in message
    assert "pydantic" not in message and " object at 0x" not in message
    assert all(c.isprintable() or c == "\n" for c in told.err + told.out)
    assert len(message) < 2_000, "nobody reads that"
    assert CANARY not in told.out + told.err
    assert (told.out == "") if not case.shows else (case.shows in " ".join(told.out.split()))


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_wrong_input_is_refused_in_words_and_leaves_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("MLFLOW_TRACKING_URI", "SENET_LAB_DATA"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in case.variables.items():
        monkeypatch.setenv(variable, value)
    prepare(case, tmp_path)
    before = tree(tmp_path)
    told = answer(case.arguments)
    assert tree(tmp_path) == before
    check(case, told, tmp_path)


def test_the_tables_are_long_and_say_what_to_look_for() -> None:
    assert len(TABLES) >= 130
    assert len({(c.typed, repr(c.files), repr(c.variables)) for c in TABLES.values()}) == len(TABLES)
    assert [what for what, case in TABLES.items() if not 2 <= len(case.says) <= 4] == []


ALONE = {
    what: TABLES[what]
    for what in (
        "files: python: raises its own",
        "options: commands: unknown command",
        "options: values: --gpus-per-trial nan",
        "places: data: an image that is text",
        "places: stores: a name too long",
        "places: secrets: without a scheme",
    )
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_a_process_of_its_own_answers_the_same(case: Case, tmp_path: Path) -> None:
    prepare(case, tmp_path)
    before = tree(tmp_path)
    command = [sys.executable, "-c", "from senet_lab.cli import main; main()", *case.arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    check(case, Answer(done.returncode, done.stdout, done.stderr), tmp_path)
    assert tree(tmp_path) == before


# --- names


NAMES = [
    "..",
    "../../up",
    "/root",
    "a/b\\c",
    "-rf",
    ".hidden",
    "[red]x[/]",
    "größe",
    "\U0001d7d8" * 100,
    "x" * 100,
    "a b",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_rows_name_becomes_a_folder_of_the_store_and_of_no_other_place(name: str, tmp_path: Path) -> None:
    asked = question(grid={}, variants={name: {"train.epochs": 3}})
    found = inventory.take(asked, tmp_path / "runs")
    store = found.store
    made = store.open(next(t for t in found.planned if t.variant.label == name))
    assert made.resolve().parent == store.path.resolve() == (tmp_path / "runs" / "tiny").resolve()
    assert made.name.isascii() and not set(made.name) & set("/\\ []\0") and len(made.name) < 200


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/a", "a\0", "a\n", "\x1b[31m", "-a", "x" * 300])
def test_a_store_takes_no_sweeps_name_that_leads_elsewhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot name a run folder"):
        Store(tmp_path, name)


def test_markup_and_escape_codes_of_a_file_reach_the_terminal_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweeps").mkdir()
    text = good(grid="{}", variants='{"[red]A[/]": {"train.epochs": 3}, "[/b]": {"train.epochs": 4}}')
    text = text.replace("Is mine good?", "Is [bold]\x1b[31mmine\x07 good?")
    (tmp_path / "sweeps" / "mine.py").write_text(text, encoding="utf-8")
    listed, planned = answer(["list"]), answer(["plan", "mine", "--probe", "0"])
    assert (listed.code, planned.code) == (0, 0)
    assert "[red]A[/]" in planned.out and "[/b]" in planned.out and "[bold]" in listed.out
    assert "\x1b" not in listed.out + planned.out and "\x07" not in listed.out
    assert "\\x1b[31mmine\\x07 good?" in catalog.read(Path("sweeps/mine.py")).text


def test_what_would_steer_a_terminal_is_written_out() -> None:
    assert printable("a\x1b[2Jb\x9bc\rd\u202ee\ud800\n") == "a\\x1b[2Jb\\x9bc\\rd\\u202ee\\ud800\n"
    assert printable("größe 数 ✓") == "größe 数 ✓"


def test_a_value_is_shown_as_far_as_it_can_be_read() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown("a") == "'a'" and shown(lambda: 1).endswith("<lambda>>")
    assert shown(10**5000) == "a value of the type int" and shown(Odd()) == "a value of the type Odd"
    assert len(shown("x" * 10**6)) < 250 and shown("x" * 10**6).endswith("(1,000,002 characters)")


# --- credentials


ADDRESSES = {
    f"http://user:{CANARY}@host:5000/x": f"{CANARY} is wrong",
    f"http://{CANARY}@host/x": f"{CANARY}@host does not answer",
    f"user:{CANARY}@host/x": f"{CANARY} is wrong",
    f"--tracking-uri=postgresql://user:a@{CANARY}@host/x": f"a@{CANARY} is wrong",
    f"postgresql://user:a/{CANARY} b@host/x": f"a/{CANARY} b is wrong",
    f"s3://key:{CANARY}@host/bucket": f"{CANARY} is wrong",
    f"ray://user:{CANARY}@host:10001": f"{CANARY} is wrong",
    f"postgresql://host/x?sslpassword={CANARY}&a=b": f"{CANARY} is wrong",
    f"http://user:{CANARY}%40x@host": f"{CANARY}@x is wrong",
}
"""What was typed, and what somebody may say about it."""


@pytest.mark.parametrize(("typed", "said"), ADDRESSES.items())
def test_what_was_typed_as_a_credential_is_taken_out_of_any_text(typed: str, said: str) -> None:
    assert CANARY in said and CANARY not in without_secrets(said, ["plan", typed])
    assert CANARY not in without_secrets(f"{typed} does not answer", [typed])


def test_texts_without_addresses_stay_as_they_are() -> None:
    said = "train.epochs: found 'many'; it should be a valid integer"
    assert without_secrets(said, ["plan", "mine.py", "--set", "train.epochs=many", ""]) == said


def test_the_command_line_is_recorded_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (f"http://user:{CANARY}@127.0.0.1:9", f"postgresql://user:a {CANARY}@127.0.0.1:9/x"):
        monkeypatch.setattr(sys, "argv", ["senet-lab", "sweep", "mine.py", "--tracking-uri", address])
        found = collect()
        assert CANARY not in found.model_copy(update={"git_diff": None}).model_dump_json()
        assert "127.0.0.1:9" in found.command


@pytest.mark.slow
def test_a_sweep_writes_no_password_into_any_file(tmp_path: Path) -> None:
    """The tracking server does not answer; the sweep goes on, and every file it writes is looked through."""
    (tmp_path / "mine.py").write_text(GOOD, encoding="utf-8")
    address = f"http://user:{CANARY}@127.0.0.1:9"
    small = ("--executor", "local", "--seeds", "1", "--set", "train.epochs=1")
    done = typed(tmp_path, "sweep", "mine.py", *small, "--tracking-uri", address)
    assert done.code == 0 and "127.0.0.1:9" in done.out
    assert CANARY not in done.out + done.err
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(written) > 10 and [p for p in written if CANARY.encode() in p.read_bytes()] == []

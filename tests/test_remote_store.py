"""A store in a bucket: real S3 requests to a server in this process, and the commands as a user types them."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from senet_lab import checkpoints, files, lease, plan, store
from senet_lab.design import Variant
from senet_lab.errors import StoreError
from senet_lab.records import TrialRecord
from senet_lab.store import Store
from tests.conftest import TINY
from tests.typed import train, typed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]

SECRET = f"canary{uuid.uuid4().hex}"
"""Of a run of the tests, as records hold what differs from the last commit, which may be this file."""
SILENT_SECONDS = 4.0
BEAT_SECONDS = 1.0
COMMAND = f"""
import sys
from senet_lab import cli, lease
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from tests.undrawn import undraw_later
undraw_later()
lease.BEAT_SECONDS, lease.SILENT_SECONDS = {BEAT_SECONDS}, {SILENT_SECONDS}
sys.argv = ["senet-lab", *sys.argv[1].split()]
cli.main()
"""
"""Of a process, with a lease that beats faster than it does for users."""
UNTRACKED = "--executor local --tracking-uri http://127.0.0.1:9"
"""MLflow has tests of its own, and takes seconds."""
SMALL = '''"""Is small enough?"""
from senet_lab import Data, Model, Sweep, Train, Trial

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs={epochs}, batch_size=64, learning_rate=0.1),
    ),
    grid={{"model.se.reduction": [2]}},
    controls=["no_se"],
    baseline="no_se",
    seeds=1,
    margin=0.01,
)
'''


class Server:
    """An S3 with one bucket, `lab`, that can go away and come back with all it holds."""

    def __init__(self) -> None:
        self.port = 0
        self.begin()

    def begin(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]

    def end(self) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def refuse_keys(self, after: str) -> None:
        """No key is known any more after so many requests."""
        asked = Request(f"{self.url}/moto-api/reset-auth", after.encode(), {"Content-Type": "text/plain"})
        urlopen(asked).close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = Server()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in surroundings(running).items():
            patched.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="lab")
        yield running
    running.end()


def surroundings(server: Server) -> Mapping[str, str]:
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }


@dataclass(frozen=True)
class Desk:
    """A folder with a sweep file, and a place of its own in the bucket."""

    folder: Path
    address: str
    said: list[str]

    def write(self, epochs: int) -> None:
        (self.folder / "sweeps").mkdir(exist_ok=True)
        (self.folder / "sweeps" / "small.py").write_text(SMALL.format(epochs=epochs))

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Type in a process of its own; `STORE` stands for the address."""
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", COMMAND, line.replace("STORE", f"--store {self.address}")]
        return subprocess.Popen(command, cwd=self.folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def end(self, running: "subprocess.Popen[str]") -> tuple[int, str, str]:
        """Exit code, output and errors."""
        output, errors = running.communicate(timeout=180)
        self.said.append(output + errors)
        assert "Traceback" not in errors, errors
        return running.returncode, output, errors

    def type(self, *lines: str) -> tuple[object, str, str]:
        """One after another in this process, up to the first that is refused."""
        code, output, errors = object(), "", ""
        for line in lines:
            told = typed(self.folder, *line.replace("STORE", f"--store {self.address}").split())
            code, output, errors = told.code, output + told.out, errors + told.err
            if code:
                break
        self.said.append(output + errors)
        assert "Traceback" not in errors, errors
        return code, output, errors

    def held(self, name: str) -> dict[str, bytes]:
        """Content of each file of that name in the bucket, by its folder."""
        small = files.place(self.address) / "small"
        found = files.read_all(folder / name for folder in files.folders(small))
        return {path.parent.name: content for path, content in found.items()}


@pytest.fixture
def desk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(lease, "BEAT_SECONDS", BEAT_SECONDS)
    monkeypatch.setattr(lease, "SILENT_SECONDS", SILENT_SECONDS)
    here = Desk(tmp_path, f"s3://lab/{uuid.uuid4().hex[:6]}/runs", [])
    here.write(epochs=2)
    yield here
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    listed = boto3.client("s3").list_objects_v2(Bucket="lab").get("Contents", [])
    kept += b"".join(files.read(files.place(f"s3://lab/{found['Key']}")) or b"" for found in listed)
    assert SECRET not in "".join(here.said) and SECRET.encode() not in kept


def results(found: Mapping[str, bytes]) -> dict[str, Any]:
    """What of records must not depend on where they lie, nor on interruptions."""
    facts = {name: json.loads(content) for name, content in found.items()}
    for record in facts.values():
        record["epochs"] = [{k: v for k, v in e.items() if k != "seconds"} for e in record["epochs"]]
    return {name: {k: r[k] for k in ("id", "status", "test", "epochs", "params")} for name, r in facts.items()}


def undisturbed(desk: Desk) -> dict[str, Any]:
    """Results of the same sweep in a folder of this machine."""
    train(desk.folder / "sweeps" / "small.py", desk.folder / "local")
    return results({p.parent.name: p.read_bytes() for p in (desk.folder / "local").glob("small/*/record.json")})


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not true():
        assert time.monotonic() < until, "it did not come about in two minutes"
        time.sleep(0.1)


def test_run_extend_repair_and_look_in_a_bucket(desk: Desk) -> None:
    code, output, errors = desk.type(*2 * [f"sweep small STORE {UNTRACKED}"])
    assert (code, errors) == (0, "") and output.count("2 of 2 trials ended") == 1
    assert output.count("trials to run") == 1 and output.count("Written to") == 2, "the second time trains nothing"
    first = desk.held("record.json")
    assert len(first) == 2 and set(desk.held("trial.json")) == set(first) and desk.held("state.bin") == {}
    ray = desk.start("sweep small STORE --seeds 2 --workers 1 --tracking-uri http://127.0.0.1:9")
    code, output, errors = desk.end(ray)
    assert (code, errors) == (0, "") and "2 trials to run" in output, "with Ray, only what is new"
    both = desk.held("record.json")
    assert len(both) == 4 and both.items() >= first.items()

    cut = min(first)
    folder = files.place(desk.address) / "small" / cut
    files.write(folder / "record.json", first[cut][:-20])
    files.write(folder / "state.bin", b"half a checkpoint")
    looks = ["plan small --seeds 2 STORE", "list STORE", "report small STORE", "show no_se seed=1 STORE"]
    code, output, errors = desk.type(f"sweep small STORE --seeds 2 {UNTRACKED}", *looks, "doctor STORE")
    assert (code, errors) == (0, "") and "1 trial to run" in output
    for said in ("4 of 4 trials are done", "2/2", "reduction=2", "no_se seed=1", f"store: {desk.address}, 1 sweeps"):
        assert said in output
    repaired = desk.held("record.json")
    assert [name for name in both if repaired[name] != both[name]] == [cut] and desk.held("state.bin") == {}
    assert results(repaired) == results(both) and results(first) == undisturbed(desk)
    assert not (desk.folder / "runs").exists()


@pytest.mark.long
def test_a_driver_that_was_killed_is_found_out_and_its_trial_goes_on(desk: Desk) -> None:
    desk.write(epochs=60)
    small, command = files.place(desk.address) / "small", f"sweep small STORE {UNTRACKED}"
    first = desk.start(command)
    wait_until(lambda: files.read(small / ".lock") is not None)
    code, output, errors = desk.type(command)
    assert code == 2 and f"process {first.pid}; wait for it" in errors and "another command was here" in output
    wait_until(lambda: bool(desk.held("state.bin")))
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    [name] = desk.held("state.bin")
    kept = checkpoints.epochs(small / name)
    assert kept and len(desk.held("record.json")) < 2

    code, output, errors = desk.type(command)
    assert (code, errors) == (0, "") and f"waiting {SILENT_SECONDS:.0f} s" in output
    whole = desk.held("record.json")
    assert desk.held("state.bin") == {} and files.read(small / ".lock") is None
    assert TrialRecord.model_validate_json(whole[name]).epochs[: len(kept)] == kept, "to the microsecond: not anew"
    assert results(whole) == undisturbed(desk)


@pytest.mark.long
def test_a_server_that_goes_away_costs_a_sentence_and_the_same_command_goes_on(desk: Desk, server: Server) -> None:
    desk.write(epochs=40)
    command = f"sweep small STORE {UNTRACKED}"
    running = desk.start(command)
    wait_until(lambda: bool(desk.held("state.bin")))
    server.end()
    try:
        code, _, errors = desk.end(running)
    finally:
        server.begin()
    assert code == 2 and errors.count("\n") == 1, errors
    assert f"senet-lab: {desk.address}/small" in errors and "Could not connect" in errors
    assert "choose another with --store" in errors
    code, _, errors = desk.type(command)
    assert (code, errors) == (0, "") and results(desk.held("record.json")) == undisturbed(desk)


def test_a_bucket_that_is_not_there_is_told_and_not_made(desk: Desk) -> None:
    for command in ("sweep", "plan"):
        code, _, errors = desk.type(f"{command} small --store s3://none/runs")
        assert code == 2 and errors.count("\n") == 1, errors
        assert "s3://none/runs" in errors and "there is no bucket none; make it, or choose another" in errors
    names = [b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"]]
    assert names == ["lab"] and not (desk.folder / "mlflow.db").exists()


def test_keys_that_are_not_known_are_told(desk: Desk, server: Server) -> None:
    server.refuse_keys("0")
    try:
        code, output, errors = desk.type(f"sweep small STORE {UNTRACKED}")
        with pytest.raises(StoreError, match=r"cannot be written \(.+\); make room or rights there"):
            files.write(files.place(desk.address) / "x", b"")
    finally:
        server.refuse_keys("inf")
    assert code == 2 and errors.count("\n") == 1 and "see to rights and connections there" in errors
    assert "Access Key Id you provided does not exist" in errors and output == ""
    assert desk.held("record.json") == {}


@dataclass
class Requests:
    """How many S3 was asked, and how many of them at once."""

    count: int = 0
    now: int = 0
    most: int = 0


@pytest.fixture
def requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> Requests:
    seen, call = Requests(), S3FileSystem._call_s3

    async def counted(self: S3FileSystem, method: str, *arguments: Any, **named: Any) -> Any:
        seen.count, seen.now = seen.count + 1, seen.now + 1
        seen.most = max(seen.most, seen.now)
        try:
            return await call(self, method, *arguments, **named)
        finally:
            seen.now -= 1

    monkeypatch.setattr(S3FileSystem, "_call_s3", counted)
    return seen


def finished(trials: int) -> Store:
    """A store in the bucket with so many records."""
    kept = Store(f"s3://lab/{uuid.uuid4().hex[:6]}", "tiny")
    for planned in plan.wanted([Variant("row", {}, TINY)], trials, lambda _: "data"):
        known: dict[str, Any] = {
            "id": planned.id,
            "sweep": "tiny",
            "variant": "row",
            "settings": {},
            "trial": planned.trial,
        }
        known |= {"code": "c", "fingerprint": planned.fingerprint, "data": "data", "status": "done", "environment": "e"}
        times: dict[str, Any] = {"started_at": 1.0, "ended_at": 2.0, "seconds": 1.0}
        store.finish(kept.path / f"row_seed-{planned.trial.seed}_{planned.id}", TrialRecord(**known, **times))
    return kept


def test_reading_asks_for_all_trials_at_once(requests: Requests) -> None:
    counts = []
    for trials in (5, 20):
        kept = finished(trials)
        before, requests.most = requests.count, 0
        assert len(kept.contents()[0]) == trials
        counts.append(requests.count - before)
        assert requests.most == trials
    assert counts == [11, 41], "one listing, and of each record its length and its content"


def test_what_is_looked_up_costs_few_requests(requests: Requests) -> None:
    kept = finished(12)
    [planned] = plan.wanted([Variant("row", {}, TINY)], 1, lambda _: "data")
    before = requests.count
    kept.folder(planned)
    assert requests.count - before == 1, "where the row has its name"
    [renamed] = plan.wanted([Variant("renamed", {}, TINY)], 1, lambda _: "data")
    assert kept.folder(renamed).name.startswith("row_seed-0_")
    assert requests.count - before <= 3, "one that looks, one that lists"
    before = requests.count
    assert len(files.matching(kept.path, "*/record.json")) == 12 and requests.count - before <= 2

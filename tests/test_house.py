"""Guards over the whole house: style, types, imports, the README's commands, tests that mirror the rooms."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES_PER_FILE = 250  # the budget is 200; where one is passed, ask whether the file is still one idea


def tool(*command: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which(command[0], path=str(Path(sys.executable).parent))
    assert program, f"{command[0]} is not installed beside this Python: pip install -c constraints.txt -e '.[dev]'"
    return subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("command", ["ruff format --check .", "ruff check .", "lint-imports"])
def test_guard(command: str) -> None:
    done = tool(*command.split())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_types() -> None:
    done = tool("mypy")
    assert done.returncode == 0, done.stdout + done.stderr


MIRRORED_ELSEWHERE = {
    "spaces.py": "test_studies", "commands/sweep.py": "test_main_job", "commands/running.py": "test_main_job",
    "commands/report.py": "commands/test_reporting",
    "commands/sequential.py": "test_until_decided", "commands/seeds.py": "test_seeds",
    "results/replay.py": "results/test_sequential", "results/looks.py": "test_until_decided",
    "cli/seeds.py": "test_cli", "cli/sweep.py": "test_cli",
    "cli/compare.py": "test_cli", "cli/cost.py": "test_cli", "commands/cost.py": "commands/test_costing",
    "commands/compare.py": "test_compare",
    "cli/why.py": "commands/test_why", "cli/check.py": "commands/test_check", "results/trace.py": "commands/test_why",
    "results/proofreading.py": "commands/test_check", "results/columns.py": "results/test_report",
    "commands/surroundings.py": "test_cli", "results/artifacts.py": "results/test_report",
    "commands/together.py": "commands/test_together_option",
    "results/written.py": "results/test_report", "doctor.py": "test_cli",
    "cli/interaction.py": "results/test_across", "commands/interaction.py": "results/test_across",
    "results/figures/style.py": "results/figures/test_figures",
    "results/figures/shown.py": "results/figures/test_figures",
    "results/figures/along.py": "results/figures/test_error", "results/figures/cost.py": "results/figures/test_costs",
    "results/figures/interaction.py": "results/test_across",
    "results/figures/published.py": "results/figures/test_published_differences",
    "results/frames.py": "results/test_report", "results/studies.py": "results/test_tried",
    "results/figures/budget.py": "results/figures/test_study_figures",
    "results/figures/front.py": "results/figures/test_study_figures",
    "results/figures/importance.py": "results/figures/test_study_figures",
    "results/figures/parallel.py": "results/figures/test_study_figures",
    "results/figures/slices.py": "results/figures/test_study_figures",
    "results/figures/scales.py": "results/figures/test_study_figures",
    "cli/excitation.py": "test_cli", "commands/excitation.py": "results/test_activations",
    "results/published/excitation.py": "results/test_excitation",
    "results/page/account.py": "results/page/test_page", "results/page/layout.py": "results/page/test_page",
    "results/page/limits.py": "results/page/test_page", "results/page/picture.py": "results/page/test_page",
    "results/page/protocol.py": "results/page/test_page", "results/page/typography.py": "results/page/test_page",
    "options.py": "test_cli", "sweep.py": "executors/test_contract",
    "credentials.py": "test_environment", "executors/far.py": "executors/test_cluster", "jobs.py": "test_trial",
    "environment.py": "test_environment", "explain.py": "test_spec",
    "errors.py": "test_bad_input", "usage.py": "test_bad_input",
    "executors/local.py": "executors/test_contract", "executors/ray_tune.py": "executors/test_contract",
    "executors/tune_loop.py": "executors/test_contract", "executors/relay.py": "executors/test_contract",
    "executors/worker.py": "executors/test_processes", "executors/deaths.py": "executors/test_processes",
    "training/begin.py": "test_trial", "training/program.py": "training/test_population",
    "data/cifar10.py": "data/test_cifar", "data/cifar100.py": "data/test_cifar", "data/unpickle.py": "data/test_cifar",
    "data/decode.py": "data/test_parquet", "data/notice.py": "data/test_download", "data/scale.py": "data/test_held",
    "data/imagenet.py": "data/test_image_folder", "data/listing.py": "data/test_image_folder",
    "data/places.py": "data/test_image_folder", "data/folder.py": "data/test_image_folder",
    "spec/values.py": "test_spec", "networks.py": "test_anatomy", "blocks/placed.py": "models/test_cifar_resnet",
    "blocks/tail_kernels.py": "blocks/test_tail_triton",
    "blocks/squeeze.py": "blocks/test_se", "blocks/gate.py": "blocks/test_se", "seals.py": "test_store",
}  # fmt: skip
"""Rooms whose tests stand with those of the rooms that they serve."""


def rooms() -> list[Path]:
    package = ROOT / "senet_lab"
    return [p.relative_to(package) for p in sorted(package.rglob("*.py")) if p.name != "__init__.py"]


@pytest.mark.parametrize("room", rooms(), ids=str)
def test_rooms_are_small(room: Path) -> None:
    lines = (ROOT / "senet_lab" / room).read_text(encoding="utf-8").count("\n")
    assert lines <= LINES_PER_FILE


@pytest.mark.parametrize("room", rooms(), ids=str)
def test_a_name_means_one_thing_in_a_room(room: Path) -> None:
    """The later of two values would count for the earlier one's readers, too; no tool says so."""
    body = ast.parse((ROOT / "senet_lab" / room).read_text()).body
    targets = [t for n in body if isinstance(n, ast.Assign) for t in n.targets]
    targets += [n.target for n in body if isinstance(n, ast.AnnAssign)]
    stored = [x for t in targets for x in ast.walk(t) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)]
    names = [x.id for x in stored] + [n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)


@pytest.mark.parametrize("room", rooms(), ids=str)
def test_every_room_has_its_tests(room: Path) -> None:
    named = MIRRORED_ELSEWHERE.get(room.as_posix(), str(room.with_name(f"test_{room.stem}")))
    files = [ROOT / "tests" / f"{named}.py", ROOT / "tests" / f"test_{room.parts[0]}.py"]
    assert any(file.exists() for file in files), f"tests of {room}: {files[0]}"


def test_readme_names_real_commands_and_files() -> None:
    """Every `senet-lab` line of the README parses, every link leads somewhere."""
    from typer.main import get_command

    from senet_lab.cli import app

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    group = get_command(app)
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.S))
    lines = re.findall(r"senet-lab (\S+)(.*)", blocks)
    assert {name for name, _ in lines} >= {"list", "plan", "sweep", "report", "ui", "doctor"}
    for name, rest in lines:
        command = group.commands[name]  # type: ignore[attr-defined]
        command.make_context(name, rest.split("#")[0].split(), resilient_parsing=False)
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link
    for target in re.findall(r"^make (\w+)", blocks, flags=re.M):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.M)


def test_readme_sweep_file_is_accepted(tmp_path: Path) -> None:
    from senet_lab import catalog

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "gate_and_ratio.py"
    path.write_text(re.findall(r"```python\n(.*?)```", text, flags=re.S)[0], encoding="utf-8")
    assert [v.label for v in catalog.read(path).rows] == [
        "reduction=2,gate=sigmoid",
        "reduction=2,gate=tanh",
        "reduction=8,gate=sigmoid",
        "reduction=8,gate=tanh",
        "no_se",
    ]


def test_readme_operator_is_accepted(tmp_path: Path) -> None:
    from senet_lab import catalog
    from senet_lab.blocks import own

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = next(c for c in re.findall(r"```python\n(.*?)```", text, flags=re.S) if "@squeeze" in c)
    (tmp_path / "pooling.py").write_text(code, encoding="utf-8")
    question = catalog.read(tmp_path / "pooling.py")
    assert [v.label for v in question.rows] == ["squeeze=avg", "squeeze=max", "squeeze=gem"]
    assert question.own is not None
    own.try_out(question.rows[2].trial, question.own)


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / "README.md").read_text() and "make test" in (ROOT / ".ci" / "run").read_text()


def test_checkpoints_and_files_are_data_never_code() -> None:
    """torch.load only with weights_only, YAML only by safe_load, no pickle.

    One exception: data/unpickle.py reads the official CIFAR archives that are made of pickles, after
    their MD5 has been checked, and lets them call nothing but numpy's arrays.
    """
    for room in rooms():
        source = (ROOT / "senet_lab" / room).read_text(encoding="utf-8")
        pickles = re.search(r"^\s*(import|from) (pickle|dill|joblib|shelve|marshal)\b", source, flags=re.M)
        assert not pickles or room.as_posix() == "data/unpickle.py", room
        assert all("weights_only=True" in call for call in re.findall(r"torch\.load\(.*", source)), room
        assert "yaml.load(" not in source, room


def test_every_sweep_of_the_readme_is_accepted(tmp_path: Path) -> None:
    from senet_lab import catalog

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    files = [code for code in re.findall(r"```python\n(.*?)```", text, flags=re.S) if "SWEEP = " in code]
    assert len(files) == 4
    for number, code in enumerate(files):
        path = tmp_path / f"readme_{number}.py"
        path.write_text(code, encoding="utf-8")
        assert catalog.read(path).text.endswith("?")

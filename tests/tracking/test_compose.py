"""docs/docker-compose.yml: reached from its own machine only, no password in it, versions that are known."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(TEXT)["services"]


def test_only_this_machine_reaches_the_server_and_nobody_the_database(services):
    assert set(services) == {"postgres", "mlflow"}
    ports = {name: service.get("ports", []) for name, service in services.items()}
    assert ports == {"postgres": [], "mlflow": ["127.0.0.1:5000:5000"]}
    assert all("network_mode" not in service for service in services.values())


def test_the_password_is_asked_for_and_stands_nowhere(services):
    given = [
        str(value)
        for service in services.values()
        for name, value in service["environment"].items()
        if re.search("PASSWORD|SECRET|TOKEN|KEY", name)
    ]
    assert len(given) == 2
    assert all(re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?[^}]+--env-file\}", value) for value in given)
    assert not re.search(r"://[^/\s]*:[^/\s]*@", TEXT), "an address with a password in it"


def test_versions_are_pinned_and_mlflows_is_the_one_that_was_tested(services):
    pinned = re.findall(r"^mlflow==(\S+)$", (DOCS.parent / "constraints.txt").read_text(encoding="utf-8"), flags=re.M)
    assert services["mlflow"]["image"] == f"ghcr.io/mlflow/mlflow:v{pinned[0]}-full"
    assert re.fullmatch(r"postgres:\d+\.\d+", services["postgres"]["image"])


def test_what_must_last_lies_in_volumes_and_what_must_be_up_is_watched(services):
    named = set(yaml.safe_load(TEXT)["volumes"])
    kept = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert kept == named == {"database", "artifacts"}
    assert all(service["healthcheck"]["test"][0] == "CMD" for service in services.values())
    assert services["mlflow"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql://mlflow@postgres:")


@pytest.mark.slow
def test_options_of_the_servers_command_exist(services):
    words = services["mlflow"]["command"].split()
    assert words[:2] == ["mlflow", "server"]
    command = [sys.executable, "-m", *words[:2], "--help"]
    offered = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    options = [word for word in words if word.startswith("--")]
    assert len(options) == 3
    assert all(re.search(rf"{option}\b", offered) for option in options)


def test_the_page_names_the_files_and_commands_that_there_are():
    page = (DOCS / "cluster.md").read_text(encoding="utf-8")
    assert "docker compose --env-file ~/mlflow.env -f docs/docker-compose.yml up -d" in page
    assert all((DOCS / link).exists() for link in re.findall(r"\]\((?!http|#)([^)#]+)\)", page))

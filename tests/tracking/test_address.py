"""Where MLflow is, unless somebody says otherwise."""

from senet_lab import tracking
from senet_lab.tracking.address import artifact_folder


def test_default_address_is_the_working_folder_unless_the_environment_names_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.default_uri() == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifact_folder(tracking.default_uri()) == tmp_path / "mlartifacts"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://team/")
    assert tracking.default_uri() == "http://team/"
    assert artifact_folder("http://team/") is None

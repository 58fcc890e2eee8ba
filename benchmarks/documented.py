"""The default sweep the way that Ray's and MLflow's documentation write one: what ours is compared to.

A Tune function trainable that reports after each epoch, `tune.grid_search`, one CPU a trial, `MLflowLoggerCallback`
on SQLite, which logs each metric of each report by `log_metric`; the network in plain eager PyTorch, a `DataLoader`
over a `TensorDataset`. Nothing is switched off or tuned but for telemetry; nothing is added. Same images, parts,
networks, epochs, batches, learning rates and evaluations as `recipes.DIGITS`; run by `end_to_end.py`.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import plain

EPOCHS, BATCH, VALIDATION, POOL = 20, 64, 200, 906


def datasets(seed: int) -> tuple[TensorDataset, TensorDataset, TensorDataset]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
    y = torch.tensor(digits.target)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(POOL))
    train, val = order[VALIDATION:], order[:VALIDATION]
    mean, std = x[train].mean(), x[train].std()
    x = (x - mean) / std
    return TensorDataset(x[train], y[train]), TensorDataset(x[val], y[val]), TensorDataset(x[POOL:], y[POOL:])


def random_crop(x: torch.Tensor, padding: int = 1) -> torch.Tensor:
    """Of a whole batch at once, which is kinder than transforming image by image."""
    n, _, h, w = x.shape
    padded = F.pad(x, (padding,) * 4)
    top, left = torch.randint(0, 2 * padding + 1, (2, n))
    rows = top[:, None] + torch.arange(h)
    columns = left[:, None] + torch.arange(w)
    return padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


def evaluate(model: nn.Module, loader: DataLoader[Any]) -> tuple[float, float]:
    model.eval()
    loss, wrong, total = 0.0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            output = model(x)
            loss += F.cross_entropy(output, y, reduction="sum").item()
            wrong += (output.argmax(1) != y).sum().item()
            total += len(y)
    return loss / total, wrong / total


def train_digits(config: dict[str, Any]) -> None:
    from ray import tune

    torch.manual_seed(config["seed"])
    train_set, val_set, test_set = datasets(config["seed"])
    train_loader = DataLoader(train_set, batch_size=BATCH, shuffle=True, drop_last=True)
    val_loader, test_loader = DataLoader(val_set, batch_size=512), DataLoader(test_set, batch_size=512)
    reduction = config["reduction"]
    make_se = plain.no_se if reduction is None else (lambda channels: plain.SEModule(channels, reduction))
    model = plain.CifarResNet(6, (16, 32), 1, 10, make_se)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = EPOCHS * len(train_loader)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    for epoch in range(EPOCHS):
        model.train()
        train_loss = 0.0
        for x, y in train_loader:
            loss = F.cross_entropy(model(random_crop(x)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            train_loss += loss.item()
        val_loss, val_error = evaluate(model, val_loader)
        metrics = {"train_loss": train_loss / len(train_loader), "val_loss": val_loss, "val_error": val_error}
        if epoch == EPOCHS - 1:
            metrics["test_loss"], metrics["test_error"] = evaluate(model, test_loader)
        tune.report(metrics)


def main() -> None:
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    folder = Path.cwd()
    tuner = tune.Tuner(
        tune.with_resources(train_digits, {"cpu": 1}),
        param_space={
            "reduction": tune.grid_search([2, 4, 8, 16, 32, None]),
            "seed": tune.grid_search(list(range(options.seeds))),
        },
        tune_config=tune.TuneConfig(metric="val_error", mode="min"),
        run_config=tune.RunConfig(
            name="digits",
            storage_path=str(folder / "ray_results"),
            callbacks=[MLflowLoggerCallback(tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="digits")],
        ),
    )
    results = tuner.fit()
    assert not results.errors, results.errors
    frame = results.get_dataframe()
    print(frame.groupby("config/reduction", dropna=False)["test_error"].mean())


if __name__ == "__main__":
    main()

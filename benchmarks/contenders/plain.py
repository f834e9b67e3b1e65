"""Optuna and MLflow without Hydra, one call an epoch.

    python plain.py 20 tpe

The databases are `optuna.db` and `mlflow.db` in the current folder.
"""

import sys

import mlflow
import optuna
from regression import train
from torch import nn

SAMPLERS = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}


def objective(trial: optuna.Trial) -> float:
    """Train and track one trial; give its final loss."""
    params = {
        "lr": trial.suggest_float("lr", 0.001, 1.0, log=True),
        "T_max": trial.suggest_int("T_max", 50, 200),
        "eta_min": trial.suggest_float("eta_min", 0.0, 0.01),
    }
    with mlflow.start_run():
        mlflow.log_params(params)
        for epoch, metrics in enumerate(train(nn.Linear(5, 1), **params), start=1):
            mlflow.log_metrics(metrics, step=epoch)
    return metrics["loss"]


def main(n_trials: int, sampler: str) -> None:
    """Run one study."""
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("plain")
    study = optuna.create_study(storage="sqlite:///optuna.db", sampler=SAMPLERS[sampler]())
    study.optimize(objective, n_trials=n_trials)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

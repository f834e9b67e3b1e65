"""The usual stack: Hydra, its official Optuna sweeper, MLflow with one call an epoch.

    python usual.py -m hydra.sweeper.n_trials=20

A user's own program would look like this; it knows nothing of this project. The databases are
`optuna.db` and `mlflow.db` in the current folder.
"""

import hydra
import mlflow
from omegaconf import DictConfig
from regression import train
from torch import nn


@hydra.main(config_path=".", config_name="usual")
def main(cfg: DictConfig) -> float:
    """Train and track one trial; give its final loss."""
    with mlflow.start_run():
        mlflow.log_params(dict(cfg))
        for epoch, metrics in enumerate(train(nn.Linear(5, 1), **cfg), start=1):
            mlflow.log_metrics(metrics, step=epoch)
    return metrics["loss"]


if __name__ == "__main__":
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("usual")
    main()

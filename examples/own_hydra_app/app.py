"""The sweeper in a Hydra app of your own, which knows nothing of ours but one function.

python app.py -m 'x=interval(-4, 4)' 'y=choice(1, 2)'
"""

import hydra
from omegaconf import DictConfig

from hydra_plugins.optuna_families import report


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    """A bowl; a pruner is told how it goes."""
    value = float((cfg.x - 1) ** 2 + cfg.y)
    for step in range(3):
        if report(value / (step + 1), step):
            break
    return value


if __name__ == "__main__":
    main()

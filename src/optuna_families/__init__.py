"""Implementation of the Hydra sweeper `hydra/sweeper=optuna`; README.md is its guide."""

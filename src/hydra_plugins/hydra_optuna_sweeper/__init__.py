"""The official plugin's import paths, for configs and code that name them.

The sweeper is `hydra_plugins.optuna_families`. This package holds the modules that other
projects import: `optuna_sweeper` and `config`.
"""

"""Validation of a sweep before its first trial.

- `check_sweep`: entry point, called by the Hydra callback; validates all that is not swept.
- `comparable`: rejects sweeps whose trials cannot be ranked by their loss.
- `swept_keys`: lets a command set a key that only the swept choices have, not the default one.
- `hydra_flags`: puts Hydra's options before the overrides of a command.

A check must not reject a config that could train: trials validate their own configs again.
"""

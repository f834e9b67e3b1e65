"""Checks of a config's keys and values, used by `config_groups`.

- `signatures`: keys and types against the signature of the `_target_`.
- `conditions`: `require` (an error) and `expect` (a warning) of the config files.
- `objectives`: the metric that runs are judged by, and its direction.
"""

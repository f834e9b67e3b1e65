"""Read and validate a composed Hydra config.

Read in this order:

- `config_groups`: resolves the config groups and validates them; what most other code calls.
- `targets`: the only place where `_target_` names become callables; holds the allow-list.
- `validation/`: checks of keys, types, conditions and the objective.
- `templates`: resolves the config of trials that differ in a few values once, then fills them in.
- `made_tasks`: tasks made from configs, and how many minibatches an epoch of them has.
- `parameter_groups`: parameter groups that a task defines.
- `resolvers`: location of `conf/`, OmegaConf resolvers such as `calc`.
- `errors`: `ConfigError` and the wording of its messages.
- `error_messages`: any exception as one line for the terminal.
- `passwords`: masks passwords in Hydra's files.

Safe to change: the wording of messages. Be careful with `targets`: it is a security boundary, so
do not call `hydra.utils.instantiate`, and extend the allow-list only for code that is safe to run.
"""

"""Decides what a config may do, by where it comes from.

Trusted are the command line, the environment, installed packages, and the config folders that the
environment names. A file of any other folder is data: it describes a training, and can neither
start a program nor choose where something is written. See SECURITY.md.

Read in this order:

- `trusted_names`: the packages, folders and variables that a person trusts, read once at start.
- `config_sources`: puts the checks into Hydra's loader; which file is foreign.
- `foreign_files`: what a foreign file may set.
- `foreign_defaults`: which other files it may choose, and where they may be put.
- `file_bounds`: limits on the size of a foreign file.
- `interpolation_bounds`: a limit on what one value may resolve.
- `command_flags`: Hydra's options that are refused.
- `env_resolver`: the environment variables that `${oc.env:...}` gives.

These modules are a security boundary: `tests/attacks` holds what they must refuse.
"""

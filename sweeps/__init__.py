"""Find the best learning-rate schedule and its parameters, and test how certain the answer is.

The application: Hydra configs in `conf/`, training by `lrlab`, search by the `optuna_families`
plugin. The modules here are the commands; everything else is in the packages below.

Read in this order:

- `cli`: `python -m sweeps`, one run or a sweep (`-m`); from here every other part is called.
- `exits`: how a command ends: the line of an error, the exit code.
- `console`: all output to the terminal.
- `preview`: `python -m sweeps.preview`, plots learning-rate curves without training.
- `report`: `python -m sweeps.report`, rewrites the files of a stored sweep.
- `export`: `python -m sweeps.export`, writes a run as a torch program and as a command.
- `sync`: `python -m sweeps.sync`, sends to MLflow what is missing there.
- `list`: `python -m sweeps.list`, what there is to choose; completion in a shell.
- `ui`: `python -m sweeps.ui`, opens MLflow's own UI at a run.
- `side_commands`: error handling that these commands share.

Packages, lower layers first (`.importlinter` enforces the order): `listing` reads the config files
as text, `trust` decides what configs may name, `config` reads and validates a config, `codegen`
writes it as code, `runs` trains and records, `checks` validates a whole sweep, `stored` finds
stored runs, `reports` renders a sweep, `verdict` ranks its families at the end, `previews` traces
curves, `commands` holds what some commands do.

Safe to change: anything that keeps the tests passing. Keep the options of the commands, the exit
codes (0, 1 failed, 2 invalid input, 130 and 143 stopped) and the names of written files.
"""

"""What there is to choose, read from the config files as text: no Hydra, no torch, a blink.

- `catalogue`: the groups and their options with the first comment line of each file.
- `sparklines`: a learning-rate curve in a dozen letters; the curves of our own files are stored.
- `help_screen`: what `python -m sweeps --help` prints.
- `completion`: the words that a shell may complete, and the scripts for bash, zsh and fish.

Safe to change: all of it. `curves.json` is made by `python -m sweeps.list --remake`.
"""

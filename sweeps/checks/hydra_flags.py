"""Hydra's options among a command's words."""

from collections.abc import Sequence

# Hydra's options that take a value as a word of its own.
VALUED = ["--config-dir", "-cd", "--config-path", "-cp", "--config-name", "-cn"]
DRY_RUN = {"--dry-run": "hydra.sweeper.dry_run=true"}
VALUED += ["--package", "-p", "--cfg", "-c"]


def flags_first(words: Sequence[str]) -> list[str]:
    """Put Hydra's options before the overrides: argparse takes no overrides on both sides of one.

    >>> flags_first(["epochs=5", "-m", "--config-dir", "mine", "task=a"])
    ['-m', '--config-dir', 'mine', 'epochs=5', 'task=a']
    >>> flags_first(["-m", "--dry-run", "epochs=5"])
    ['-m', 'hydra.sweeper.dry_run=true', 'epochs=5']
    """
    words = [DRY_RUN.get(word, word) for word in words]
    flags: list[str] = []
    overrides: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        is_flag = word.startswith("-") or before in VALUED
        (flags if is_flag else overrides).append(word)
    return [*flags, *overrides]

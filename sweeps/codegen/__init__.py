"""Write a run as a torch program without our code, and as a command line.

A config is turned into calls that are written instead of made (`calls`), and those into text.
Read in this order:

- `programs`: entry point `snippet`, the whole program.
- `calls`: a config group as a call that is not made.
- `values`: a call or a value as program text.
- `preambles`: imports and source code of the functions that the program needs.
- `loops`: the training loop, with clipping, accumulation, precision and averages.
- `arithmetic`: expressions of a config as Python lambdas.
- `group_code`: parameter groups of tasks that define their own.
- `literals`: Python literals and comments; the only place where config text enters a program.
- `layout`: line breaks.
- `commands`: the command line of a run or sweep, quoted for a shell.

Safe to change: the layout of a program. Keep: text from a config never becomes code, and the
learning rates of the program equal those of the run to the last digit (tests/test_snippets.py).
"""

from sweeps.codegen.commands import (
    command,
    command_of,
    config_dir,
    run_command,
    stored_command,
    typed_words,
)
from sweeps.codegen.programs import snippet

__all__ = [
    "command",
    "command_of",
    "config_dir",
    "run_command",
    "snippet",
    "stored_command",
    "typed_words",
]

"""A run as something to use: torch code that needs nothing of ours, and the command that trains it.

A config is turned into calls that are written instead of made (`calls`), those into text
(`programs`) that carries its imports and the curves' own source along (`preambles`).
"""

from sweeps.codegen.commands import command, command_of, config_dir, run_command, typed_words
from sweeps.codegen.programs import snippet

__all__ = ["command", "command_of", "config_dir", "run_command", "snippet", "typed_words"]

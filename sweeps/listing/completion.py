"""Completion of `python -m sweeps ...` in a shell.

The scripts hand the words before the cursor to `python -m sweeps.list --complete`, which answers
in a tenth of a second; they leave every other use of `python` to the shell.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from sweeps.listing.catalogue import groups, settings

NAMES = ("export", "list", "preview", "report", "sync", "ui")
COMMANDS = ("sweeps", *(f"sweeps.{name}" for name in NAMES))
FLAGS = ("-m", "--help", "--version", "--config-dir", "--cfg", "--resolve")
SWEEPER = ("n_trials", "study_name", "n_jobs", "sampler", "pruner", "storage", "timeout")
# bash evaluates what it may complete: a file called `$(reboot).yaml` would be run by the TAB key.
PLAIN = re.compile(r"[\w./=,:+-]+")
NAMED = ("sweeps.export", "sweeps.report", "sweeps.ui")  # commands that take a study's name

BASH = """\
_sweeps_complete() {
    local line="${COMP_LINE:0:COMP_POINT}" words last candidates
    read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    if [[ "${words[1]}" != -m || ${#words[@]} -lt 3 || "${words[2]}" != sweeps* ]]; then
        COMPREPLY=($(compgen -o bashdefault -o default -- "${COMP_WORDS[COMP_CWORD]}"))
        return
    fi
    candidates=$("${words[0]}" -m sweeps.list --complete "${words[@]:2}" 2>/dev/null)
    last="${words[-1]}"
    COMPREPLY=($(compgen -W "$candidates" -- "$last"))
    # bash itself replaces only what follows the last = or :
    local cut="${last%"${last##*[=:]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    [[ "${COMPREPLY[*]}" == *= ]] && compopt -o nospace
}
complete -o bashdefault -o default -F _sweeps_complete python python3
"""
ZSH = """\
_sweeps_complete() {
    if [[ "$words[2]" != -m || $CURRENT -lt 3 || "$words[3]" != sweeps* ]]; then
        _default
        return
    fi
    local -a candidates keys rest
    candidates=(${(f)"$($words[1] -m sweeps.list --complete ${words[3,CURRENT]} 2>/dev/null)"})
    keys=(${(M)candidates:#*=}) rest=(${candidates:#*=})
    (( $#keys )) && compadd -S '' -- $keys
    (( $#rest )) && compadd -- $rest
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _sweeps_complete python python3
"""
FISH = """\
function __sweeps_words
    set -l words (commandline -opc) (commandline -ct)
    test (count $words) -ge 3; and test "$words[2]" = -m; and string match -q 'sweeps*' -- $words[3]
end
function __sweeps_complete
    set -l words (commandline -opc) (commandline -ct)
    command $words[1] -m sweeps.list --complete $words[3..-1] 2>/dev/null
end
for name in python python3
    complete -c $name -n __sweeps_words -f -a '(__sweeps_complete)'
    # fish takes a word after the second -m, too, for that option's value
    complete -c $name -n __sweeps_words -s m -x -a '(__sweeps_complete)'
end
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
HOW = """\
The TAB key completes commands, groups, options, keys and names of sweeps. Add to the file that
your shell reads at its start, with the environment of sweeps active:

  bash  ~/.bashrc                   eval "$(python -m sweeps.list --completion bash)"
  zsh   ~/.zshrc                    eval "$(python -m sweeps.list --completion zsh)"
  fish  ~/.config/fish/config.fish  python -m sweeps.list --completion fish | source"""


def candidates(words: Sequence[str]) -> list[str]:
    """What the last word may become.

    Args:
        words: from the module's name on; the last one is what was typed so far.

    >>> candidates(["sweeps", "optimizer=adam"])
    ['optimizer=adam', 'optimizer=adamw']
    >>> candidates(["sweeps.re"]), candidates(["sweeps", "scheduler=step", "scheduler.g"])
    (['sweeps.report'], ['scheduler.gamma='])
    """
    *before, typed = words or [""]
    if not before:
        return [name for name in COMMANDS if name.startswith(typed)]
    found = (word for word in _words(before, typed) if word.startswith(typed))
    return [word for word in found if PLAIN.fullmatch(word)]


def _words(before: Sequence[str], typed: str) -> Iterator[str]:
    if before[0] in NAMED:
        yield from sorted(path.name for path in Path("mlruns/studies").glob("*"))
    if before[0] not in ("sweeps", "sweeps.preview"):
        return
    found = groups(_own(before))
    for group, options in found.items():
        yield f"{group}="
        # One of several, as a sweep has them: scheduler=cosine,st
        head = typed.rpartition(",")[0] + "," if "," in typed else f"{group}="
        yield from (f"{head}{o.name}" for o in options if typed.startswith(f"{group}="))
        chosen = [word.partition("=")[2] for word in before if word.startswith(f"{group}=")]
        names = set(chosen[-1].split(",")) if chosen else {o.name for o in options}
        keys = {key for option in options if option.name in names for key in option.keys}
        yield from (f"{group}.{key}=" for key in sorted(keys))
    yield from (f"{key}=" for key in settings())
    yield from (f"hydra.sweeper.{key}=" for key in SWEEPER)
    yield from FLAGS


def _own(words: Sequence[str]) -> Path | None:
    return next((Path(b) for a, b in pairwise(words) if a == "--config-dir"), None)

"""Groups of the config and their options."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GROUPS = ("scheduler", "optimizer", "task", "experiment", "tracking")  # experiment: presets

LONGEST = 100_000  # characters of a file that are looked at: somebody else may have written it


@dataclass(frozen=True)
class Option:
    """An option of a group: a file.

    Args:
        group: such as `scheduler`.
        name: of the file.
        text: its first comment line.
        content: all of it.
    """

    group: str
    name: str
    text: str
    content: str

    @property
    def keys(self) -> list[str]:
        """Its arguments."""
        found = re.findall(r"^([A-Za-z]\w*) *:", self.content, re.MULTILINE)
        return [key for key in found if key not in ("defaults", "search", "require", "expect")]


def conf_dir() -> Path:
    """The folder of the config files: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    return package / "conf" if (package / "conf").exists() else package.parent / "conf"


def groups(own: Path | None = None) -> dict[str, list[Option]]:
    """The options of each group that has any, by name.

    Args:
        own: a person's folder, as `--config-dir` names it.
    """
    folders = [conf_dir(), *([own] if own else [])]
    found = {group: list(_options(group, folders)) for group in GROUPS}
    return {group: options for group, options in found.items() if options}


def settings() -> list[str]:
    """The keys of `config.yaml` that belong to no group."""
    text = (conf_dir() / "config.yaml").read_text("utf-8")
    found = re.findall(r"^([a-z]\w*):", text, re.MULTILINE)
    return [key for key in found if key not in ("defaults", "require", "hydra", "steps")]


def _options(group: str, folders: Sequence[Path]) -> Iterator[Option]:
    files = {path.stem: path for folder in folders for path in (folder / group).glob("*.yaml")}
    for name in sorted(files):
        if files[name].is_file():  # a pipe of that name would be waited for
            with files[name].open(encoding="utf-8", errors="replace") as file:
                content = file.read(LONGEST)
            yield Option(group, name, _first_comment(content), content)


def _first_comment(content: str) -> str:
    r"""The first line of comment, but for Hydra's own.

    >>> _first_comment("# @package _global_\n# Half a cosine.\n_target_: x")
    'Half a cosine.'
    """
    lines = (line[1:].strip() for line in content.splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("@package")), "")

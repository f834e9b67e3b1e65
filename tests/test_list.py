"""What there is to choose, in a terminal and at the TAB key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps import list as listing_command
from sweeps.listing import sparklines
from sweeps.listing.catalogue import GROUPS, conf_dir, groups
from sweeps.listing.help_screen import answer

ROOT = Path(__file__).parent.parent


def test_every_option_has_a_line_and_every_schedule_its_curve(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listing_command.main([])
    lines = capsys.readouterr().out.splitlines()
    for group in GROUPS:
        for path in (conf_dir() / group).glob("*.yaml"):
            [line] = [text for text in lines if text.split()[:1] == [path.stem] and "  " in text][
                :1
            ]
            assert len(line.split()) > 2
    [cosine] = [line for line in lines if line.split()[:1] == ["cosine"]]
    assert "███▇▇▆▆▅▄▄▃▂▂▁▁▁" in cosine
    assert any(line.split()[:1] == ["tpe"] for line in lines)


def test_a_file_of_one_s_own_needs_nothing_else_to_be_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scheduler").mkdir()
    text = (
        "# Half each time.\n_target_: torch.optim.lr_scheduler.StepLR\nstep_size: 50\ngamma: 0.5\n"
    )
    (tmp_path / "scheduler" / "halving.yaml").write_text(text)
    listing_command.main(["scheduler", "--config-dir", str(tmp_path)])
    [line] = [text for text in capsys.readouterr().out.splitlines() if "halving" in text]
    assert line.split() == ["halving", "████████▅▅▅▅▅▅▅▅", "Half", "each", "time."]


def test_stored_curves_are_those_of_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    known = sparklines.stored(groups()["scheduler"])
    some = [option for option in groups()["scheduler"] if option.name in list(known)[::6]]
    assert listing_command._traced(some, None) == [known[option.name] for option in some]


def test_help_fits_a_screen_and_needs_neither_hydra_nor_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sweeps", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) <= 28
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not {"torch", "hydra", "mlflow", "rich"} & {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    }
    assert answer(["--version"]).splitlines()[0].startswith("lr-sweeps ")  # type: ignore[union-attr]


TYPED = [
    ("sweeps scheduler=cos", ["scheduler=cosine", "scheduler=cosine_restarts"]),
    ("sweeps -m scheduler=cosine,st", ["scheduler=cosine,step"]),
    ("sweeps scheduler=step scheduler.g", ["scheduler.gamma="]),
    ("sweeps epo", ["epochs="]),
    ("sweeps.report mi", ["mine"]),
    ("sweeps.ex", ["sweeps.export"]),
]
TRY = {
    "bash": """
source <({python} -m sweeps.list --completion bash)
COMP_LINE="{python} -m {typed}"; COMP_POINT=${{#COMP_LINE}}
COMP_WORDS=($COMP_LINE); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
compopt() {{ :; }}
_sweeps_complete
printf '%s\\n' "${{COMPREPLY[@]}}"
""",
    "zsh": """
compdef() {{ :; }}; compinit() {{ :; }}
functions[compdef]=:
eval "$({python} -m sweeps.list --completion zsh)"
compadd() {{ while [[ "$1" != -- ]]; do shift; done; shift; print -l -- "$@"; }}
words=({python} -m {typed}); CURRENT=$#words
_sweeps_complete
""",
    "fish": """
{python} -m sweeps.list --completion fish | source
complete -C "python -m {typed}"
""",
}


@pytest.mark.parametrize("shell", list(TRY))
def test_the_tab_key_completes_in_every_shell(shell: str, tmp_path: Path) -> None:
    if subprocess.run(["which", shell], capture_output=True, check=False).returncode:
        pytest.skip(f"no {shell} on this machine")
    (tmp_path / "mlruns" / "studies" / "mine").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    env = os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    for typed, wanted in TYPED[:3] if shell != "bash" else TYPED:
        script = TRY[shell].format(python=sys.executable, typed=typed)
        done = subprocess.run(
            [shell, "-c", script],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        found = [line.split("\t")[0].strip() for line in done.stdout.splitlines() if line.strip()]
        cut = typed.split()[-1].rpartition("=")[0]
        prefix = f"{cut}=" if cut and shell == "bash" else ""
        assert found == [word.removeprefix(prefix) for word in wanted], (typed, done.stderr)

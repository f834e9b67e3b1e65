"""What Hydra itself writes of a job."""

from pathlib import Path

from crashsafe.masking import masked


def mask_job_files(folder: Path) -> None:
    """Hide the passwords that stand in a job's `.hydra` folder.

    Args:
        folder: of the job.
    """
    for file in (folder / ".hydra").glob("*.yaml"):
        text = file.read_text("utf-8")
        if masked(text) != text:
            file.write_text(masked(text), "utf-8")

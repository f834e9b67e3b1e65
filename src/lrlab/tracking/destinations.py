"""The MLflow experiment of a run, stored in its folder so that the run can be sent later."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Destination:
    """An MLflow experiment on a tracking server or in a database.

    Args:
        experiment: its name.
        uri: of the server or database, without its password; None is `mlflow.db` in the folder.
        folder: base of relative addresses and of artifacts.
        upload: which files of the run are sent.
    """

    experiment: str
    uri: str | None
    folder: str
    upload: Literal["all", "no_weights", "none"] = "all"

    @property
    def existing_folder(self) -> Path:
        """The folder; if it is gone, as after a move of the project, the current directory."""
        folder = Path(self.folder)
        return folder if folder.is_dir() else Path.cwd()

    @property
    def address(self) -> str:
        """Address of the server or database, for messages."""
        return self.uri or str(Path(self.folder) / "mlflow.db")

"""Where a run is to be recorded, as its folder notes it: read by who sends it later."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Destination:
    """An experiment of a tracking server or database.

    Args:
        experiment: its name.
        uri: of the server or database, without its password; None is `mlflow.db` in the folder.
        folder: that relative addresses and the artifacts start from.
    """

    experiment: str
    uri: str | None
    folder: str

    @property
    def place(self) -> Path:
        """The folder; where it is gone, as after a move of the whole project, the present one."""
        folder = Path(self.folder)
        return folder if folder.is_dir() else Path.cwd()

    @property
    def address(self) -> str:
        """Of the server or database, for people."""
        return self.uri or str(Path(self.folder) / "mlflow.db")

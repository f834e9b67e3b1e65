"""The experiment that runs are recorded in, and the way into its store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException

from crashsafe.addresses import with_driver
from crashsafe.masking import masked
from crashsafe.processes import Liveness, liveness
from lrlab.tracking.run_data import FOLDER_TAG, OWNER_TAG, UID_TAG
from lrlab.tracking.run_folder import UNREADABLE, RunFolder, Status
from lrlab.tracking.stores.api_store import ApiStore
from lrlab.tracking.stores.base import Store
from lrlab.tracking.stores.create_database import ARTIFACTS, artifact_root, create_once, for_mlflow
from lrlab.tracking.stores.sql_store import SqlStore, open_engine
from lrlab.tracking.stores.ui_views import saved_views

# The UI otherwise greets a person with its pages for language models.
KIND = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class OpenExperiment:
    """An experiment of MLflow, open for records."""

    client: MlflowClient
    id: str
    store: Store

    def left_behind(self) -> Iterator[RunFolder]:
        """The folders of runs that are RUNNING there while their process is gone.

        Those without a folder are KILLED on the way: nothing more is known of them.
        """
        for run in self._running():
            tags = run.data.tags
            if not {UID_TAG, FOLDER_TAG, OWNER_TAG} <= tags.keys():
                continue  # it was not recorded by us
            owner, folder = liveness(tags[OWNER_TAG]), RunFolder(Path(tags[FOLDER_TAG]))
            status = _status(folder, tags[UID_TAG])
            if owner is Liveness.DEAD and status is None:
                self.client.set_terminated(run.info.run_id, "KILLED")
            elif owner is not Liveness.ALIVE and status not in ("RUNNING", None):
                yield folder

    def _running(self) -> list[Run]:
        running: list[Run] = []
        token: str | None = ""
        while token is not None:
            page = self.client.search_runs(
                [self.id], "attributes.status = 'RUNNING'", page_token=token or None
            )
            running += page
            token = page.token or None
        return running


def open_experiment(uri: str, name: str, *, bulk: bool = True) -> OpenExperiment:
    """Open an experiment of a tracking server or database; made if it is not there.

    Raises:
        MlflowException, SQLAlchemyError, OSError: the store is away, or the experiment is deleted.
    """
    uri = with_driver(uri)
    create_once(uri)  # before the client, which would make it in its own way
    client = MlflowClient(tracking_uri=for_mlflow(uri))
    found = _found(client, name)
    if found.lifecycle_stage != "active":
        raise MlflowException(
            f"experiment {name!r} is deleted in MLflow; to have it back: "
            f"mlflow experiments restore --experiment-id {found.experiment_id}"
        )
    engine = open_engine(uri) if bulk else None
    number, address = str(found.experiment_id), masked(uri)
    if engine is None:
        return OpenExperiment(client, number, ApiStore(client, address, number))
    store = SqlStore(engine, address, int(number), found.artifact_location)
    return OpenExperiment(client, number, store)


def _status(folder: RunFolder, uid: str) -> Status | None:
    """The status of a run; None where its folder is gone, damaged, or has another run by now."""
    try:
        return folder.status() if folder.uid() == uid else None
    except UNREADABLE:  # one damaged folder must not stop the recording of other runs
        return None


def _found(client: MlflowClient, name: str) -> Experiment:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found
    try:
        client.create_experiment(name, _location(client.tracking_uri, name), KIND | saved_views())
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise  # else another process was faster
    return client.get_experiment_by_name(name) or _found(client, name)


def _location(uri: str, name: str) -> str | None:
    """Where an experiment's artifacts are to be; None leaves it to MLflow."""
    root = artifact_root(Path.cwd() / ARTIFACTS)
    by_server = uri.startswith(("http://", "https://"))
    return f"{root}/experiments/{quote(name, safe='')}" if "://" in root and not by_server else None

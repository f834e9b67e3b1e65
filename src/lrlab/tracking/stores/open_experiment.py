"""Opens or creates an MLflow experiment, and chooses its store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException

from crashsafe.addresses import with_driver
from crashsafe.fast_paths import is_fast
from crashsafe.masking import masked
from crashsafe.processes import Liveness, liveness
from lrlab.tracking.run_data import FOLDER_TAG, OWNER_TAG, UID_TAG
from lrlab.tracking.run_folder import UNREADABLE, RunFolder, Status
from lrlab.tracking.stores.api_store import ApiStore
from lrlab.tracking.stores.base import Store
from lrlab.tracking.stores.create_database import ARTIFACTS, artifact_root, create_once, for_mlflow
from lrlab.tracking.stores.sql_store import SqlStore, open_engine
from lrlab.tracking.stores.ui_views import saved_views

# Without this tag the UI opens its pages for language models.
EXPERIMENT_KIND = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class OpenExperiment:
    """An MLflow experiment with its client and its store."""

    client: MlflowClient
    id: str
    store: Store

    def abandoned_runs(self) -> Iterator[RunFolder]:
        """Yield the folders of runs that are RUNNING in MLflow but not on disk.

        Sets runs of dead processes without a usable folder to KILLED.
        """
        for run in self._running():
            tags = run.data.tags
            if not {UID_TAG, FOLDER_TAG, OWNER_TAG} <= tags.keys():
                continue  # not one of our runs
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
    """Open an experiment of a tracking server or database; create it if missing.

    Raises:
        MlflowException, SQLAlchemyError, OSError: no store, or the experiment is deleted.
    """
    uri = with_driver(uri)
    create_once(uri)  # before the client, which would create it unsafely
    client = MlflowClient(tracking_uri=for_mlflow(uri))
    experiment = _get_or_create(client, name)
    if experiment.lifecycle_stage != "active":
        raise MlflowException(
            f"experiment {name!r} is deleted in MLflow; to have it back: "
            f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
        )
    engine = open_engine(uri) if bulk and is_fast("mlflow_sql") else None
    number, address = str(experiment.experiment_id), masked(uri)
    if engine is None:
        return OpenExperiment(client, number, ApiStore(client, address, number))
    store = SqlStore(engine, address, int(number), experiment.artifact_location)
    return OpenExperiment(client, number, store)


def _status(folder: RunFolder, uid: str) -> Status | None:
    """The status of a run; None if its folder is gone, damaged, or has a newer run."""
    try:
        return folder.status() if folder.uid() == uid else None
    except UNREADABLE:  # one damaged folder must not affect other runs
        return None


def _get_or_create(client: MlflowClient, name: str) -> Experiment:
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        _update_views(client, experiment)
        return experiment
    try:
        client.create_experiment(
            name, _location(client.tracking_uri, name), EXPERIMENT_KIND | saved_views()
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise  # otherwise another process has created it
    return client.get_experiment_by_name(name) or _get_or_create(client, name)


def _update_views(client: MlflowClient, experiment: Experiment) -> None:
    """Replace the saved views that an older version has made; a deleted one stays deleted."""
    for tag, view in saved_views().items():
        if experiment.tags.get(tag, view) != view:
            client.set_experiment_tag(experiment.experiment_id, tag, view)


def _location(uri: str, name: str) -> str | None:
    """The artifact location of a new experiment; None is MLflow's default."""
    root = artifact_root(Path.cwd() / ARTIFACTS)
    by_server = uri.startswith(("http://", "https://"))
    return f"{root}/experiments/{quote(name, safe='')}" if "://" in root and not by_server else None

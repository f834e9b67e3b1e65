"""`RunWriter`: writes one run while it trains."""

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from crashsafe.masking import masked
from lrlab import Epoch, HistoryFile, TrainingBatch
from lrlab.divergence import DivergedError
from lrlab.objective import mean
from lrlab.tracking import NoTracker, RunFolder, RunInfo, Status, Tracker
from sweeps.runs.end_reasons import readable, reason
from sweeps.runs.run_spec import RunSpec, check_metrics
from sweeps.runs.writing.checkpoints import HOME, Checkpoint
from sweeps.runs.writing.weight_files import WeightFiles, Weights

REPORTS = 10  # of a run to its sweep's pruner

# Trial outcome -> MLflow run status.
ENDS: dict[str, Status] = {
    "complete": "FINISHED",
    "pruned": "KILLED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}


@dataclass
class RunWriter:
    """Writes one run: config, history, weights, status; also if the training fails.

    Args:
        spec: what is trained.
        info: its name, params and tags.
        folder: where it is kept.
        tracker: who carries it on.
        report: told the objective and the epoch now and then; true gives the run up.
        show: told every epoch.
        checkpoints: folder of the checkpoints.
        weights: gives the parameters as they are, once there are any.
        test: gives the metrics on the test set.
        tested: those metrics, means over the seeds, of a judged run that has ended.
    """

    spec: RunSpec
    info: RunInfo
    folder: RunFolder
    tracker: Tracker
    report: Callable[[float, int], bool]
    show: Callable[[Epoch], None] = lambda _: None
    checkpoints: Path = HOME
    weights: Callable[[], Weights] = field(default=dict, init=False)
    test: Callable[[], dict[str, tuple[float, ...]]] = field(default=dict, init=False)
    tested: dict[str, float] = field(default_factory=dict, init=False)
    last: Epoch | None = field(default=None, init=False)
    _reported: int = field(default=0, init=False)

    def begin(self) -> None:
        """Write the config and start the run in the tracker."""
        self.folder.begin(self.info)
        text = yaml.dump(self.spec.config, Dumper=yaml.CSafeDumper, sort_keys=False)
        (self.folder.artifacts / "config.yaml").write_text(masked(text), "utf-8")
        training, objective = self.spec.settings.training, self.spec.objective
        self._weight_files = WeightFiles(self.folder.artifacts, training.weights, objective)
        self._checkpoint = Checkpoint(self.spec, self.checkpoints)
        self._checkpoint.open()
        self._file = HistoryFile(self.folder.history, self._checkpoint.history)
        self.tracker.start(self.folder)

    def write(self, epoch: Epoch) -> None:
        """Keep an epoch; one that is there stays, where the training had to begin anew.

        Raises:
            ConfigError: the task's evaluation has no such metric as the objective.
        """
        if self.last is None:
            check_metrics(self.spec, epoch)
        elif epoch.number <= self.last.number:
            return
        self.last = epoch
        if epoch.number > self._file.last:
            self._file.write(epoch)
            self._weight_files.after(epoch, self.weights)
        self.show(epoch)

    def restore(self, batch: TrainingBatch) -> None:
        """Put the state of a checkpoint, if there is one, into a new batch of this run alone."""
        self._checkpoint.restore(batch)

    def keep(self, batch: TrainingBatch, epoch: Epoch) -> None:
        """Write a checkpoint, now and then."""
        if self._checkpoint.is_due(epoch.number):
            self._checkpoint.write(batch, self._file.text())

    def is_pruned(self, epoch: Epoch) -> bool:
        """Ask the sweep's pruner, now and then."""
        every = max(1, self.spec.settings.epochs // REPORTS)
        if epoch.number <= self._reported or epoch.number % every:
            return False
        self._reported = epoch.number
        return self.report(self.spec.objective.value(epoch), epoch.number)

    def end(self, end: str, error: BaseException | None = None) -> None:
        """Write weights, losses and final status, and notify the tracker."""
        self._file.close()
        self._weight_files.write(self.weights)
        if end == "complete" and self.spec.judged and self.spec.has_test:
            self._write_test()
        self.leave_batch()
        if isinstance(error, Exception):
            text = "".join(traceback.format_exception(error))
            (self.folder.artifacts / "traceback.txt").write_text(masked(readable(text)), "utf-8")
        self._write_losses()
        self._plot()
        self._checkpoint.close(ended=error is None or isinstance(error, DivergedError))
        why = {} if error is None else {"reason": reason(error)}
        self.folder.end(ENDS[end], tags={"state": end, **why})
        self.tracker.finish(self.folder)

    def leave_batch(self) -> None:
        """Forget the batch, whose memory others want; its weights can be written no more."""
        self.weights = self.test = dict

    def _write_test(self) -> None:
        self.tested = {name: mean(values) for name, values in self.test().items()}
        (self.folder.artifacts / "test.json").write_text(json.dumps(self.tested), "utf-8")

    def _plot(self) -> None:
        """Plot a single run here: the tracker's own process is still opening its store."""
        is_single = self.spec.judged and self.info.parent is None
        if is_single and not isinstance(self.tracker, NoTracker):
            from lrlab.tracking.run_plots import plot_if_possible  # matplotlib

            plot_if_possible(self.folder)

    def _write_losses(self) -> None:
        if self.last is not None and len(self.last.losses) > 1:
            by_seed = dict(zip(self.spec.seeds, self.last.losses, strict=True))
            (self.folder.artifacts / "losses.json").write_text(json.dumps(by_seed), "utf-8")

"""A run folder: where each file of a run stands."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run; knows no contents."""

    path: Path

    @property
    def plan(self) -> Path:
        """The plan with its reasons. Once it exists, the run is determined."""
        return self.path / "plan.toml"

    @property
    def repeat(self) -> Path:
        """The plan as it was carried out: rungs, steps and cool-downs as taken; repeats the networks exactly."""
        return self.path / "repeat.toml"

    @property
    def facts(self) -> Path:
        """Facts of data, machine and budget, and the measurements."""
        return self.path / "facts.json"

    @property
    def audit(self) -> Path:
        """What is wrong with the samples, which of them were left out, and how many labels were corrected."""
        return self.path / "audit.json"

    @property
    def label_issues(self) -> Path:
        """Labels that are probably wrong, ranked; made by `fieldcraft labels`."""
        return self.path / "label-issues.json"

    @property
    def label_issues_csv(self) -> Path:
        """The same, with a column `label` to correct and to hand to --relabel."""
        return self.path / "label-issues.csv"

    @property
    def label_issue_pictures(self) -> Path:
        """Pictures of the first of them."""
        return self.path / "label-issues.npz"

    @property
    def proof(self) -> Path:
        """What `fieldcraft prove` found of the run's tips."""
        return self.path / "proof" / "proof.json"

    @property
    def splits(self) -> Path:
        """A folder with train.txt, validation.txt and test.txt: names of samples."""
        return self.path / "splits"

    @property
    def metrics(self) -> Path:
        """JSON lines: one every few steps and one a validation."""
        return self.path / "metrics.jsonl"

    @property
    def journal(self) -> Path:
        """JSON lines: every decision that changes what is computed, written before it acts; and the clock."""
        return self.path / "journal.jsonl"

    @property
    def ledger(self) -> Path:
        """JSON lines: every look at the test part."""
        return self.path / "ledger.jsonl"

    @property
    def checkpoints(self) -> Path:
        """State to resume from, one file a rung (safetensors)."""
        return self.path / "checkpoints"

    @property
    def rungs(self) -> Path:
        """Finished candidates, one folder each."""
        return self.path / "rungs"

    @property
    def network(self) -> Path:
        """What `model.safetensors` belongs to and how its outputs are read."""
        return self.path / "network.toml"

    @property
    def weights(self) -> Path:
        """Weights of the winning network; of an average, those of all its networks, each under its name and a slash."""
        return self.path / "model.safetensors"

    @property
    def baseline(self) -> Path:
        """The winning baseline, when no network beat it (skops format)."""
        return self.path / "model.skops"

    def member(self, name: str) -> Path:
        """A baseline that takes part in an average (skops format); networks stand together in `weights`."""
        return self.path / f"model-{name}.skops"

    @property
    def encoder(self) -> Path:
        """How table columns become numbers."""
        return self.path / "table_encoder.json"

    @property
    def predictions(self) -> Path:
        """Predictions for validation and test, with the truth."""
        return self.path / "predictions.parquet"

    @property
    def masks(self) -> Path:
        """Segmentation: measures of each class of each test case, refinements, calibration."""
        return self.path / "masks.json"

    @property
    def thumbnails(self) -> Path:
        """Samples shown in the report."""
        return self.path / "thumbnails.npz"

    @property
    def results(self) -> Path:
        """What was found."""
        return self.path / "results.json"

    @property
    def provenance(self) -> Path:
        """Versions, machine, seed, data digest, command."""
        return self.path / "provenance.json"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard event files."""
        return self.path / "tensorboard"

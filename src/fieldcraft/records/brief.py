"""The brief: everything a tip may look at."""

from pydantic.dataclasses import dataclass

from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Budget, DataFacts, Facts, ImageFacts, MachineFacts, TableFacts, Task
from fieldcraft.records.prior import Prior
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.records.weights import WeightsFacts


@dataclass(frozen=True, kw_only=True)
class Brief:
    """Facts, with short names for the ones that most tips ask for."""

    facts: Facts

    @property
    def data(self) -> DataFacts:
        """Facts of the samples."""
        return self.facts.data

    @property
    def machine(self) -> MachineFacts:
        """Facts of the machine."""
        return self.facts.machine

    @property
    def budget(self) -> Budget:
        """What may be spent."""
        return self.facts.budget

    @property
    def evidence(self) -> Prior:
        """What proofs on file say of the tips."""
        return self.facts.evidence

    @property
    def weights(self) -> tuple[WeightsFacts, ...]:
        """Pretrained weights that the user gave."""
        return self.facts.weights

    @property
    def task(self) -> Task:
        """Kind of target."""
        return self.facts.data.target.task

    @property
    def outputs(self) -> int:
        """Numbers that the network must give."""
        return self.facts.data.target.outputs

    @property
    def images(self) -> ImageFacts | None:
        """Image facts, or None when the samples are no images."""
        inputs = self.facts.data.inputs
        return inputs if isinstance(inputs, ImageFacts) else None

    @property
    def table(self) -> TableFacts | None:
        """Table facts, or None when the samples are no rows of a table."""
        inputs = self.facts.data.inputs
        return inputs if isinstance(inputs, TableFacts) else None

    @property
    def cases(self) -> CaseFacts | None:
        """Facts of images with masks, or None when the samples are something else."""
        inputs = self.facts.data.inputs
        return inputs if isinstance(inputs, CaseFacts) else None

    def measured(self, key: str) -> Fact[float] | None:
        """The answer to a measurement that was asked for, or None when it was not taken yet."""
        return self.facts.measured.get(key)

"""The checkpoints of a table's rows: those that are there, or trained where that is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint_files import find_checkpoint, read_card
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.tables.spec import Method, Spec
from s4tok_pipelines.tables.table2_checkpoints import find_checkpoints, is_unfinished, seed_in


@dataclass(frozen=True)
class RowCheckpoints:
    """Where the checkpoints of rows lie, a seed each."""

    spec: Spec
    given: Path | None  # a folder of them; those that come with s4tok where None
    trainer: Trainer
    trains: bool  # what is missing
    seeds: int
    worlds: Mapping[str, CloudDataset]  # by role, to train on

    def of(self, method: Method) -> Sequence[str]:
        """Find a row's checkpoints, after those are trained that are missing."""
        missing = self.missing(method)
        if not missing or method.recipe is None:
            return self.found(method)
        begun = self.of(self.spec.find(method.recipe.begin)) if method.recipe.begin else [""]
        if not begun:
            return []
        for seed in missing:
            begin = next((each for each in begun if seed_in(Path(each)) == seed), begun[0])
            self.trainer.train(method, self.worlds[method.recipe.role], begin, seed)
        return self.found(method)

    def missing(self, method: Method) -> list[int]:
        """Give the seeds that are to be trained: none where the row is somebody's own checkpoint."""
        if method.recipe is None or not self.trains:
            return []
        found = [Path(each) for each in self.found(method)]
        if any(each.parent != self.trainer.folder or seed_in(each) is None for each in found):
            return []
        there = [seed_in(each) for each in found]
        return [seed for seed in range(self.seeds) if seed not in there][: max(self.seeds - len(there), 0)]

    def found(self, method: Method) -> list[str]:
        """Find what is there; a run that goes on is not."""
        for folder in (self.given, self.trainer.folder):
            places = find_checkpoints([method.names], folder)[method.names]
            if folder is None:  # those that come with s4tok, each for a CLIP of its own
                places = [each for each in places if _clip_of(each) == self.trainer.clip.model]
            if self.trains and folder == self.trainer.folder and method.recipe is not None:
                places = [each for each in places if not is_unfinished(Path(each))]
            if places:
                return list(places)
        return []


def _clip_of(checkpoint: str) -> str:
    return str(read_card(find_checkpoint(checkpoint))["clip"]["name"])

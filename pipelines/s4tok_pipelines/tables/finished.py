"""What studies have measured already: results that lie beside their runs, by the name of a row."""

import json
import re
from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok_pipelines.tables.result_table import Facts


def finished(folder: Path | None, name: str, clouds: CloudDataset) -> list[Facts]:
    """Read FOLDER/results/NAME-SEED-SPLIT.json, as examples/studies writes them, a seed each in order.

    Results of another dataset than the one that is asked about are left out.
    """
    if folder is None or not name:
        return []
    pattern = re.compile(rf"{re.escape(name)}-(\d+)-{re.escape(clouds.split)}\.json")
    found: dict[int, Facts] = {}
    for path in (folder / "results").glob(f"*-{clouds.split}.json"):
        match = pattern.fullmatch(path.name)
        if match is not None:
            facts = json.loads(path.read_text(encoding="utf-8"))
            if (facts.get("dataset"), facts.get("split")) == (clouds.name, clouds.split):
                found[int(match[1])] = {"failures": [], **facts}
    return [found[seed] for seed in sorted(found)]

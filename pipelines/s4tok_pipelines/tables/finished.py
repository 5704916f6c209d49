"""What studies have measured already: results that lie beside their runs, by the name of a row."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok_pipelines.tables.result_table import Facts, find_figure


def finished(folder: Path | None, name: str | None, clouds: CloudDataset, figures: Iterable[str]) -> list[Facts]:
    """Read FOLDER/results/NAME-SEED-SPLIT.json, as examples/studies writes them, a seed each in order.

    Results of another dataset or of more or fewer clouds than are asked about, and those that have none of the
    figures, are left out.
    """
    if folder is None or name is None:
        return []
    pattern = re.compile(rf"{re.escape(name)}-(\d+)-{re.escape(clouds.split)}\.json")
    found, wanted = dict[int, Facts](), list(figures)
    for path in (folder / "results").glob(f"*-{clouds.split}.json"):
        match = pattern.fullmatch(path.name)
        if match is not None:
            facts = json.loads(path.read_text(encoding="utf-8"))
            asked = facts.get("clouds", 0) + facts.get("failed", 0)
            is_of = (facts.get("dataset"), facts.get("split"), asked) == (clouds.name, clouds.split, len(clouds))
            if is_of and any(find_figure(facts, figure) is not None for figure in wanted):
                found[int(match[1])] = {"failures": [], **facts}
    return [found[seed] for seed in sorted(found)]

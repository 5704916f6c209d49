"""What lies where, whether it is whole, and toy data to try it on: the stages behind `s4tok data`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from s4tok.config import DATA_ROOT, WorldConfig
from s4tok.datasets.dataset import Credit
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.open import find_source, under_root
from s4tok.datasets.reader import ALL, EmptySplit, FileDataset, Finding, FolderLayout
from s4tok.datasets.table import DATASETS, OWN_FILES, make
from s4tok.errors import InputError
from s4tok_pipelines.report import Report, silent

MOST_FINDINGS = 1000  # a dataset that is broken throughout need not be listed throughout


@dataclass(frozen=True)
class Known:
    """A dataset s4tok knows by name, and this machine's copy of it where there is one."""

    name: str
    says: str
    source: str = ""  # where to get it
    made: bool = False
    layout: str = ""
    path: str = ""
    splits: dict[str, int] = field(default_factory=dict)
    trouble: str = ""  # why a copy cannot be opened


@dataclass(frozen=True)
class Checked:
    """What a check has read and found."""

    name: str
    layout: str
    path: str
    splits: dict[str, int]
    clouds: int
    findings: list[Finding]

    @property
    def problems(self) -> list[Finding]:
        """Give the findings that break the dataset."""
        return [finding for finding in self.findings if finding.severity == "problem"]


def list_datasets(root: Path = DATA_ROOT) -> list[Known]:
    """Look for every known dataset under the root and count its splits; no cloud is read."""
    return [_look_for(name, root) for name in DATASETS if name != OWN_FILES]


def check(
    source: Sequence[str | Path],
    dataset: str | None = None,
    root: Path = DATA_ROOT,
    *,
    partial: bool = False,
    report: Report = silent,
) -> Checked:
    """Read a dataset through: counts against the official ones, what is listed against what is there, every cloud.

    With `partial`, a copy may have fewer clouds than the official one, as long as those it lists are whole.
    """
    name, layout = find_source(source, dataset, root)
    if layout is None or DATASETS[name].made:
        raise InputError(
            f"{name} is made as it is asked for, so there is nothing to check.", "name a folder or a file."
        )
    findings: list[Finding] = []
    opened: list[FileDataset] = []
    for split in DATASETS[name].load().splits:
        try:
            one = make(name, layout, split)
        except EmptySplit as error:
            findings.append(Finding("note" if partial else "problem", str(layout.root), None, _alone(error, layout)))
            continue
        except InputError as error:
            findings.append(_finding(error, layout))
            continue
        if isinstance(one, FileDataset):
            opened.append(one)
            findings += one.count_findings(partial=partial)
    read: set[str] = set()
    keys = [(one, key) for one in opened for key in one.keys if one.path(key).exists()]
    for one, key in report.steps(keys, "Reading clouds"):
        if key not in read and len(findings) < MOST_FINDINGS:
            read.add(key)
            found = one.cloud_finding(key)
            findings += [found] if found else []
    for one in opened[:1]:
        findings += _oddities(one)
    findings = list(dict.fromkeys(findings))[:MOST_FINDINGS]  # a file may be listed in several splits
    splits = {one.split: len(one.keys) for one in opened}
    return Checked(name, layout.name, str(layout.root), splits, len(read), findings)


def write_credits(source: Sequence[str | Path], out: Path, dataset: str | None = None, root: Path = DATA_ROOT) -> int:
    """Write who made each cloud of a dataset and on what terms, one a line, and count them."""
    name, layout = find_source(source, dataset, root)
    rows = list(make(name, layout, ALL).credits())
    if not rows:
        raise InputError(f"{name} does not say who made each of its clouds.", "see its own terms.")
    lines = ["\t".join(Credit._fields), *("\t".join(row) for row in rows)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(rows)


def make_toy(
    layout: str,
    out: Path,
    sizes: tuple[int, int, int] | None = None,
    seed: int = WorldConfig.seed,
    *,
    report: Report = silent,
) -> int:
    """Write the toy world into a folder as a real dataset is laid out, and count its clouds."""
    from s4tok.synthetic.layouts import write

    return sum(1 for _ in report.steps(write(layout, out, sizes, seed), f"Writing {layout}"))


def make_homes(
    layout: str,
    out: Path,
    sizes: tuple[int, int, int] | None = None,
    seed: int = WorldConfig.seed,
    root: Path = DATA_ROOT,
    *,
    report: Report = silent,
) -> int:
    """Write furnished homes into a folder as a real dataset is laid out, and count its clouds."""
    from s4tok.synthetic.layouts import write

    _, furniture = find_source(["home-scans"], root=root)
    written = write(layout, out, sizes, seed, furniture, of_homes=True)
    return sum(1 for _ in report.steps(written, f"Writing {layout}"))


def draw_homes(picture: Path, seed: int = WorldConfig.seed, root: Path = DATA_ROOT) -> None:
    """Draw rooms of home-scans and home-rooms into a picture."""
    from PIL import Image

    from s4tok.synthetic.pictures import home_sheet

    _, furniture = find_source(["home-scans"], root=root)
    Image.fromarray(home_sheet(furniture, seed=seed)).quantize(128).save(picture, format="PNG", optimize=True)


def draw_toy(picture: Path, seed: int = WorldConfig.seed, *, rooms: bool = False) -> None:
    """Draw some of the toy world's objects, a category a row, or two rooms of each kind, into a picture."""
    from PIL import Image

    from s4tok.synthetic.pictures import contact_sheet, room_sheet

    sheet = room_sheet(seed=seed) if rooms else contact_sheet(seed=seed)
    Image.fromarray(sheet).quantize(64).save(picture, format="PNG", optimize=True)


def _look_for(name: str, root: Path) -> Known:
    row = DATASETS[name]
    if row.made:
        return Known(name, row.says, made=True)
    try:
        layout = under_root(name, row, root)
    except InputError:
        return Known(name, row.says, row.source)
    splits: dict[str, int] = {}
    troubles = []
    for split in row.load().splits:
        try:
            splits[split] = len(make(name, layout, split).keys)
        except EmptySplit:
            splits[split] = 0
        except InputError as error:
            troubles.append(str(error))
    trouble = troubles[0] if troubles else ""
    return Known(name, row.says, row.source, False, layout.name, str(layout.root), splits, trouble)


def _oddities(dataset: FileDataset) -> list[Finding]:
    try:
        return list(islice(dataset.oddities(), MOST_FINDINGS))
    except InputError:
        return []  # a list that cannot be read; it is among the findings already


def _finding(error: InputError, layout: FolderLayout) -> Finding:
    if isinstance(error, DamagedFile):
        return Finding("problem", str(error.path), error.line, error.sentence)
    return Finding("problem", str(layout.root), None, _alone(error, layout))


def _alone(error: InputError, layout: FolderLayout) -> str:
    """Give an error's sentence without the folder it begins with, which a finding names by itself."""
    return str(error).removeprefix(str(layout.root)).lstrip(": ")

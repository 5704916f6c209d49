"""From what a user names, a folder, files or a known name, to a dataset that is open."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from s4tok.config import DATA_ROOT, Scene
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.formats.text import read_lines
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.table import DATASETS, OWN_FILES, DatasetRow, make, recognise
from s4tok.errors import InputError, UsageError, choose, did_you_mean
from s4tok.geometry.placement import Said


def open_dataset(
    source: str | Path | Sequence[str | Path],
    *,
    split: str | None = None,
    dataset: str | None = None,
    root: Path = DATA_ROOT,
    up: str | None = None,
    unit: str | None = None,
    scene: Scene | None = None,
    scale: float = Said.scale,
    exclude: Path | None = None,
    limit: int | None = None,
    prefer: Sequence[str] = (),
) -> CloudDataset:
    """Open a dataset; no cloud is read before it is asked for.

    Args:
        source: A dataset's folder, one or more files, or a known name, which is looked for under `root`.
        split: One of the dataset's splits, several joined by "+", or "all"; the dataset's first where None.
        dataset: Its kind, where the folder does not tell.
        root: Where known names are looked for.
        up: The axis that points up, where it is another than the dataset says, or than own files are taken to have.
        unit: The unit of own files: m, cm, mm or inch; what they are taken to have where None.
        scene: Whether own files hold objects or rooms; what each is taken for where None.
        scale: What numbers of own files are multiplied by to be metres, or of the unit where that is said.
        exclude: A list of clouds to leave out, one a line, by key or by model, in whichever dataset's way they are
            written; ShapeNet55 and ShapeNetPart share models, and one may be pre-trained on what the other tests.
        limit: Take only the first clouds.
        prefer: Splits to take where `split` is None, the first of them that the dataset has, with labels.

    Raises:
        UsageError: For a name, kind or split there is not.
        InputError: For a dataset that is not there or not whole.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    name, layout = find_source(sources, dataset, root)
    if split is None:
        reader = DATASETS[name].load()
        split = next((each for each in prefer if each in reader.splits and each not in reader.hidden), None)
    opened = make(name, layout, split)
    _say(opened, Said.of(up, unit, scene, scale))
    opened.asked_as = _asked_as(sources, dataset, root, None if name == OWN_FILES else up, limit)
    if exclude is not None:
        left_out = {_model(line) for line in read_lines(exclude)} - {""}
        opened.keys = [key for key in opened.keys if _model(key) not in left_out]
    if limit is not None:
        opened.keys = opened.keys[:limit]
    return opened


def _asked_as(sources: Sequence[str | Path], kind: str | None, root: Path, up: str | None, limit: int | None) -> str:
    """Repeat how a dataset was named; of several files only that there were some."""
    words = [quote(str(sources[0])) if len(sources) == 1 else "SOURCE"]
    is_found_by_name = not Path(sources[0]).exists() and root.absolute() != DATA_ROOT.absolute()
    place = quote(str(root)) if is_found_by_name else None
    options = {"dataset": kind, "data-root": place, "up": up, "limit": limit}
    return " ".join(words + [f"--{option} {value}" for option, value in options.items() if value is not None])


def _say(opened: CloudDataset, said: Said) -> None:
    """Tell a dataset what a user says of its clouds."""
    from s4tok.datasets.own_files import OwnFiles

    if isinstance(opened, OwnFiles):
        opened.said, opened.scene = said, said.scene or opened.scene
    elif said.scene is not None:
        raise UsageError(
            f"{opened.name} is of {opened.scene}s: --room and --object are for files of your own.",
            f"leave --{said.scene} out.",
        )
    elif said.unit is not None or said.scale != Said.scale:
        option = "--scale" if said.unit is None else "--unit"
        raise UsageError(
            f"{opened.name} has sizes of its own: {option} is for files of your own.", f"leave {option} out."
        )
    else:
        opened.up = said.up or opened.up


def find_source(
    sources: Sequence[str | Path], kind: str | None = None, root: Path = DATA_ROOT
) -> tuple[str, FolderLayout | None]:
    """Tell which dataset is meant and where it lies; one that is made lies nowhere, or where its furniture does."""
    if not sources:
        raise UsageError("no source was named.", "name a dataset's folder, a file, or a known name such as toy-shapes.")
    if kind is not None:
        choose("dataset", kind, DATASETS)
    path, name = Path(sources[0]), str(sources[0])
    if len(sources) == 1 and (whole := _in_file(path, kind)):
        return whole
    if len(sources) > 1 or path.is_file():
        _agree(kind, OWN_FILES, name)
        return OWN_FILES, _own_files([Path(each) for each in sources])
    if path.is_dir():
        return in_folder(path, kind)
    if name in DATASETS and name != OWN_FILES:
        _agree(kind, name, name)
        return name, _place(name, root)
    raise InputError(
        f"{name}: there is no such file or folder, and no dataset is called that.",
        did_you_mean(name, DATASETS) or f"known names are: {', '.join(key for key in DATASETS if key != OWN_FILES)}.",
    )


def _place(name: str, root: Path) -> FolderLayout | None:
    """Look for a known dataset, or for what a made one is furnished with, which may be missing."""
    row = DATASETS[name]
    if not row.made:
        return under_root(name, row, root)
    try:
        return under_root(row.furnished_from, DATASETS[row.furnished_from], root) if row.furnished_from else None
    except InputError:
        return None


def _in_file(path: Path, kind: str | None) -> tuple[str, FolderLayout] | None:
    """Tell which dataset a file holds whole."""
    rows = {name: row for name, row in DATASETS.items() if path.suffix.lower() in row.suffixes and kind in (None, name)}
    found = ((name, row.recognises(path)) for name, row in rows.items() if path.is_file())
    return next(((name, layout) for name, layout in found if layout), None)


def _model(name: str) -> str:
    """Take a model's id out of `shape_data/02691156/id`, `02691156-id.npy` and the like."""
    stem = name.strip().removesuffix(".npy").removesuffix(".txt").rpartition("/")[2]
    synset, _, model = stem.partition("-")
    return model if model and synset.isdecimal() else stem


def in_folder(folder: Path, kind: str | None = None) -> tuple[str, FolderLayout]:
    """Tell which dataset a folder holds and in which layout; `kind` decides where the names do not."""
    if kind is not None:
        row = DATASETS[kind]
        layout = row.recognises(folder)
        if layout is None:
            raise InputError(
                f"{folder} does not look like {kind} in any layout.",
                f"get it from {row.source}." if row.source else f"{kind} is made, not read; name it as the source.",
            )
        return kind, layout
    found = recognise(folder)
    if not found:
        raise InputError(
            f"{folder} is no dataset in a known layout and holds no point or mesh file.",
            "`s4tok data ls` lists the datasets and layouts there are.",
        )
    if len(found) > 1:
        raise UsageError(f"{folder} holds several datasets: {', '.join(found)}.", "name one of them with --dataset.")
    return found.popitem()


def under_root(name: str, row: DatasetRow, root: Path) -> FolderLayout:
    """Look for a known dataset in the root itself, in a folder of its name, then in any other folder of the root."""
    folders = [root / name] if row.asked else [root / name, root]
    if root.is_dir() and not row.asked:
        folders += sorted(path for path in root.iterdir() if path.is_dir())
    for folder in folders:
        layout = row.recognises(folder) if folder.is_dir() else None
        if layout:
            return layout
    raise InputError(
        f"{name} is not under {root}.",
        f"get it from {row.source}, put it into {root / name}, or name another --data-root.",
    )


def _agree(kind: str | None, found: str, source: str) -> None:
    if kind not in (None, found):
        raise UsageError(f"{source} is read as {found}, and --dataset says {kind}.", "leave --dataset out.")


def _own_files(paths: list[Path]) -> FolderLayout:
    from s4tok.datasets.own_files import layout_of

    return layout_of(paths)

"""Finds weights: in a folder, in a file, or on the hub; and says in seconds when they are out of reach.

Nothing here imports PyTorch before it is known that there is something to load.
"""

import json
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from s4tok.dependencies import load
from s4tok.errors import InputError, MissingError, UsageError, did_you_mean

MINI, MINI2 = "mini", "mini2"  # the small CLIPs that s4tok carries
CARRIED = {MINI: Path(__file__).parents[1] / "mini_clip", MINI2: Path(__file__).parents[1] / "mini2_clip"}
HUB, FOLDER, CLIP = "hf-hub:", "local-dir:", "clip:"
CONFIG = "open_clip_config.json"
WEIGHT_FILES = ("*.safetensors", "*.bin", "*.pth", "*.pt")  # in the order in which they are preferred
PATIENCE = 2.0  # seconds a hub has to answer


class Weights(NamedTuple):
    """Where a model's architecture and its weights lie."""

    model: str  # what open_clip calls it: a built-in name, or a folder behind "local-dir:"
    file: Path | None  # None for weights that are drawn at random
    preprocessing: dict[str, Any]  # what open_clip cannot know from the file alone
    quick_gelu: bool | None = None  # None where the architecture says it


def find(name: str, pretrained: str) -> Weights:
    """Find the weights of a model, fetching them where the hub can be reached.

    Args:
        name: An open_clip name, a folder (with or without "local-dir:"), "hf-hub:owner/model", "mini" or "mini2".
        pretrained: For an open_clip name, one of its tags or a file; nothing for weights drawn at random.

    Raises:
        MissingError: When the weights are not on this machine and cannot be fetched now, within seconds.
        InputError: For a folder that holds no CLIP.
        UsageError: For a name or tag there is not.
    """
    probe(name, pretrained)
    folder = _folder(name)
    if folder is not None:
        return _in_folder(folder)
    if name.startswith(HUB):
        return _in_folder(_fetched_folder(name, pretrained))
    return _built_in(name, pretrained)


def probe(name: str | None, pretrained: str | None) -> None:
    """Say at once, before anything heavy is imported, when open_clip's weights would come from a hub out of reach.

    Other models say so when they are loaded, and so do those that a checkpoint's card names, where `name` is None;
    `pretrained` None are the usual weights.
    """
    if name is None:
        return
    name = name.removeprefix(CLIP)
    is_here = pretrained is not None and (not pretrained or Path(pretrained).is_file())
    if _folder(name) is not None or not (name.startswith(HUB) or (is_architecture(name) and not is_here)):
        return
    if not any(_hub_cache().glob("models--*")):
        _require_hub(name, pretrained or "")


def bare_name(name: str) -> str:
    """Give the name that results carry: without the folder that a model came from."""
    folder = Path(name.removeprefix(FOLDER))
    return folder.name if name.startswith(FOLDER) or folder.is_dir() else name


def is_architecture(name: str) -> bool:
    """Say whether open_clip knows an architecture of this name, without importing it."""
    package = find_spec("open_clip")
    places = package.submodule_search_locations if package else None
    return any((Path(place) / "model_configs" / f"{name.replace('/', '-')}.json").is_file() for place in places or ())


def image_tower(name: str, pretrained: str) -> dict[str, Any]:
    """Read how a model of open_clip's describes its image tower; empty for what is no such model."""
    if name.startswith(HUB):
        name = find(name, pretrained).model
    folder = _folder(name)
    config: Any = None
    if folder is None:
        config = load("open_clip").get_model_config(name.replace("/", "-"))
    else:
        with suppress(OSError, ValueError):
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("model_cfg")
    tower = config.get("vision_cfg") if isinstance(config, dict) else None
    return tower if isinstance(tower, dict) else {}


def hub_file(repository: str, files: Sequence[str], name: str, pretrained: str) -> Path:
    """Find one of a repository's files, the first there is, fetching it where the hub can be reached."""
    hub = load("huggingface_hub")
    for file in files:
        found = hub.try_to_load_from_cache(repository, file)
        if isinstance(found, str):
            return Path(found)
    call = f"from s4tok.vision.weights import hub_file; hub_file('{repository}', {list(files)!r}, '{name}', '')"
    if reachable():
        for file in files:
            with suppress(Exception):  # the hub has many kinds of errors; what counts is that nothing came
                return Path(hub.hf_hub_download(repository, file))
    raise _out_of_reach(name, pretrained, call)


def _folder(name: str) -> Path | None:
    if name in CARRIED:
        if not CARRIED[name].is_dir():
            raise MissingError(
                f"this copy of s4tok came without the CLIP {name}.",
                "reinstall s4tok, or name a model with --clip.",
            )
        return CARRIED[name]
    if name.startswith(FOLDER):
        folder = Path(name.removeprefix(FOLDER)).expanduser()
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder.")
        return folder
    return Path(name) if Path(name).is_dir() else None


def _in_folder(folder: Path) -> Weights:
    if not (folder / CONFIG).is_file():
        raise InputError(
            f"{folder} holds no CLIP in open_clip's form: it has no {CONFIG}.",
            "a model from the hub has one; for a bare weight file, name the architecture: "
            "--clip ViT-B-16 --pretrained FILE.",
        )
    for pattern in WEIGHT_FILES[:3]:  # what open_clip finds in a folder
        files = sorted(folder.glob(pattern), key=lambda file: (not file.name.startswith("open_clip"), file.name))
        if files:
            return Weights(FOLDER + str(folder), files[0], {})
    raise InputError(f"{folder} has a {CONFIG} and no weights: no {', '.join(WEIGHT_FILES[:3])}.")


def _built_in(name: str, pretrained: str) -> Weights:
    open_clip = load("open_clip")
    name = name.replace("/", "-")
    models = open_clip.list_models()
    if name not in models:
        raise UsageError(
            f"open_clip knows no model {name!r}, and no such folder is there.",
            did_you_mean(name, models)
            or 'models are called "ViT-B-16", "hf-hub:owner/model", "mini2", or by a folder.',
        )
    if not pretrained:
        return Weights(name, None, {})
    if Path(pretrained).is_file():
        return Weights(name, Path(pretrained), _agreed_preprocessing(name))
    tag = open_clip.get_pretrained_cfg(name, pretrained)
    if not tag:
        tags = open_clip.list_pretrained_tags_by_model(name)
        raise UsageError(
            f"{name} has no weights {pretrained!r}, and no such file is there; it has: {', '.join(tags) or 'none'}.",
            did_you_mean(pretrained, tags),
        )
    # OpenAI's models were trained with another GELU than the architecture of the same name; open_clip only warns.
    return Weights(name, _tagged_file(name, pretrained, tag), _preprocessing(tag), bool(tag.get("quick_gelu")))


def _preprocessing(tag: dict[str, Any]) -> dict[str, Any]:
    return {key: tag[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in tag}


def _agreed_preprocessing(name: str) -> dict[str, Any]:
    """Take what all published weights of an architecture agree on; open_clip would take OpenAI's for any file."""
    open_clip = load("open_clip")
    tags = [open_clip.get_pretrained_cfg(name, tag) for tag in open_clip.list_pretrained_tags_by_model(name)]
    known = [_preprocessing(tag) for tag in tags]
    return known[0] if known and all(each == known[0] for each in known) else {}


def _tagged_file(name: str, pretrained: str, tag: dict[str, Any]) -> Path:
    hub = load("huggingface_hub")
    repository, _, file = str(tag.get("hf_hub", "")).rpartition("/")
    if repository:
        wanted = [file] if file else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
        if file.endswith((".bin", ".pth")):
            wanted.insert(0, file[:-4] + ".safetensors")
        for each in wanted:
            found = hub.try_to_load_from_cache(repository, each)
            if isinstance(found, str):
                return Path(found)
    _require_hub(name, pretrained)
    try:
        return Path(load("open_clip").download_pretrained(tag))
    except Exception as error:
        raise _out_of_reach(name, pretrained) from error


def _fetched_folder(name: str, pretrained: str) -> Path:
    """Keep a model of the hub as a folder: its config, one file of weights, and its tokenizer."""
    hub = load("huggingface_hub")
    repository = name.removeprefix(HUB)
    small = ["*.json", "*.txt", "*.model"]
    try:
        folder = Path(hub.snapshot_download(repository, local_files_only=True))
        if (folder / CONFIG).is_file() and any(file for kind in WEIGHT_FILES for file in folder.glob(kind)):
            return folder
    except (OSError, ValueError):
        pass  # not here yet
    _require_hub(name, pretrained)
    try:
        folder = Path(hub.snapshot_download(repository, allow_patterns=[*small, "open_clip*.safetensors"]))
        if not any(folder.glob("open_clip*.safetensors")):
            folder = Path(hub.snapshot_download(repository, allow_patterns=[*small, "open_clip*.bin"]))
    except Exception as error:
        raise _out_of_reach(name, pretrained) from error
    return folder


def _require_hub(name: str, pretrained: str) -> None:
    if not reachable():
        raise _out_of_reach(name, pretrained)


def _out_of_reach(name: str, pretrained: str, call: str = "") -> MissingError:
    call = call or f"from s4tok.vision.weights import find; find('{name}', '{pretrained}')"
    what = f"{name} ({pretrained})" if pretrained and not name.startswith(HUB) else name
    return MissingError(
        f"the weights of {what} are not on this machine, and the hub they come from cannot be reached.",
        f'on a login node, run: python -c "{call}" (they go to {_hub_cache()}); or copy them here and name the '
        "folder as the model, or the file with --pretrained. Those of --clip mini and mini2 come with s4tok.",
    )


def reachable() -> bool:
    """Say whether the hub, or the proxy in front of it, takes a connection."""
    constants = load("huggingface_hub.constants")
    if constants.HF_HUB_OFFLINE:
        return False
    address = urlsplit(constants.ENDPOINT)
    proxy = getproxies().get(address.scheme)
    if proxy and not proxy_bypass(address.hostname or ""):
        address = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname or "", port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def _hub_cache() -> Path:
    return Path(os.environ.get("HF_HUB_CACHE") or load("huggingface_hub.constants").HF_HUB_CACHE)

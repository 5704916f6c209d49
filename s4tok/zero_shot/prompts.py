"""The sentences that stand for a class: templates and names, from the sets that s4tok carries or from a file."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from s4tok.config import PROMPTS
from s4tok.errors import InputError, MissingError, UsageError, choose, did_you_mean
from s4tok.vision.weights import CARRIED

SETS = Path(__file__).parent / "prompts.toml"
TUNED = "pclipv2"  # PointCLIP V2's own; chosen on the labels of the test split, and its authors' to give
AUTO = "auto"  # in place of labels: names are proposed
BLANKS = {"whole": ("{}",), "part": ("{part}", "{category}"), "scene": ("{}",)}
SHAPE = 'a set of prompts looks like this: whole = ["a {}"], part = ["the {part} of a {category}"], scene = ["a {}"].'


@dataclass(frozen=True)
class Prompts:
    """A set of prompts; a kind of template may be empty, and then the set cannot be asked for it."""

    name: str
    whole: tuple[str, ...] = ()
    part: tuple[str, ...] = ()
    scene: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what a class is called, where not as itself
    sentences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # in place of a class's templates

    @property
    def sha256(self) -> str:
        """Hash what the prompts say, whatever the set is called and wherever it lies."""
        content = {name: value for name, value in asdict(self).items() if name != "name"}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    @property
    def identity(self) -> dict[str, str]:
        """Give what a result made with it has to remember."""
        return {"name": self.name, "sha256": self.sha256}

    def also_called(self, synonyms: Mapping[str, Sequence[str]]) -> "Prompts":
        """Give the set in which classes have these other names too, whose sentences stand for them as well."""
        names = {name: (*self.names.get(name, (name,)), *others) for name, others in synonyms.items()}
        return replace(self, names={**self.names, **names}) if names else self

    def of_object(self, name: str) -> list[str]:
        """Say that something is a whole object."""
        return self._said(name, "whole", {"{}": name})

    def of_part(self, part: str, category: str) -> list[str]:
        """Say that something is a part of an object of known category."""
        return self._said(f"{category}: {part}", "part", {"{part}": part, "{category}": category})

    def of_scene(self, name: str) -> list[str]:
        """Say that something stands in a scene."""
        return self._said(name, "scene", {"{}": name})

    def _said(self, key: str, kind: str, words: Mapping[str, str]) -> list[str]:
        if key in self.sentences:
            return list(self.sentences[key])
        templates: tuple[str, ...] = getattr(self, kind)
        if not templates:
            raise InputError(f"the prompts {self.name} have no sentence for {key!r} and no templates {kind!r}.", SHAPE)
        filled = list(templates)
        for blank, word in words.items():
            called = self.names.get(word, (word,))
            filled = [each.replace(blank, name) for each in filled for name in called]
        return filled


def load_prompts(name: str | Path) -> Prompts:
    """Load a set that s4tok carries by its name, or any other from its file.

    `pclipv2` stands for PointCLIP V2's prompts, which s4tok does not carry: they were searched for with the labels of
    the test split. It reads them where the user has put them.

    Raises:
        UsageError: For a name that no set has.
        InputError: For a file that is not there or no set of prompts.
        MissingError: For `pclipv2` where its file is not there.
    """
    path = Path(name)
    if str(name) == TUNED:
        path = PROMPTS / f"{TUNED}.toml"
        if not path.is_file():
            raise MissingError(
                "PointCLIP V2's prompts do not come with s4tok: they are its authors', and were chosen on test labels.",
                f"write them into {path}, as docs/zero-shot.md shows; the label-free prompts are the default.",
            )
    elif path.suffix != ".toml" and not path.is_file():
        sets = tomllib.loads(SETS.read_text(encoding="utf-8"))
        return _checked(str(name), choose("set of prompts", str(name), {**sets, TUNED: {}, "FILE.toml": {}}), SETS)
    if not path.is_file():
        raise InputError(
            f"{path}: there is no such file of prompts.", "the sets s4tok carries are mini, mini2 and clip."
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.", SHAPE) from error
    return _checked(path.stem, content, path)


def set_for(clip: str) -> str:
    """Name the set that suits a CLIP: those that s4tok carries have their own, the sentences they were trained on."""
    return clip if clip in CARRIED else "clip"


def read_labels(labels: str | Path | Sequence[object]) -> list[str]:
    """Take names, take them apart as in "chair, table, lamp", or read them from a .txt, one a line."""
    if isinstance(labels, Path) or (isinstance(labels, str) and "," not in labels and labels.strip().endswith(".txt")):
        words: Sequence[object] = _lines_of(Path(str(labels).strip()))
    else:
        words = labels.split(",") if isinstance(labels, str) else labels
    names = list[str]()
    for word in words:
        if not isinstance(word, str):
            raise UsageError(f"labels are words, and one of them is {word!r}.", 'for example ["chair", "table"].')
        names.append(" ".join(word.split()))
    names = [name for name in names if name]
    if not names:
        raise UsageError("--labels names nothing.", 'for example --labels "chair,table,lamp".')
    joined = next((name for name in names if ";" in name), None)
    if joined is not None:
        raise UsageError(f"--labels: {joined!r} has a semicolon.", "labels are separated by commas.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--labels names {twice!r} twice.", "name each once.")
    return names


def read_labels_of_whole(labels: str | Path | Sequence[object]) -> list[str]:
    """Read the labels of a whole cloud, of which none are proposed."""
    names = read_labels(labels)
    if names == [AUTO]:
        raise UsageError(
            f"--labels {AUTO} proposes labels of points, and of a whole cloud none.", 'for example "chair,table,lamp".'
        )
    return names


def require_labels(labels: Sequence[str], called: str) -> None:
    """Refuse clouds, by what they are called, of which nothing says what they, or their points, may be."""
    if not labels:
        raise UsageError(
            f"{called} has no labels of its own, and --labels names none.", "for example --labels chair,table,lamp."
        )


def read_synonyms(synonyms: str) -> dict[str, tuple[str, ...]]:
    """Read "sofa=couch=settee, tv=television", or a .txt with such a group a line: a label, and its other names."""
    is_file = "," not in synonyms and synonyms.strip().endswith(".txt")
    found = dict[str, tuple[str, ...]]()
    for group in _lines_of(Path(synonyms.strip()), "--synonyms") if is_file else synonyms.split(","):
        names = [" ".join(name.split()) for name in group.split("=")]
        if len(names) < 2 or not all(names) or names[0] in found:
            raise UsageError(
                f"--synonyms takes groups of names, and one of them is {group.strip()!r}.",
                'for example "sofa=couch=settee,tv=television"; the first of a group is the label.',
            )
        found[names[0]] = tuple(names[1:])
    return found


def _lines_of(path: Path, option: str = "--labels") -> list[str]:
    """Read a file of names; lines that are empty or begin with # are passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{option} {path} cannot be read: {reason}.", "such a file has one a line.") from error
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def _checked(name: str, content: Mapping[str, Any], path: Path) -> Prompts:
    """Refuse what is no set of prompts, and say where."""
    known = [*BLANKS, "names", "sentences"]
    for key, value in content.items():
        if key not in known:
            raise InputError(f"{path}: no part of a set of prompts is called {key!r}.", did_you_mean(key, known))
        if key in BLANKS:
            for template in _texts(value, key, path):
                if any(template.count(blank) != 1 for blank in BLANKS[key]):
                    wanted = " and ".join(BLANKS[key])
                    raise InputError(f"{path}: the template {template!r} of {key!r} must hold {wanted} once.", SHAPE)
        elif not isinstance(value, Mapping):
            raise InputError(f"{path}: {key} must be a table, and is {value!r}.")
    if not any(content.get(key) for key in (*BLANKS, "sentences")):
        raise InputError(f"{path} holds no prompts.", SHAPE)
    names, sentences = (
        {each: _texts(said, each, path) for each, said in content.get(table, {}).items()}
        for table in ("names", "sentences")
    )
    whole, part, scene = (tuple(content.get(kind, ())) for kind in BLANKS)
    return Prompts(name, whole, part, scene, names, sentences)


def _texts(value: Any, key: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each.strip() for each in value):
        raise InputError(f"{path}: {key!r} must be a list of sentences, and is {value!r}.", SHAPE)
    return tuple(value)

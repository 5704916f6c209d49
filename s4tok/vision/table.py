"""The 2D models by name."""

from collections.abc import Callable, Mapping

from s4tok.config import ClipConfig
from s4tok.errors import choose
from s4tok.plugins import Table
from s4tok.vision.clip import ClipTeacher
from s4tok.vision.teacher import Teacher

TEACHERS: Mapping[str, Callable[[ClipConfig, str], Teacher]] = Table("s4tok.vision", {"clip": ClipTeacher.load})


def load_teacher(config: ClipConfig, device: str) -> Teacher:
    """Load the teacher that the config names."""
    return choose("teacher", config.teacher, TEACHERS)(config, device)

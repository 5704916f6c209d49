"""Listeners that keep what they hear: notes, or warnings."""

from s4tok_pipelines.report import Report


class Notes(Report):
    """Listen for notes alone."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


class Warnings(Report):
    """Listen for warnings alone."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, text: str) -> None:
        self.said.append(text)

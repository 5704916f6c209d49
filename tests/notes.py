"""A listener that keeps the notes it hears."""

from s4tok_pipelines.report import Report


class Notes(Report):
    """Listen for notes alone."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

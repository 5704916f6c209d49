import pytest

from s4tok.errors import InputError
from s4tok_pipelines.training.ranks import Ranks


def test_what_the_first_process_cannot_make_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[int] = []
    monkeypatch.setattr(Ranks, "wait", lambda ranks: met.append(ranks.rank))

    def make() -> int:
        raise InputError("no scene has boxes.")

    for rank in (0, 1):
        with pytest.raises(InputError, match="no scene has boxes"):
            Ranks(rank, 2).first_makes(make)
    assert met == [0, 1]
    assert (Ranks(0, 2).first_makes(lambda: len(met)), Ranks(1, 2).first_makes(lambda: len(met))) == (2, 4)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s4tok_cache import CacheUsage, Shard


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.text(min_size=1), st.integers(0, 10**9), max_size=60), st.integers(1, 9))
def test_shards_share_out_everything_once_and_as_evenly_as_cards(sizes: dict[str, int], count: int) -> None:
    hands = [Shard(number, count).deal(sizes) for number in range(count)]
    assert sorted(key for hand in hands for key in hand) == sorted(sizes)
    assert max(map(len, hands)) - min(map(len, hands)) <= 1
    weights = [sum(sizes[key] for key in hand) for hand in hands]
    assert max(weights) - min(weights) <= max(sizes.values(), default=0)


def test_the_largest_are_dealt_first() -> None:
    sizes = {"a": 1, "b": 9, "c": 5, "d": 9}  # from the largest: b, d, c, a
    assert [Shard(number, 3).deal(sizes) for number in range(3)] == [["a", "b"], ["d"], ["c"]]


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        (None, {}, Shard(0, 1)),
        ("2/8", {}, Shard(2, 8)),
        ("auto", {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"}, Shard(3, 8)),
        ("auto", {"SLURM_ARRAY_TASK_ID": "8", "SLURM_ARRAY_TASK_COUNT": "8", "SLURM_ARRAY_TASK_MIN": "1"}, Shard(7, 8)),
        (
            "auto",  # --array=0-30:10
            {
                "SLURM_ARRAY_TASK_ID": "20",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_ARRAY_TASK_MIN": "0",
                "SLURM_ARRAY_TASK_MAX": "30",
            },
            Shard(2, 4),
        ),
        ("auto", {"SLURM_PROCID": "1", "SLURM_NTASKS": "4"}, Shard(1, 4)),
    ],
)
def test_a_shard_is_read_from_text_or_from_slurm(text: str | None, environment: dict[str, str], shard: Shard) -> None:
    assert Shard.parse(text, environment) == shard


def test_tasks_run_again_alone_share_out_all_work_between_them() -> None:
    again = {"SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "7"}
    shards = [Shard.parse("auto", {**again, "SLURM_ARRAY_TASK_ID": task}) for task in ("3", "7")]
    assert shards == [Shard(0, 2), Shard(1, 2)]


@pytest.mark.parametrize("text", ["8/8", "1/0", "-1/4", "1", "a/b", "", "1/2/3", "1/99999", "١/٢"])
def test_a_shard_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(CacheUsage) as caught:
        Shard.parse(text, {})
    assert caught.value.hint


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "found neither SLURM_ARRAY_TASK_ID nor SLURM_PROCID"),
        ({"SLURM_ARRAY_TASK_ID": "1"}, "SLURM_ARRAY_TASK_COUNT is not set"),
        ({"SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_COUNT": "1"}, "'x', which is no number"),
        (  # --array=1,2,5
            {
                "SLURM_ARRAY_TASK_ID": "2",
                "SLURM_ARRAY_TASK_COUNT": "3",
                "SLURM_ARRAY_TASK_MIN": "1",
                "SLURM_ARRAY_TASK_MAX": "5",
            },
            "no even row of shards",
        ),
    ],
)
def test_slurm_variables_that_tell_no_shard_are_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(CacheUsage, match=sentence):
        Shard.parse("auto", environment)

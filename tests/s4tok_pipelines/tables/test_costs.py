import pytest

from s4tok_pipelines.tables.costs import ALLOWANCE, Plan


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(3, 1, 0, 100 / ALLOWANCE), "t: 3 to measure, 1 result there already; at most 100 seconds of one core"),
        (Plan(0, 0, 2, 3601 / ALLOWANCE), "t: nothing to measure, 2 checkpoints to train; at most 61 minutes of"),
        (Plan(1, 0, 40, 36_000 / ALLOWANCE), "t: 1 to measure, 40 checkpoints to train; at most 10 hours of one core"),
    ],
)
def test_what_is_to_be_done_is_announced_with_its_time_and_machine(plan: Plan, says: str) -> None:
    assert plan.said("t", is_known=True).startswith(says)
    assert plan.said("t", is_known=True).endswith("as measured on a 2-core x86-64 VM, Debian 12, no GPU")
    unknown = plan.said("t", is_known=False)
    assert "of one core" not in unknown
    assert "synthetic data and the mini CLIP alone" in unknown


def test_plans_add_up() -> None:
    assert Plan(1, 2, 3, 4.0) + Plan(5, 6, 7, 8.0) == Plan(6, 8, 10, 12.0)

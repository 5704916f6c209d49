from s4tok_pipelines.report import Failure, all_failed


def test_where_the_only_cloud_failed_its_reason_is_all_there_is_to_say() -> None:
    broken = Failure("a.ply", "a.ply: is empty.")
    assert str(all_failed([broken], "segmented")) == "a.ply: is empty."
    both = [broken, Failure("b.ply", "b.ply: is empty too.")]
    assert str(all_failed(both, "grouped")) == "none of 2 clouds can be grouped: a.ply: is empty."

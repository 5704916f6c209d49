from s4tok_pipelines.outputs.labelled_clouds import stems_of


def test_files_are_named_after_a_cloud_and_no_two_clouds_share_a_name() -> None:
    keys = ("hall/scan.ply", "hall/scan.las", "attic.v2.npy", "room_1", "train-1.5")
    assert stems_of(keys) == {
        "hall/scan.ply": "hall/scan.ply",
        "hall/scan.las": "hall/scan.las",
        "attic.v2.npy": "attic.v2",
        "room_1": "room_1",
        "train-1.5": "train-1.5",
    }

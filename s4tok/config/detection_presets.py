"""The presets of `finetune --task detection`: 3DETR's recipes and GroupFree3D's, and one for two cores."""

from dataclasses import replace

from s4tok.config.detection import BoxLossConfig, DetectorConfig, GroupFreeLossConfig
from s4tok.config.finetune import FinetuneConfig, FinetuneRecipe
from s4tok.config.kinds import NO_CHECKPOINT, DetectionPreset
from s4tok.config.pretrain import RunConfig


def detection_recipe(preset: DetectionPreset) -> FinetuneRecipe:
    """Give a preset's numbers; those of `toy` and `ablation` are meant for comparisons at a budget that is the same."""
    training = FinetuneConfig(  # an epoch is ten passes, since it ends with a validation: 1,080 passes in all
        train="all", learning_rate=5e-4, weight_decay=0.1, clip_gradient=0.1, batch=8, epochs=108, repeats=10,
        warmup_epochs=1, scale_range=(1.0, 1.0), shift=0.0, flip=0.5, rotate=5.0, validation_clouds=10_000,
    )  # fmt: skip
    rooms = FinetuneRecipe(
        training, detector=DetectorConfig(), boxes=BoxLossConfig(crop=(0.5, 1.0)), task="detection",
        checkpoint=NO_CHECKPOINT,
    )  # fmt: skip
    if preset == "scannet":
        return rooms
    if preset == "ablation":  # of 3DETR's published curve, the shortest; it tells methods apart already
        return replace(rooms, training=replace(training, epochs=9))
    if preset == "sunrgbd":
        boxes = BoxLossConfig(
            match_giou=3.0, match_center=5.0, match_objectness=5.0, no_object=0.1, giou_weight=0.0, crop=(0.75, 1.0),
            crop_likeness=0.75, mirror="x",
        )  # fmt: skip
        return replace(
            rooms, training=replace(training, learning_rate=7e-4, rotate=30.0, scale_range=(0.85, 1.15)),
            detector=DetectorConfig(n_points=20_000, queries=128, angles=12), boxes=boxes,
        )  # fmt: skip
    if preset.startswith("groupfree"):
        return _group_free(rooms if preset == "groupfree-scannet" else detection_recipe("sunrgbd"))
    return _reduced(rooms)


def _group_free(known: FinetuneRecipe) -> FinetuneRecipe:
    """Give GroupFree3D's numbers in place of 3DETR's: a PointNet++, six layers, 256 queries.

    The rate falls along a cosine, where theirs falls tenfold at 280 and 340 of 400 passes; at 420, 480 and 540 of 600.
    A batch is that of their four GPUs.
    """
    detector = replace(
        known.detector, encoder="pointnet++", n_points=50_000, n_tokens=1024, adapter_widths=(64, 64, 128), width=288,
        heads=8, decoder_layers=6, decoder_hidden=2048, queries=256, decoder="groupfree",
    )  # fmt: skip
    training = replace(known.training, learning_rate=6e-3, weight_decay=5e-4, batch=32, epochs=40)
    if detector.angles == 1:
        return replace(known, detector=detector, training=training)
    losses = GroupFreeLossConfig(
        query_weight=0.2, objectness_weight=0.4, center_delta=0.1111, size_delta=0.0625, residual_delta=0.04,
        decoder_rate=0.05,
    )  # fmt: skip
    return replace(
        known, detector=replace(detector, n_points=20_000, sizes="free"), group_free=losses,
        training=replace(training, learning_rate=4e-3, weight_decay=1e-8, epochs=60),
    )  # fmt: skip


def _reduced(rooms: FinetuneRecipe) -> FinetuneRecipe:
    """Give 3DETR for two cores: a tenth of the points, half as wide, half as deep.

    With half the queries their reach is twice as far. Eight toy-scans are overfitted (AP25 .98); with 64 queries,
    within whose usual 0.5 m 15 of their 123 boxes have none, AP25 ends at .90. The plain transformer has the size in
    which the SAM-guided system is trained on two cores.
    """
    guided = RunConfig.of("sam-stage2-toy")
    tokenizer = replace(rooms.tokenizer, adapter_widths=guided.tokenizer.adapter_widths)
    detector = DetectorConfig(
        n_points=4096, n_tokens=256, radius=0.3, neighbors=32, adapter_widths=(32, 64, 128), encoder_hidden=128,
        encoder_layers=2, width=128, decoder_layers=4, decoder_hidden=128, queries=128, angles=12, reach=1.0,
        dropout=0.0, head_dropout=0.0,
    )  # fmt: skip
    training = replace(
        rooms.training, learning_rate=1e-3, weight_decay=0.01, second_moment=0.98, epochs=30, clip_gradient=1.0,
        rotate=180.0, scale_range=(0.9, 1.1), validation_clouds=32,
    )  # fmt: skip
    boxes, group_free = BoxLossConfig(match_center=5.0, no_object=0.25), GroupFreeLossConfig(decoder_rate=1.0)
    return replace(
        rooms, training=training, tokenizer=tokenizer, backbone=guided.backbone, detector=detector, boxes=boxes,
        group_free=group_free,
    )  # fmt: skip

"""The tables of the S4Token paper, but for Table 2: rows, columns, and the figures that it prints."""

from collections.abc import Mapping
from typing import Any

from s4tok.config import NO_CHECKPOINT
from s4tok_pipelines.tables.spec import (
    ABOUT_MEANS,
    ABOUT_ROOMS,
    MIOU_C,
    MIOU_I,
    SYNTHETIC_CUT,
    THREE_MEANS,
    Asked,
    Method,
    Printed,
    Recipe,
    Spec,
    printed,
)

SOURCE = "Self-Supervised and Generalizable Tokenization for CLIP-Based 3D Understanding (S4Token)"
PARTS = "parts"
CONTEXT, UNIVERSAL = "S4Token, context", "S4Token, universal"
TITLES = {"knn": "kNN", "spt": "SPT", "knn+rpn": "kNN+RPN", "ball+rpn": "ball+RPN", "spt+rpn": "SPT+RPN",
          "knn+rpn+spt": "kNN+RPN+SPT", "s4token": "S4Token", "s4token+context": CONTEXT}  # fmt: skip
TABLE_1 = {"knn": (0.834, 0.853), "ball": (0.833, 0.852), "spt": (0.834, 0.852), "knn+rpn": (0.838, 0.857),
           "ball+rpn": (0.837, 0.856), "spt+rpn": (0.838, 0.856), "knn+rpn+spt": (0.841, 0.858),
           "s4token": (0.840, 0.859), "s4token+context": None}  # fmt: skip
TABLE_7 = {4: (0.547, 0.716), 8: (0.551, 0.719), 16: (0.558, 0.721), 24: (0.558, 0.723), 32: (0.557, 0.721)}
CATEGORIES = ("airplane", "bag", "cap", "chair", "earphone", "guitar", "knife", "laptop", "mug", "table")
TABLE_3 = {
    "pointclipv2": (0.495, (0.335, 0.604, 0.528, 0.515, 0.565, 0.715, 0.667, 0.616, 0.480, 0.611)),
    "geoze": (0.574, (0.336, 0.702, 0.647, 0.661, 0.637, 0.736, 0.779, 0.740, 0.632, 0.638)),
    "partdistill-tta": (0.538, (0.375, 0.626, 0.555, 0.564, 0.556, 0.717, 0.769, 0.674, 0.535, 0.629)),
    "partdistill-pre": (0.639, (0.406, 0.756, 0.672, 0.650, 0.663, 0.858, 0.798, 0.926, 0.831, 0.687)),
    "s4token": (0.723, (0.759, 0.683, 0.723, 0.871, 0.698, 0.881, 0.852, 0.939, 0.900, 0.804)),
}
OTHERS_3 = {"pointclipv2": "PointCLIPv2", "geoze": "GeoZe", "partdistill-tta": "PartDistill (TTA)",
            "partdistill-pre": "PartDistill (Pre)"}  # fmt: skip


ALONE = {"tokenizer.tokenizer": "s4token"}
WITHOUT_WORDS = {"head.head_start": "nothing"}  # as the paper's heads begin, and the small preset's does not
PROBE = {"task": "parts", "training.train": "head", "head.head": "probe", **WITHOUT_WORDS}


def _by(loss: str, through: str) -> Mapping[str, Any]:
    return {"training.loss": loss, "training.distill_pass": through}


def _means(miou_c: float, miou_i: float) -> Printed:
    return {(PARTS, MIOU_C): miou_c, (PARTS, MIOU_I): miou_i}


AS_TRAINED = {"superpoints": SYNTHETIC_CUT}


def _pretrained(changes: Mapping[str, Any]) -> Recipe:
    return Recipe("pretrain", "objects", changes, on_synthetic=AS_TRAINED)


_ON_SCANS = Recipe(
    "pretrain", "scans", {**ALONE, "training.window": 2.0, "training.windows": 32},
    on_synthetic={"training.epochs": 20, **AS_TRAINED},
)  # fmt: skip
_ON_PARTS = Asked(PARTS, "parts", THREE_MEANS, "ShapeNetPart")

TABLE1 = Spec(
    "table1",
    "Table 1: tokenizers trained with labels for part segmentation",
    SOURCE,
    (_ON_PARTS,),
    tuple(
        Method(
            f"table1-{name}", TITLES.get(name, name), {} if paper is None else _means(*paper), tasks=("parts",),
            finished={"parts": name},
            recipe=Recipe("finetune", "parts-train", {
                "task": "parts", "training.train": "all", "tokenizer.tokenizer": name, "checkpoint": NO_CHECKPOINT,
            }),
        )
        for name, paper in TABLE_1.items()
    ),
    (ABOUT_MEANS,),
    "How much each choice of patches is worth where everything is trained with labels; it says nothing of zero-shot.",
)  # fmt: skip

# Table 2's rows as --train makes them; examples/checkpoints has more.
TABLE2_ROWS = Spec(
    "table2", "Table 2", SOURCE, (),
    (
        *(
            Method(name, name, recipe=_pretrained({"tokenizer.tokenizer": name}))
            for name in ("knn", "knn-sphere", "knn+rpn", "s4token")
        ),
        Method("s4token-scans", "s4token-scans", recipe=_ON_SCANS),
    ),
)  # fmt: skip

TABLE3 = Spec(
    "table3",
    "Table 3: open-vocabulary part segmentation",
    SOURCE,
    (_ON_PARTS,),
    (
        *(printed(name, title, {(PARTS, MIOU_I): TABLE_3[name][0]}) for name, title in OTHERS_3.items()),
        Method("s4token", "S4Token", {(PARTS, MIOU_I): TABLE_3["s4token"][0]}, recipe=_pretrained(ALONE)),
        Method("s4token+context", CONTEXT),
        Method("universal", UNIVERSAL),
    ),
    (
        ABOUT_MEANS,
        "The paper prints one mIoU a method: its own, 72.3, is mIoU_I in its Table 6, those of others are category "
        "means. They stand in one column here as they do there; the difference of the two is no result.",
        "Prompts know no label of the test split unless `--prompts pclipv2` asks for those of PointCLIP V2.",
    ),
    "How well parts are found by name, without labels; the paper's own figure mixes two means with its baselines'.",
    by_category=True,
    categories={name: dict(zip(CATEGORIES, each, strict=True)) for name, (_, each) in TABLE_3.items()},
)


def _rooms(scannet: tuple[float, float] | None, s3dis: tuple[float, float] | None) -> Printed:
    found = {"scannet": scannet, "s3dis": s3dis}
    return {(role, name): each[place] for role, each in found.items() if each is not None
            for place, name in enumerate(("miou", "macc"))}  # fmt: skip


_IN_ROOMS = {"miou": "mIoU", "macc": "mAcc", "furniture_miou": "furniture"}

TABLE4 = Spec(
    "table4",
    "Table 4: annotation-free semantic segmentation",
    SOURCE,
    (Asked("scannet", "rooms", _IN_ROOMS, "ScanNet"), Asked("s3dis", "rooms", _IN_ROOMS, "S3DIS")),
    (
        printed("maskclip-3d", "MaskCLIP-3D (2D)", _rooms((0.097, 0.216), None)),
        printed("clip-fo3d-2d", "CLIP-FO3D (2D)", _rooms((0.276, 0.477), None)),
        printed("openscene-2d", "OpenScene, LSeg (2D)", _rooms((0.500, 0.627), None)),
        printed("clip-fo3d", "CLIP-FO3D", _rooms((0.302, 0.491), (0.223, 0.328))),
        printed("openscene", "OpenScene, LSeg", _rooms((0.542, 0.666), None)),
        printed("cus3d", "CUS3D", _rooms((0.574, 0.759), (0.536, 0.726))),
        Method("s4token-scans", "S4Token", _rooms((0.543, 0.694), (0.475, 0.574)),
               recipe=_ON_SCANS),
        Method("s4token-scans-segments", "S4Token, ScanNet's segments", checkpoint="s4token-scans", segments=True),
        Method("s4token+context-scans", CONTEXT),
        Method("s4token+context-rooms", "S4Token, context, both datasets"),
        Method("universal", UNIVERSAL),
    ),
    (
        ABOUT_ROOMS,
        "ScanNet's segments are what its annotators painted; the row that uses them stands apart, and the synthetic "
        "data "
        "have none.",
    ),
    "How well rooms are labelled by name, without labels; superpoints decide part of it, so both kinds are shown.",
)  # fmt: skip

TABLE5 = Spec(
    "table5",
    "Table 5: zero-shot classification",
    SOURCE,
    tuple(
        Asked(role, "objects", {"accuracy": "accuracy"}, paper)
        for role, paper in (
            ("modelnet40", "ModelNet40"), ("obj-only", "S-OBJ-ONLY"), ("obj-bg", "S-OBJ-BG"),
            ("pb-t50-rs", "S-PB-T50-RS"),
        )
    ),
    (
        *(
            printed(name, title, dict(zip([(role, "accuracy") for role in
                    ("modelnet40", "obj-only", "obj-bg", "pb-t50-rs")], each, strict=True)))
            for name, title, each in (
                ("pointclipv2", "PointCLIPv2", (0.642, 0.501, 0.412, 0.354)),
                ("geoze", "GeoZe", (0.702, 0.593, 0.460, 0.399)),
            )
        ),
        Method("s4token", "S4Token", {("modelnet40", "accuracy"): 0.746, ("obj-only", "accuracy"): 0.623,
               ("obj-bg", "accuracy"): 0.513, ("pb-t50-rs", "accuracy"): 0.449}, recipe=_pretrained(ALONE)),
        Method("s4token+context", CONTEXT),
        Method("universal", UNIVERSAL),
    ),
    (
        "All columns are asked of the same checkpoint, trained on whole objects; the paper does not say which it used.",
        "The synthetic data have no scanned objects, so ScanObjectNN's columns stay empty on them.",
    ),
    "How often a whole object is called by its name, without labels.",
)  # fmt: skip


def _loss(name: str, title: str, paper: Printed, loss: str, through: str) -> Method:
    """Make a row of Table 6."""
    return Method(name, title, paper, recipe=_pretrained({**ALONE, **_by(loss, through)}))


TABLE6 = Spec(
    "table6",
    "Table 6: losses",
    SOURCE,
    (_ON_PARTS,),
    (
        _loss("table6-total-masked", "total", _means(0.558, 0.723), "total", "masked"),
        _loss("table6-total-both", "total, distilled from both passes", {}, "total", "both"),
        _loss("table6-assign", "assignment alone", _means(0.428, 0.617), "assign", "masked"),
        Method(
            "table6-assign-probe", "assignment alone, linear probe", tasks=("parts",),
            recipe=Recipe("finetune", "parts-train", PROBE, begin="table6-assign"),
        ),
        _loss("table6-distill-masked", "distillation alone", _means(0.551, 0.715), "distill", "masked"),
        Method("s4token", "distillation alone, full pass", recipe=_pretrained(ALONE)),
    ),
    (
        ABOUT_MEANS,
        "Trained by assignment alone, features never meet a text, so labels by prompts are near chance; the linear "
        "probe "
        "learns one layer from labels and says what the features hold. The paper does not say how it got 42.8 and "
        "61.7.",
    ),
    "What each loss adds; the row of assignment alone cannot be compared with the paper's, whose way of labelling is "
    "not "
    "printed.",
)  # fmt: skip

TABLE7 = Spec(
    "table7",
    "Table 7: number of clusters",
    SOURCE,
    (_ON_PARTS,),
    tuple(
        Method(
            f"table7-clusters-{count}", f"K = {count}", _means(*paper),
            checkpoint="table6-total-both" if count == 24 else "",
            recipe=_pretrained({**ALONE, **_by("total", "both"), "clusters.n_clusters": count}),
        )
        for count, paper in TABLE_7.items()
    ),
    (ABOUT_MEANS, "Distilled from both passes; the paper's rows differ by 1.1 points at most and have no deviation."),
    "Whether the number of clusters matters; differences below the deviation of seeds are none.",
)  # fmt: skip

TABLE_A = Spec(
    "tableA",
    "Table A: fine-tuned for parts and for rooms",
    SOURCE,
    (
        Asked(PARTS, "parts", {MIOU_C: "mIoU_C", MIOU_I: "mIoU_I"}, "ShapeNetPart"),
        Asked("s3dis", "rooms", {"macc": "mAcc", "miou": "mIoU"}, "S3DIS"),
    ),
    (
        *(
            printed(name, title, {**_means(*parts), ("s3dis", "macc"): macc, ("s3dis", "miou"): miou})
            for name, title, parts, macc, miou in (
                ("point-mae", "Point-MAE", (0.842, 0.861), 0.699, 0.608),
                ("pcp-mae", "PCP-MAE", (0.849, 0.861), 0.710, 0.613),
                ("pix4point", "Pix4Point", (0.856, 0.868), 0.752, 0.696),
                ("epcl", "EPCL", (0.852, 0.864), 0.778, 0.715),
            )
        ),
        Method("tableA-parts", "S4Token, parts", _means(0.854, 0.873), tasks=("parts",),
               recipe=Recipe("finetune", "parts-train", {"task": "parts", **WITHOUT_WORDS}, "s4token")),
        Method("tableA-parts-anew", "the same, not pre-trained", tasks=("parts",),
               recipe=Recipe("finetune", "parts-train", {
                   "task": "parts", "training.train": "tokenizer,head", "checkpoint": NO_CHECKPOINT, **ALONE,
                   **WITHOUT_WORDS,
               })),
        *(
            Method(
                f"tableA-{protocol}", f"S4Token, {protocol}",
                {("s3dis", "macc"): 0.793, ("s3dis", "miou"): 0.726} if protocol == "block-4096" else {},
                tasks=("rooms",),
                recipe=Recipe(
                    "finetune", "s3dis-train", {"task": "scenes", "protocol": protocol, **WITHOUT_WORDS},
                    "s4token-scans",
                ),
            )
            for protocol in ("block-2048", "block-4096", "rooms")
        ),
    ),
    (
        ABOUT_MEANS,
        ABOUT_ROOMS,
        "Three protocols of S3DIS whose figures do not compare: block-2048 (ACT's), block-4096 (OcCo's, which the "
        "paper "
        "names) and whole rooms.",
    ),
    "What the tokenizer is worth as a start for learning from labels.",
)  # fmt: skip

"""The tables of the poster of the SAM-guided system: rows, columns, and the figures that it prints."""

from s4tok_pipelines.tables.spec import ABOUT_ROOMS, Asked, Method, Printed, Spec, printed

SOURCE = "SAM-guided masked token prediction (poster)"
NOT_BUILT, NOT_RUN = "not implemented", "not run"
FROM_STUDIES = (
    "Rows are read from the results of examples/studies (--checkpoints FOLDER). Those of the synthetic data are "
    "fine-tuned and measured on toy-scans."
)
DETECTION, SCENES = ("sun-rgbd", "scannet-boxes"), ("s3dis", "scannet")
AP, MEANS = ("ap25", "ap50"), ("miou", "macc")


def _of(roles: tuple[str, ...], figures: tuple[str, ...], values: tuple[float | None, ...]) -> Printed:
    places = [(role, figure) for role in roles for figure in figures]
    return {place: value for place, value in zip(places, values, strict=True) if value is not None}


def _detected(name: str, title: str, *values: float | None, lacks: str = "") -> Method:
    paper = _of(DETECTION, AP, values)
    return Method(name, title, paper, lacks=lacks) if lacks else printed(name, title, paper)


def _segmented(name: str, title: str, *values: float | None, finished: str = "") -> Method:
    paper = _of(SCENES, MEANS, values)
    return Method(f"sam-{name}", title, paper, finished=finished) if finished else printed(name, title, paper)


_MIOU = {"miou": "mIoU", "macc": "mAcc"}
_AP = {"ap25": "AP25", "ap50": "AP50"}
_BOXES = (Asked("sun-rgbd", "rooms", _AP, "SUN RGB-D"), Asked("scannet-boxes", "rooms", _AP, "ScanNet"))

SAM_DETECTION = Spec(
    "sam-detection",
    "3D object detection",
    SOURCE,
    _BOXES,
    (
        _detected("3detr", "3DETR", 0.580, 0.303, 0.621, 0.379),
        _detected("3detr-plain", "3DETR, plain transformer", 0.576, 0.319, 0.611, 0.386),
        _detected("3detr-pimae", "PiMAE", 0.599, 0.337, 0.630, 0.402),
        _detected("3detr-bridge3d", "Bridge3D", 0.618, 0.371, 0.653, 0.442),
        _detected("sam-3detr", "SAM-guided, 3DETR", 0.635, 0.395, 0.682, 0.484, lacks=NOT_RUN),
        _detected("groupfree3d", "GroupFree3D", 0.630, 0.452, 0.673, 0.489),
        _detected("groupfree3d-bridge3d", "Bridge3D, GroupFree3D", 0.679, 0.485, 0.691, 0.529),
        _detected("sam-groupfree3d", "SAM-guided, GroupFree3D", 0.689, 0.521, 0.723, 0.557, lacks=NOT_BUILT),
    ),
    (
        "`s4tok finetune --task detection` trains the first row of ours, which was not run as the poster has it; "
        "GroupFree3D is not part of this version. The rows have the poster's figures alone.",
    ),
    "What the poster prints; nothing is measured here yet.",
)

SAM_SEGMENTATION = Spec(
    "sam-segmentation",
    "3D semantic segmentation",
    SOURCE,
    (Asked("s3dis", "rooms", _MIOU, "S3DIS"), Asked("scannet", "rooms", _MIOU, "ScanNet")),
    (
        _segmented("plain", "plain transformer", 0.611, 0.672, 0.673, 0.731, finished="plain"),
        _segmented("point-mae", "Point-MAE", 0.648, 0.702, None, None),
        _segmented("bridge3d", "Bridge3D", 0.702, 0.761, 0.739, 0.802),
        _segmented("all", "SAM-guided", 0.718, 0.782, 0.754, 0.815, finished="all"),
    ),
    (ABOUT_ROOMS, FROM_STUDIES),
    "What pre-training by regions adds to a plain transformer that is fine-tuned to label scenes.",
)  # fmt: skip

SAM_ABLATION = Spec(
    "sam-ablation",
    "Components of the SAM-guided system",
    SOURCE,
    (Asked("scannet-boxes", "rooms", _AP, "ScanNet"), Asked("s3dis", "rooms", _MIOU, "S3DIS"),
     Asked("scannet", "rooms", _MIOU)),
    (
        *(
            Method(
                f"sam-{name}", title,
                {("scannet-boxes", "ap25"): each[0], ("scannet-boxes", "ap50"): each[1], ("s3dis", "miou"): each[2],
                 ("s3dis", "macc"): each[3]},
                finished=name,
            )
            for name, title, each in (
                ("plain", "plain transformer", (0.611, 0.386, 0.611, 0.672)),
                ("dense", "dense distillation", (0.624, 0.417, 0.662, 0.713)),
                ("masked", "masked tokens too", (0.645, 0.443, 0.687, 0.741)),
                ("balanced", "re-weighted too", (0.660, 0.461, 0.697, 0.759)),
                ("regions", "SAM-guided tokens, not re-weighted", (0.671, 0.470, 0.709, 0.770)),
                ("all", "all components", (0.682, 0.484, 0.718, 0.782)),
            )
        ),
        *(
            Method(f"sam-{name}", title, finished=name)
            for name, title in (
                ("stage1-only", "stage 1 alone"), ("both-at-once", "both losses at once"),
                ("ema-teacher", "EMA teacher"), ("no-teacher", "no teacher"),
                ("balance-inverse", "inverse frequency"), ("balance-effective", "effective number"),
            )
        ),
    ),
    (
        ABOUT_ROOMS,
        FROM_STUDIES + " Boxes are not measured there.",
        "The poster marks each row's components by ticks; their reading here is that of examples/studies.",
    ),
    "What each component adds to scenes that are labelled after fine-tuning.",
)  # fmt: skip

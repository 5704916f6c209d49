"""The tables of the poster of the SAM-guided system: rows, columns, and the figures that it prints."""

from collections.abc import Mapping
from typing import Any

from s4tok.config import detection_recipe
from s4tok_pipelines.tables.spec import ABOUT_ROOMS, Asked, Method, Printed, Recipe, Spec, Task, printed

SOURCE = "SAM-guided masked token prediction (poster)"
GUIDED = "sam-stage2-region-paper"  # all of the system, before it is fine-tuned
BOXES, SUN = "scannet-boxes", "sun-rgbd"
SCENES = ("s3dis", "scannet")
AP, MEANS = {"ap25": "AP25", "ap50": "AP50"}, {"miou": "mIoU", "macc": "mAcc"}
FEW = {"training.labels_fraction": 0.1, "training.repeats": 10}  # of the labels of points, on the synthetic data

ABOUT_BOXES = (
    "AP25 and AP50 are means over five samples of each scene, as 3DETR counts them: every box once for each class. "
    "What boxes score that are drawn at random is not measured."
)
ABOUT_SYNTHETIC = (
    "On the synthetic data toy-scans stand for ScanNet and toy-rooms for SUN RGB-D and S3DIS; labels of points are "
    "learned from a tenth of the rooms."
)
ABOUT_PRETRAINING = (
    "Both stages are pre-trained on frames of ScanNet, or of toy-scans. Fine-tuned, points are grouped by nearest "
    "neighbours, whatever was pre-trained, since whole scenes have no masks."
)
FROM_STUDIES = "Figures are also read from the results of examples/studies (--checkpoints FOLDER)."


def _stage(name: str, changes: Mapping[str, Any], begin: str = "") -> Method:
    """Make a run of stage 1 or 2; stage 2 names its teacher."""
    preset = "sam-stage1" if name.startswith("stage1") else "sam-stage2"
    begin = f"sam-{begin}" if begin else ""
    return Method(f"sam-{name}", "", recipe=Recipe("pretrain", "scans", changes, begin, preset))


def _tokens(tokenizer: str, balance: str) -> dict[str, Any]:
    return {"tokenizer.tokenizer": tokenizer, "regions.balance": balance}


STAGES = (
    _stage("stage1-knn", _tokens("knn", "none")),
    _stage("stage1-knn-paper", _tokens("knn", "paper")),
    *(
        _stage(f"stage1-region{of}", _tokens("region", balance))
        for of, balance in (("", "none"), ("-paper", "paper"), ("-inverse", "inverse"), ("-effective", "effective"))
    ),
    *(_stage(f"stage2-knn{of}", {"tokenizer.tokenizer": "knn"}, f"stage1-knn{of}") for of in ("", "-paper")),
    *(_stage(f"stage2-region{of}", {}, f"stage1-region{of}") for of in ("", "-paper", "-inverse", "-effective")),
    _stage("stage2-ema", {"regions.teaching": "ema"}),
    _stage("stage2-points", {"regions.teaching": "none"}),
    _stage("stage2-both", {"regions.teaching": "ema", "regions.distil": True}),
)


ON_SYNTHETIC: Mapping[str, Mapping[str, Any]] = {  # what the small preset lacks of the large ones
    "ablation": {"training.epochs": detection_recipe("ablation").training.epochs},
    **{preset: {"detector.decoder": "groupfree"} for preset in ("groupfree-scannet", "groupfree-sunrgbd")},
}


def _detector(role: str, begin: str, preset: str, changes: Mapping[str, Any]) -> Recipe:
    """Fine-tune a detector of ScanNet's or SUN RGB-D's boxes."""
    trained_on = {BOXES: "scans", SUN: "sun-rgbd-train"}[role]
    return Recipe("detection", trained_on, changes, begin, preset, ON_SYNTHETIC.get(preset, {}))


def _labeller(role: str, begin: str, changes: Mapping[str, Any] = {}) -> Recipe:
    """Fine-tune labels of points."""
    trained_on = {"s3dis": "s3dis-train", "scannet": "scans"}[role]
    return Recipe("finetune", trained_on, {"task": "scenes", **changes}, begin, "sam", FEW)


def _of(roles: tuple[str, ...], figures: Mapping[str, str], values: tuple[float | None, ...]) -> Printed:
    places = [(role, figure) for role in roles for figure in figures]
    return {place: value for place, value in zip(places, values, strict=True) if value is not None}


def _detected(name: str, title: str, *values: float | None, own: Mapping[str, Recipe] = {}) -> Method:
    paper = _of((SUN, BOXES), AP, values)
    return Method(f"sam-{name}", title, paper, tasks=("boxes",), own=own) if own else printed(name, title, paper)


def _detectors(begin: str = "", family: str = "", **changes: str) -> dict[str, Recipe]:
    settings = {f"detector.{name}": value for name, value in changes.items()}
    presets = {SUN: f"{family}sunrgbd", BOXES: f"{family}scannet"}
    return {role: _detector(role, begin, preset, settings) for role, preset in presets.items()}


SAM_DETECTION = Spec(
    "sam-detection",
    "3D object detection",
    SOURCE,
    (Asked(SUN, "boxes", AP, "SUN RGB-D"), Asked(BOXES, "boxes", AP, "ScanNet")),
    (
        _detected("3detr", "3DETR", 0.580, 0.303, 0.621, 0.379, own=_detectors()),
        _detected(
            "3detr-plain", "3DETR, plain transformer", 0.576, 0.319, 0.611, 0.386, own=_detectors(encoder="plain")
        ),
        _detected("3detr-pimae", "PiMAE", 0.599, 0.337, 0.630, 0.402),
        _detected("3detr-bridge3d", "Bridge3D", 0.618, 0.371, 0.653, 0.442),
        _detected(
            "guided", "SAM-guided, 3DETR", 0.635, 0.395, 0.682, 0.484, own=_detectors(GUIDED, encoder="plain")
        ),
        _detected("groupfree3d", "GroupFree3D", 0.630, 0.452, 0.673, 0.489, own=_detectors(family="groupfree-")),
        _detected("groupfree3d-bridge3d", "Bridge3D, GroupFree3D", 0.679, 0.485, 0.691, 0.529),
        _detected(
            "groupfree3d-guided", "SAM-guided, GroupFree3D", 0.689, 0.521, 0.723, 0.557,
            own=_detectors(GUIDED, "groupfree-", encoder="plain"),
        ),
    ),
    (
        ABOUT_BOXES, ABOUT_SYNTHETIC, ABOUT_PRETRAINING,
        "On the synthetic data GroupFree3D's decoder stands behind 3DETR's encoder, and not behind its PointNet++.",
    ),
    "What pre-training adds to boxes that are found; the poster prints single runs, which differ by a point.",
    before=STAGES,
)  # fmt: skip


def _segmented(name: str, title: str, *values: float | None, begin: str | None = None) -> Method:
    paper = _of(SCENES, MEANS, values)
    if begin is None:
        return printed(name, title, paper)
    own = {role: _labeller(role, begin) for role in SCENES}
    return Method(f"sam-{name}", title, paper, tasks=("rooms",), own=own, finished={"rooms": name})


SAM_SEGMENTATION = Spec(
    "sam-segmentation",
    "3D semantic segmentation",
    SOURCE,
    (Asked("s3dis", "rooms", MEANS, "S3DIS"), Asked("scannet", "rooms", MEANS, "ScanNet")),
    (
        _segmented("plain", "plain transformer", 0.611, 0.672, 0.673, 0.731, begin=""),
        _segmented("point-mae", "Point-MAE", 0.648, 0.702, None, None),
        _segmented("bridge3d", "Bridge3D", 0.702, 0.761, 0.739, 0.802),
        _segmented("all", "SAM-guided", 0.718, 0.782, 0.754, 0.815, begin=GUIDED),
    ),
    (ABOUT_ROOMS, ABOUT_SYNTHETIC, ABOUT_PRETRAINING, FROM_STUDIES),
    "What pre-training by regions adds to a plain transformer that is fine-tuned to label scenes.",
    before=STAGES,
)  # fmt: skip


def _ablated(name: str, title: str, begin: str, *values: float) -> Method:
    paper: Printed = {}
    if values:
        paper = {(BOXES, "ap25"): values[0], (BOXES, "ap50"): values[1], ("s3dis", "miou"): values[2],
                 ("s3dis", "macc"): values[3]}  # fmt: skip
    begin = f"sam-{begin}" if begin else ""
    own = {
        BOXES: _detector(BOXES, begin, "ablation", {"detector.encoder": "plain"}),
        **{each: _labeller(each, begin) for each in SCENES},
    }
    finished: dict[Task, str] = {"rooms": name, "boxes": f"{name}-boxes"}
    return Method(f"sam-{name}", title, paper, tasks=("rooms", "boxes"), own=own, finished=finished)


def _probed(name: str, title: str, begin: str = "") -> Method:
    """Let the head alone learn: what a transformer's features carry that nothing trains any more."""
    own = {each: _labeller(each, begin, {"training.train": "head"}) for each in SCENES}
    return Method(f"sam-{name}", title, tasks=("rooms",), own=own, finished={"rooms": name})


SAM_ABLATION = Spec(
    "sam-ablation",
    "Components of the SAM-guided system",
    SOURCE,
    (Asked(BOXES, "boxes", AP, "ScanNet"), Asked("s3dis", "rooms", MEANS, "S3DIS"), Asked("scannet", "rooms", MEANS)),
    (
        _ablated("plain", "plain transformer", "", 0.611, 0.386, 0.611, 0.672),
        _ablated("dense", "dense distillation", "stage1-knn", 0.624, 0.417, 0.662, 0.713),
        _ablated("masked", "masked tokens too", "stage2-knn", 0.645, 0.443, 0.687, 0.741),
        _ablated("balanced", "re-weighted too", "stage2-knn-paper", 0.660, 0.461, 0.697, 0.759),
        _ablated("regions", "SAM-guided tokens, not re-weighted", "stage2-region", 0.671, 0.470, 0.709, 0.770),
        _ablated("all", "all components", "stage2-region-paper", 0.682, 0.484, 0.718, 0.782),
        _ablated("stage1-only", "stage 1 alone", "stage1-region-paper", 0.652, 0.451, 0.691, 0.753),
        _ablated("both-at-once", "both losses at once", "stage2-both", 0.660, 0.463, 0.699, 0.761),
        _ablated("ema-teacher", "EMA teacher", "stage2-ema"),
        _ablated("no-teacher", "no teacher", "stage2-points"),
        _ablated("balance-inverse", "inverse frequency", "stage2-region-inverse"),
        _ablated("balance-effective", "effective number", "stage2-region-effective"),
        _probed("plain-head", "plain transformer, the head alone learns"),
        _probed("all-head", "all components, the head alone learns", GUIDED),
    ),
    (
        ABOUT_BOXES,
        ABOUT_ROOMS,
        ABOUT_SYNTHETIC,
        ABOUT_PRETRAINING,
        FROM_STUDIES,
        "Detectors are trained for 3DETR's shortest schedule, 90 passes, which tells methods apart already; the "
        "poster's for 1,080.",
        "The poster marks each row's components by ticks; their reading here is that of examples/studies.",
    ),
    "What each component adds to boxes and to labels of points, after fine-tuning.",
    by_group=True,
    before=STAGES,
)  # fmt: skip

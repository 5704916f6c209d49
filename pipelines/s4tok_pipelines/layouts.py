"""What lies in each cache: arrays with their shapes in letters, attributes, and the command that makes it.

The letters are those of `s4tok/shapes.py`: n points of a cloud, s superpoints, v views, h w pixels, c
channels of an image, d channels of a feature, q samples of a cloud, r runs of pixels.
"""

from s4tok_cache import ArraySpec, Layout

SUPERPOINTS = Layout(
    name="superpoints",
    version=1,
    arrays={"labels": ArraySpec("int32", "n", "superpoint of each point, 0 .. s-1 without gaps")},
    made_by="superpoints",
    attributes={"n_superpoints": int},
)

MASKS = Layout(
    name="masks",
    version=1,
    arrays={
        "ids": ArraySpec("int32", "r", "mask of each run of pixels, row after row; 0 for none"),
        "lengths": ArraySpec("int32", "r", "pixels of each run"),
    },
    made_by="extract-masks",
    attributes={"height": int, "width": int, "n_masks": int},
)

VIEWS = Layout(
    name="views",
    version=1,
    arrays={
        "images": ArraySpec("float16", "v h w c", "images for the 2D model, 0 .. 1; c is 1 for depth, 3 for colour"),
        "drawn": ArraySpec("int32", "v h w", "the point drawn at each pixel; -1 where there is none"),
        "pixels": ArraySpec("int16", "v n 2", "row and column of each point in each view; -1 where it is not seen"),
    },
    made_by="render-views",
)

_OF_VIEWS = {
    "superpoints": ArraySpec("float16", "s d", "mean feature of each superpoint, unit length or zero", False),
    "visible": ArraySpec("int32", "s", "pairs of a point and a view that sees it; 0 where no view sees any"),
    "views": ArraySpec(
        "float16", "v d", "feature of each whole view, unit length, or zero for a model that has none", False
    ),
}
CLIP_FEATURES = Layout(name="clip-features", version=1, arrays=_OF_VIEWS, made_by="extract-clip")
FEATURES = Layout(name="features", version=1, arrays=_OF_VIEWS, made_by="extract-features")

SAMPLES = Layout(
    name="samples",
    version=1,
    arrays={
        "points": ArraySpec("float32", "q n 3", "samples of the cloud: centred, +y up", False),
        "superpoints": ArraySpec("int32", "q n", "superpoint of each point, remnants merged; -1 for no point"),
        "original": ArraySpec("int32", "q n", "superpoint of each point in the whole cloud; -1 for no point"),
        "sizes": ArraySpec("int32", "s", "points of each superpoint of the whole cloud"),
    },
    made_by="pretrain",
)

SAMPLES_WITH_FEATURES = Layout(
    name="samples-with-features",
    version=1,
    arrays={
        **SAMPLES.arrays,
        "features": ArraySpec(
            "float16", "q n c", "colours, normals, whether they are known; zeros for no point", False
        ),
    },
    made_by="pretrain --point-features",
)

# What samples with labels have beside, and their name begins with "labelled-".
LABELLED = {"labels": ArraySpec("int16", "q n", "class of each point; -1 for none, 0 for no point")}
# What those to pre-train with labels have too, where the dataset has names; their name begins with "named-".
NAMED = {"names": ArraySpec("int16", "q n", "name of each point; -1 for none, 0 for no point")}

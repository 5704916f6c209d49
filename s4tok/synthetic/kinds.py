"""The kinds of furniture: those of toy rooms, a category each, and the richer ones of homes."""

from s4tok.datasets.scannet_labels import CLASSES
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.furniture import ANY, Kind, hangs, stands

LOW, TALL = (0.4, 1.25), (1.25, 2.4)  # heights in metres

# Of the categories that toy rooms are furnished with, what the furniture libraries call them.
_NAMES = {
    "bed": ("bed",),
    "bookshelf": ("bookshelf",),
    "cabinet": ("cabinet", "wardrobe", "dresser", "bedside table"),
    "chair": ("chair", "armchair"),
    "guitar": ("electric guitar",),
    "lamp": ("table lamp", "floor lamp"),
    "laptop": ("laptop",),
    "monitor": ("computer", "television"),
    "mug": ("cup",),
    "sofa": ("sofa",),
    "table": ("table", "desk", "coffee table", "wooden table", "wooden alder table", "wooden teak table"),
}
OF_CATEGORY = {name: Kind(name, models=_NAMES.get(name, ()), stand_in=name) for name in CATEGORIES}

_TABLES = ("table", "wooden table", "wooden alder table", "wooden teak table")
_KITCHEN = (
    "coffee maker", "kettle", "blender", "mixer", "microwave", "toaster", "bread box", "kitchen scale", "cooking pot",
    "knife block", "pot with kitchen utensils", "bottle", "milk carton", "chopping board", "bread",
    "paper towel holder", "rice cooker", "sandwich maker", "deep fryer", "spice tower", "bowl with fruits",
    "bowl of apples", "teapot", "oil and vinegar bottles", "bowl with handles", "drinking glass", "cup",
)  # fmt: skip
_TABLE = (
    "bottle", "cup", "drinking glass", "flowers", "vase", "candle", "candle holder", "teapot", "bread", "bowl", "plate",
    "oval plate", "bowl with fruits", "bowl of apples", "bowl with salad", "plate, glass and cutlery", "jug", "cupcake",
    "plate, glasses and cutlery", "sushi plate", "newspaper", "book", "chessboard", "ashtray", "bowl with handles",
)  # fmt: skip
_DESK = (
    "telephone", "cup", "printer", "calendar", "stapler", "pen holder", "letter tray", "book", "headphones", "clock",
    "table fan", "tablet", "newspaper", "camera", "stereo", "potted plant", "fan", "bottle", "glasses",
)  # fmt: skip
_SHELF = (
    "book", "vase", "stereo", "teddy bear", "toy car", "toy train", "toy biplane", "box", "camera", "clock", "bottle",
    "potted plant", "deer", "wooden toy", "Rubik's cube", "hat", "doll", "helmet", "jug", "lidded pot",
)  # fmt: skip
_FLOOR = (
    "backpack", "shoes", "suitcase", "basketball", "soccer ball", "laundry basket", "teddy bear", "box", "doll house",
    "rocking horse", "handbag", "briefcase", "skateboard", "basket", "trunk", "bean bag", "electric guitar", "cat",
)  # fmt: skip
_BATH = (
    "perfume bottle", "medicine bottle", "spray bottle", "soap dispenser", "cosmetics pot", "hairbrush", "sponge",
    "drinking glass", "comb",
)  # fmt: skip

_HOMES = (
    Kind("bed", "bed", ("bed",), "bed", height=(0.3, 2.0)),
    Kind("crib", "otherfurniture", ("crib",)),
    Kind("bedside table", "", ("bedside table",), "cabinet", height=(0.3, 0.75), width=(0.3, 0.7)),
    Kind("wardrobe", "otherfurniture", ("wardrobe", "locker"), "cabinet", height=(1.4, 2.4)),
    Kind("dresser", "", ("dresser", "changing table", "dressing table"), "cabinet", height=(0.6, 1.4)),
    Kind("sofa", "sofa", ("sofa",), "sofa", width=(1.2, 9.0)),
    Kind("armchair", "chair", ("armchair",), "chair", height=(0.5, 1.2)),
    Kind("chair", "chair", ("chair",), "chair", height=(0.6, 1.3), width=(0.3, 0.8)),
    Kind("stool", "", ("stool",), height=(0.4, 1.2)),
    Kind("bench", "otherfurniture", ("bench",), height=(0.3, 0.8)),
    Kind("table", "table", _TABLES, "table", height=(0.64, 0.82), width=(1.0, 9.0)),
    Kind("small table", "table", _TABLES, "table", height=(0.4, 0.95), width=(0.4, 0.99)),
    Kind("coffee table", "table", ("coffee table",), "table", height=(0.25, 0.58)),
    Kind("desk", "desk", ("desk",), "table", height=(0.64, 1.85), width=(0.9, 2.4)),
    Kind("bookshelf", "bookshelf", ("bookshelf",), "bookshelf"),
    Kind("sideboard", "cabinet", ("cabinet",), "cabinet", height=LOW),
    Kind("tall cabinet", "cabinet", ("cabinet",), "cabinet", height=TALL),
    Kind("television stand", "otherfurniture", ("tV stand",), "cabinet", height=(0.35, 0.75), width=(0.9, 2.2)),
    Kind("television", "", ("television",), "monitor", width=(0.5, 1.5), hangs=ANY),
    Kind("piano", "otherfurniture", ("grand piano", "upright piano")),
    Kind("fireplace", "", ("fireplace",)),
    Kind("floor lamp", "", ("floor lamp",), "lamp", height=(1.0, 2.0), made=stands),
    Kind("table lamp", "", ("table lamp",), "lamp", height=(0.1, 0.75), made=stands),
    Kind("ceiling lamp", "", ("ceiling lamp", "hanging lantern"), "lamp", (0.04, 0.9), hangs=ANY, made=hangs),
    Kind("wall lamp", "", ("wall lamp",), hangs=ANY),
    Kind("plant", "", ("potted plant", "ficus tree"), "plant", height=(0.5, 2.0)),
    Kind("waste bin", "otherfurniture", ("trash can",), "waste bin", height=(0.2, 0.78), width=(0.1, 0.45)),
    Kind("radiator", "otherfurniture", ("radiator",), "radiator", height=(0.3, 0.95)),
    Kind("towel radiator", "otherfurniture", ("towel radiator",)),
    Kind("carton", "", ("box",), "carton", height=(0.1, 0.6), width=(0.1, 0.9)),
    Kind("toilet", "toilet", ("toilet",), "toilet"),
    Kind("bidet", "", ("bidet",)),
    Kind("washbasin", "sink", ("washbasin", "bathroom vanity", "washbasin with mirror", "double vanity"), "washbasin"),
    Kind("bathtub", "bathtub", ("bathtub",), "bathtub"),
    Kind("shower curtain", "shower curtain", ("shower curtain",)),
    Kind("shower cabin", "", ("shower cabin",)),
    Kind("washing machine", "otherfurniture", ("washing machine", "tumble dryer")),
    Kind("towel", "", ("towel", "towel rack"), hangs=ANY),
    Kind("kitchen unit", "cabinet", ("lower cabinet", "small lower cabinet", "cabinet with drawers"), "kitchen unit"),
    Kind("kitchen sink", "sink", ("kitchen sink",)),
    Kind("basin", "sink", (), "basin"),
    Kind("cooker", "", ("range cooker", "gas stove"), "cooker"),
    Kind("refrigerator", "refrigerator", ("refrigerator",), "refrigerator"),
    Kind(
        "hanging cupboard", "cabinet",
        ("upper cabinet", "small upper cabinet", "glass door cabinet", "upper shelves cabinet"),
        "hanging cupboard", hangs=(1.2, 2.0), level=1.45,
    ),
    Kind("range hood", "", ("range hood",), hangs=ANY),
    Kind("screen", "", ("computer",), "monitor", width=(0.3, 0.75)),
    Kind("laptop", "", ("laptop",), "laptop"),
    Kind("kitchen things", "", _KITCHEN, "mug", height=(0.03, 0.5)),
    Kind("table things", "", _TABLE, "mug", height=(0.01, 0.6)),
    Kind("desk things", "", _DESK, "mug", height=(0.01, 0.45)),
    Kind("shelf things", "", _SHELF, "mug", height=(0.02, 0.33), width=(0.02, 0.4)),
    Kind("floor things", "", _FLOOR, "carton", height=(0.05, 1.2)),
    Kind("bath things", "", _BATH, "mug", height=(0.005, 0.4)),
)  # fmt: skip
OF_HOMES = {kind.name: kind for kind in _HOMES}

# What the builders of the shell and of kitchens add by name.
_SHELL = ("wall", "floor", "door", "window", "picture", "curtain", "shower curtain", "counter")
CLASSES_OF_HOMES = {name: CLASSES.index(name) for name in _SHELL} | {
    kind.name: CLASSES.index(kind.label) for kind in _HOMES if kind.label
}

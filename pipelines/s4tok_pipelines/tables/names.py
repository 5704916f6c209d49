"""The names that `s4tok reproduce` takes; help has them without importing anything else."""

TABLE_2 = "table2"  # has a stage of its own
FIGURES = ("figureA", "figureB", "figureC")
REAL, ALL = "real", "all"
REAL_CLIP = "mini2"  # of those that come with s4tok, the one that knows real words
POSTER = ("sam-detection", "sam-segmentation", "sam-ablation")
NAMES = ("table1", TABLE_2, "table3", "table4", "table5", "table6", "table7", "tableA", *POSTER, *FIGURES)

"""The paper's Tables 2 and 4, and a sweep of scales, from the results of each checkpoint on each dataset.

The paper's figures are those it prints for ScanNet (validation) and S3DIS (Area 5) with CLIP ViT-B/16. They stand in
columns of their own, whatever was measured.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from s4tok_pipelines.tables.result_table import Cell, Column, Facts, ResultRow, ResultTable

OBJECTS = {
    "knn": "kNN",
    "knn-sphere": "kNN, unit sphere",  # the control that the paper lacks
    "knn+rpn": "kNN+RPN",
    "ball+rpn": "ball+RPN",
    "s4token": "S4Token",
    "s4token+context": "S4Token, context",
    "s4token+context-mixed-attend-4": "S4Token, context, clutter, reach",
    "s4token+context-object-rooms": "S4Token, context, rooms of objects",
}  # rows whose checkpoints are trained on objects
ROOMS = {
    "s4token-scans": "S4Token",
    "s4token+context-scans": "S4Token, context",
    "s4token+context-rooms": "S4Token, context, both datasets",
    "universal": "universal",
}  # on rooms, the last on objects too
BASELINE, UNIVERSAL = "knn", "universal"
OF_THE_PAPER = ("knn", "knn+rpn", "s4token", "s4token-scans")  # have a row even where they have no checkpoint
WHOLE_ROOM = {"s4token": "S4Token, room as a whole"}  # asked once more as the paper does: 2,048 points of a whole room
PAPER = {"knn": (0.087, 0.113), "knn+rpn": (0.181, 0.212), "s4token": (0.189, 0.237)}  # mIoU, Table 2
PAPER_4 = {"s4token-scans": {"miou": (0.543, 0.475), "macc": (0.694, 0.574)}}
ROLES = ("ScanNet", "S3DIS")  # of the two datasets of rooms, in this order
UNCALIBRATED = "uncalibrated.miou"
Results = Sequence[Facts]  # a seed each


@dataclass(frozen=True)
class Measured:
    """Every result, by checkpoint, and then by dataset or by scale."""

    rooms: tuple[tuple[str, str], tuple[str, str]]  # dataset and split, in the order of ROLES
    shapes: tuple[str, str]  # of the sweep
    in_rooms: Mapping[str, Mapping[str, Results]]  # by row and dataset
    whole: Mapping[str, Mapping[str, Results]]  # the same of rooms as a whole
    sweep: Mapping[str, Mapping[float, Results]]
    vision: Mapping[str, Facts] = field(default_factory=dict)  # of the 2D model itself, by dataset
    asked: Collection[str] = (*OBJECTS, *ROOMS)  # rows; others are left out

    @property
    def tables(self) -> list[ResultTable]:
        """Give the tables, the paper's first."""
        return [self._table_2(), self._scale_sweep(), self._table_4()]

    def any_of(self, dataset: str) -> Facts:
        """Give one result in a dataset of rooms, for what is the same in all: its points, its chance."""
        return next((each for of in self.in_rooms.values() for each in of.get(dataset, ())), {})

    def absent(self) -> list[str]:
        """Name the paper's rows that were asked for and have no checkpoint."""
        has = {name for name, of in self.in_rooms.items() if any(of.values())}
        return [name for name in OF_THE_PAPER if name in self.asked and name not in has]

    def _shown(self, titles: Mapping[str, str]) -> dict[str, str]:
        missing = self.absent()
        has = {name for name, of in self.in_rooms.items() if any(of.values())}
        return {name: title for name, title in titles.items() if name in has or name in missing}

    def _table_2(self) -> ResultTable:
        figures = {"miou": "mIoU", "furniture_miou": "furniture"}
        columns = self._room_columns(figures, paper=("miou",), delta=("miou",))
        rows = []
        for name, title in self._shown(OBJECTS).items():
            paper = {"miou": PAPER[name]} if name in PAPER else {}
            rows.append(ResultRow(name, title, self._room_cells(self.in_rooms.get(name, {}), figures, paper)))
        for name, title in WHOLE_ROOM.items():
            if name in self.whole:
                rows.append(ResultRow(f"{name}-whole", title, self._room_cells(self.whole[name], figures, {})))
        title = "Table 2: tokenizers pre-trained on objects, in rooms, without fine-tuning"
        return ResultTable("table2", title, columns, tuple(rows), BASELINE)

    def _scale_sweep(self) -> ResultTable:
        scales = sorted({scale for each in self.sweep.values() for scale in each})
        dataset, split = self.shapes
        any_of = next((facts for of in self.sweep.values() for each in of.values() for facts in each), {})
        seen = self.vision.get(dataset, {}).get("accuracy")
        columns = tuple(
            Column(f"x {scale:g}", dataset, split, "accuracy", any_of.get("chance"), seen if scale == 1.0 else None)
            for scale in scales
        )
        shown = {**self._shown(OBJECTS), **({UNIVERSAL: ROOMS[UNIVERSAL]} if UNIVERSAL in self.sweep else {})}
        rows = tuple(
            ResultRow(
                name, title, tuple(Cell.of(self.sweep.get(name, {}).get(scale, ()), "accuracy") for scale in scales)
            )
            for name, title in shown.items()
        )
        title = f"Scale sweep: accuracy on held-out {dataset}, each as large as it is times"
        return ResultTable("scale-sweep", title, columns, rows)

    def _table_4(self) -> ResultTable:
        figures = {"miou": "mIoU", UNCALIBRATED: "uncalibrated", "macc": "mAcc", "furniture_miou": "furniture"}
        columns = self._room_columns(figures, paper=("miou", "macc"))
        rows = tuple(
            ResultRow(name, title, self._room_cells(self.in_rooms.get(name, {}), figures, PAPER_4.get(name, {})))
            for name, title in self._shown(ROOMS).items()
        )
        return ResultTable("table4", f"Table 4: pre-trained on rooms ({self.rooms[0][0]})", columns, rows)

    def _room_columns(
        self, figures: Mapping[str, str], paper: Sequence[str], delta: Sequence[str] = ()
    ) -> tuple[Column, ...]:
        columns = []
        for role, (dataset, split) in zip(ROLES, self.rooms, strict=True):
            any_of, seen = self.any_of(dataset), self.vision.get(dataset, {})
            chances = {"miou": any_of.get("chance"), "furniture_miou": any_of.get("furniture_chance")}
            chances[UNCALIBRATED] = chances["miou"]
            for figure, title in figures.items():
                columns.append(
                    Column(
                        f"{dataset} {title}", dataset, split, figure, chances.get(figure), seen.get(figure),
                        role if figure in paper else "", figure in delta,
                    )
                )  # fmt: skip
        return tuple(columns)

    def _room_cells(
        self, found: Mapping[str, Results], figures: Mapping[str, str], paper: Mapping[str, Sequence[float]]
    ) -> tuple[Cell, ...]:
        return tuple(
            Cell.of(found.get(dataset, ()), figure, paper[figure][place] if figure in paper else None)
            for place, (dataset, _) in enumerate(self.rooms)
            for figure in figures
        )

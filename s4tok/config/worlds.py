"""The synthetic data, and how a table of the paper is reproduced on it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorldConfig:
    """How large the procedural world is, and how densely its things are sampled."""

    shapes: tuple[int, int, int] = (2000, 200, 400)  # toy-shapes to train, validate and test on
    scans: tuple[int, int, int] = (60, 15, 20)  # toy-scans
    rooms: tuple[int, int, int] = (30, 8, 12)  # toy-rooms
    home_scans: tuple[int, int, int] = (240, 30, 40)
    home_rooms: tuple[int, int, int] = (60, 12, 20)
    shape_points: int = 8192  # as ShapeNet55 in Point-BERT's form
    scan_voxel: float = 0.03  # metres; one point of a scan a voxel, about 80,000 in all
    room_voxel: float = 0.02  # metres; evens out what lies right under the scanner
    room_points: int = 120_000  # of a toy room at most, whatever its size
    frames: int = 400  # of a scan's film or a room's tour; every 20th shows something else
    seed: int = 0


@dataclass(frozen=True)
class ReproduceConfig:
    """How a table of the paper is reproduced."""

    scales: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0)  # of the sweep; a unit-sphere object against one in metres
    shapes: int = 150  # held-out objects of the sweep; ten of each category of the synthetic data
    seeds: int = 3  # checkpoints of each tokenizer, where they are trained anew
    guesses: int = 100  # random labellings that chance is measured by
    seed: int = 0  # of what is drawn at evaluation; checkpoints have seeds of their own

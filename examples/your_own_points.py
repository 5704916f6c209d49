"""Bring an array of your own into s4tok: `python examples/your_own_points.py`."""

import numpy as np

from s4tok import PointCloud


def main() -> None:
    # A georeferenced plane: eastings and northings in metres, as a survey delivers them.
    grid = np.stack(np.meshgrid(np.linspace(0, 10, 50), np.linspace(0, 5, 25)), axis=-1).reshape(-1, 2)
    points = np.column_stack([grid, np.zeros(len(grid))]) + [431_250.0, 4_581_900.0, 120.0]

    cloud = PointCloud.of(points, name="plane")
    print(f"{cloud.name}: {len(cloud)} points, {cloud.extent:g} units across, centred at {cloud.offset.tolist()}")


if __name__ == "__main__":
    main()

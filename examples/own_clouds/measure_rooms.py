"""Measure how often a cloud is rightly taken for an object or a room: `python examples/own_clouds/measure_rooms.py`.

Each cloud is saved in metres, cm, mm and inches, up known. A room is right when it is a room in its unit, an object
when it is an object. `--fit` fits the weights of `s4tok/geometry/rooms.py` in place of that: a logistic regression of
room against object on the cues of clouds to train on, without penalty but for 1e-3 of the squares.
"""

import argparse
from pathlib import Path

import numpy as np
from known import Known, known
from scipy.optimize import minimize

from s4tok.clouds import PointCloud
from s4tok.geometry.gravity import measured
from s4tok.geometry.placement import Said, guessed
from s4tok.geometry.rooms import METRES, room_cues
from s4tok.shapes import Array, Float64

PENALTY = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of sh3d")
    parser.add_argument(
        "--datasets", nargs="+", default=["toy-scans", "toy-rooms", "toy-shapes", "sh3d"], metavar="NAME"
    )
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="clouds of each dataset")
    parser.add_argument("--fit", action="store_true", help="fit the weights, on the split train")
    chosen = parser.parse_args()
    if chosen.fit:
        every = [each for name in chosen.datasets for each in known([name], "train", chosen.limit, chosen.data)]
        print("WEIGHTS, CONSTANT =", _fitted(every).round(2).tolist())
        return
    print(f"{chosen.split}\n\n| clouds | | {' | '.join(METRES)} |\n|---|---:|{'---:|' * len(METRES)}")
    for name in chosen.datasets:
        rows = [_right(each) for each in known([name], chosen.split, chosen.limit, chosen.data)]
        if rows:
            print(
                f"| {name} | {len(rows)} | {' | '.join(f'{share:.3f}' for share in np.mean(rows, axis=0))} |",
                flush=True,
            )


def _right(each: Known) -> list[bool]:
    found = []
    for unit, length in METRES.items():
        where = guessed(PointCloud.of(each.xyz / length), Said(up="y")).placement
        found.append(where.scene == each.scene and (each.scene == "object" or where.unit == unit))
    return found


def _fitted(clouds: list[Known]) -> Float64[Array, "6"]:
    """Give twice the weights and the constant, rooms and objects counting alike."""
    cues = np.array([[*room_cues(measured(each.xyz), 1), 1.0] for each in clouds])
    sign = np.array([1.0 if each.scene == "room" else -1.0 for each in clouds])
    share = np.where(sign > 0, 0.5 / (sign > 0).sum(), 0.5 / (sign < 0).sum())

    def loss(weights: Float64[Array, "6"]) -> float:
        return float((share * np.logaddexp(0, -sign * (cues @ weights))).sum() + PENALTY * (weights[:-1] ** 2).sum())

    found: Array = minimize(loss, np.zeros(cues.shape[1])).x
    return 2 * found


if __name__ == "__main__":
    main()

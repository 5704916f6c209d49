"""A labelled cloud's mesh with a label a face, in the format that it came in where that can say so, else as .ply."""

from collections.abc import Iterator
from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok.rendering.mesh_files import LabelledMesh, labels_of_faces, mesh_glb, mesh_obj, mesh_ply
from s4tok.shapes import Array, UInt8
from s4tok.zero_shot.labelled import Labelled


def mesh_files(
    done: Labelled, clouds: CloudDataset, colors: UInt8[Array, "t 3"], stem: str
) -> Iterator[tuple[str, bytes]]:
    """Give each file's ending and content; nothing where the cloud has no mesh. `stem` is how their names begin."""
    key = done.cloud.name
    mesh = clouds.mesh(key)
    if mesh is None:
        return
    labels = labels_of_faces(mesh, done.cloud.original_xyz(), done.answers)
    found = LabelledMesh(mesh, labels, done.names, colors)
    suffix = Path(key).suffix.lower()
    if suffix == ".obj":
        shape, materials = mesh_obj(found, f"{stem}.mesh.mtl")
        yield ".mesh.obj", shape
        yield ".mesh.mtl", materials
    elif suffix == ".glb":
        yield ".mesh.glb", mesh_glb(found)
    else:
        yield ".mesh.ply", mesh_ply(found)

"""The legend of dimension letters, and the array types that carry them.

A signature says its shapes in these letters, `Float[Tensor, "b n 3"]`; a single letter takes a space before it,
`Int[Array, " n"]`, so that linters do not read it as a name. The tests run with every shape checked; a user's run
pays nothing for them.

=======  ==========================================
b        clouds in a batch
n        points of a cloud
s        superpoints of a cloud
e        edges of a neighbourhood graph
m        patches: one token and one centre each
k        points of a patch, neighbours of a point
v        views of a cloud
h w      rows and columns of an image
d        channels of a feature
c        classes
f        faces of a mesh
o        boxes of the things in a cloud
=======  ==========================================
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int, Int32, Real, UInt8

if TYPE_CHECKING:
    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = np.ndarray

__all__ = ["Array", "Bool", "Float", "Float32", "Float64", "Int", "Int32", "Real", "UInt8"]

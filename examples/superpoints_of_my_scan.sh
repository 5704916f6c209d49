#!/bin/sh
# Superpoints of your own scan: examples/superpoints_of_my_scan.sh room.ply
# Any of .ply .pcd .npy .npz .txt .las .obj .off .stl .glb .h5; leave --room out for a single object.
set -eu

scan=${1:?name a file with points}

s4tok superpoints "$scan" --room --workers 0 \
    --preview superpoints.png \
    --export-segs segments
s4tok superpoints "$scan" --room --preview superpoints.ply # made already: only drawn, to turn around in a viewer

echo "look at superpoints.png and superpoints.ply; segments/ holds one number a point, as ScanNet writes them"

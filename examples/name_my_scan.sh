#!/bin/sh
# Label every point of your own scan: examples/name_my_scan.sh room.ply "wall,floor,chair,table"
# Any of .ply .pcd .npy .npz .txt .las .obj .off .stl .glb .h5; what each is taken for is printed.
# The checkpoints that come with s4tok know synthetic data. For real scans train one in front of a real CLIP, and
# name it: S4TOK_CHECKPOINT=runs/mine S4TOK_CLIP=ViT-B-16 examples/name_my_scan.sh room.ply "wall,floor,chair"
set -eu

scan=${1:?name a file with points}
labels=${2:?say what its points may be: "wall,floor,chair"}

s4tok segment "$scan" --labels "$labels" --html --preview labels.png --out labels

echo "look at labels.png, labels/*.labels.ply, and labels/*.html in a browser"

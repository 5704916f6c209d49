#!/bin/sh
# The SAM-guided system on synthetic rooms: masks, regions and features, two trainings, then labels of points.
# FRAMES says of how many frames, ROOMS of how many labelled rooms; 40 and 3 for a try. Run again, it goes on.
set -eu
frames=${FRAMES:-400}
rooms=${ROOMS:-60}

s4tok extract-masks toy-scans --clouds frames --limit "$frames" --model graph --preview masks
s4tok pretrain toy-scans --preset sam-stage1-toy --limit "$frames" --auto --out runs/stage1 --resume
s4tok pretrain toy-scans --preset sam-stage2-toy --limit "$frames" --teacher runs/stage1 --out runs/stage2 --resume
s4tok finetune toy-scans --preset sam-toy --limit "$rooms" --checkpoint runs/stage2 --auto --out runs/rooms --resume
s4tok segment toy-scans --split test --limit "$rooms" --checkpoint runs/rooms --auto

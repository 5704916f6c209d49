#!/bin/sh
# Both stages of the SAM-guided system on synthetic rooms: masks, regions, features, then two trainings.
# FRAMES says of how many frames; 40 for a try. Run again, it goes on where it was stopped.
set -eu
frames=${FRAMES:-400}

s4tok extract-masks toy-scans --clouds frames --limit "$frames" --model graph --preview masks
s4tok pretrain toy-scans --preset sam-stage1-toy --limit "$frames" --auto --out runs/stage1 --resume
s4tok pretrain toy-scans --preset sam-stage2-toy --limit "$frames" --teacher runs/stage1 --out runs/stage2 --resume

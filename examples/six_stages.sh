#!/usr/bin/env bash
# All six stages on synthetic data, from nothing, in some minutes: `make demo`, or examples/six_stages.sh FOLDER.
# Ends with pictures. SHAPES, SCANS and EPOCHS say how much; a run that was stopped goes on where it was.
set -euo pipefail
folder=${1:-demo} shapes=${SHAPES:-60} scans=${SCANS:-3} epochs=${EPOCHS:-20}
export S4TOK_CACHE=$folder/cache
mkdir -p "$folder"

# 1. Cut clouds into superpoints.
s4tok superpoints toy-shapes --limit "$shapes" --workers 2 --preview "$folder/superpoints.png"
s4tok superpoints toy-scans --limit "$scans" --workers 2 --preview "$folder/room.png"

# 2. Draw each shape from ten directions. Rooms have camera images of their own.
s4tok render-views toy-shapes --limit "$shapes" --preview "$folder/views"

# 3. Encode views and images with a frozen CLIP, and keep the mean feature of each superpoint.
s4tok extract-clip toy-shapes --limit "$shapes" --clip mini --preview "$folder/features"
s4tok extract-clip toy-scans --limit "$scans" --clip mini

# 4. Train a tokenizer in front of that CLIP: a short run, to see it learn. The next stages take one that had longer.
s4tok pretrain toy-shapes --limit "$shapes" --preset quick --epochs "$epochs" --out "$folder/run" --resume

# 5. Classify whole shapes of the test split.
s4tok superpoints toy-shapes --split test --limit 15 --workers 2
s4tok classify toy-shapes --split test --limit 15
s4tok classify toy-shapes --split test --limit 15 --checkpoint "$folder/run"

# 6. Label every point: parts of shapes, and things in rooms, with a page to turn one around.
s4tok segment toy-shapes --split test --limit 12 --votes 10 --preview "$folder/parts.png"
s4tok segment toy-scans --split test --limit "$scans" --auto --checkpoint s4token-scans \
    --preview "$folder/things.png" --html --out "$folder/labels"

s4tok cache ls
echo "look at $folder/parts.png, things.png, superpoints.png, room.png, run/curves.png, and labels/*.html in a browser"

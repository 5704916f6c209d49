#!/usr/bin/env bash
# What s4tok does so far, on the toy world, from nothing: `make demo`. Ends with pictures in demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p demo

s4tok data make toy --picture demo/world.png
s4tok superpoints toy-shapes --limit 15 --workers 2 --cache demo/cache --preview demo/superpoints.png
s4tok superpoints toy-scans --limit 1 --cache demo/cache --preview demo/room.png
s4tok render-views toy-shapes --limit 15 --cache demo/cache --preview demo/views
s4tok extract-clip toy-shapes --limit 15 --cache demo/cache --clip mini --preview demo/seen
s4tok classify toy-shapes --split train --limit 15 --cache demo/cache --teacher-only
s4tok cache ls --cache demo/cache

echo "look at demo/world.png, demo/superpoints.png, demo/room.png, demo/views/ and demo/seen/"

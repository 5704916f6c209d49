#!/usr/bin/env bash
# What s4tok does so far, from nothing: `make demo`.
set -euo pipefail
cd "$(dirname "$0")"

s4tok --version
s4tok doctor
python your_own_points.py

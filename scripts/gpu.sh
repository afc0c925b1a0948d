#!/usr/bin/env bash
# The weights `photo` on a GPU in a quarter of an hour, in two calls, since the mosaics of the
# photographs are copied there in two halves:
#
#   scripts/gpu.sh first FOLDER            unpack the first half, measure speed
#   scripts/gpu.sh second FOLDER [SECONDS] unpack the second half, train (480 seconds)
#
# FOLDER holds the mosaics and counts.json (scripts/unpack_mosaics.py). Everything is kept in
# COLORLIB_DATA (/tmp/colorlib by default); bench.json, the weights in parts below 15 MB
# (`cat photo.safetensors.* > photo.safetensors`), history.json and strip.png go to OUT.
set -euo pipefail
cd "$(dirname "$0")/.."
export COLORLIB_DATA=${COLORLIB_DATA:-/tmp/colorlib} COLORLIB_OUT=${COLORLIB_DATA:-/tmp/colorlib}/out
export PYTHONPATH=$PWD PYTHONUNBUFFERED=1 TQDM_DISABLE=1
OUT=${OUT:-build/gpu}
python=${PYTHON:-python3}
"$python" -c 'import PIL.features; print("AVIF:", PIL.features.check("avif"))'
"$python" scripts/unpack_mosaics.py "$2" "$COLORLIB_DATA"
case $1 in
  first) "$python" scripts/gpu_photo.py bench "$OUT" ;;
  second) "$python" scripts/gpu_photo.py train "$OUT" "${3:-480}" ;;
esac

#!/bin/sh
# Install the system libraries that open3d and pyrender link to, or say how.
set -eu

missing=""
need() { # need SONAME PACKAGE
    ldconfig=$(command -v ldconfig || echo /sbin/ldconfig)
    "$ldconfig" -p 2>/dev/null | grep -q "$1" || missing="$missing $2"
}
need libusb-1.0.so.0 libusb-1.0-0
need libEGL.so.1 libegl1
need libGL.so.1 libgl1
need libgomp.so.1 libgomp1

[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing system libraries:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 -- a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "note: open3d and pyrender need system libraries that are not here; tests that use them will be skipped." >&2
    echo "hint: sudo apt-get install$missing" >&2
fi

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs from Debian what tandem needs to build and test itself. Does nothing where all of it is there already.
# `setup.sh arm` adds what tests the kernels of ARM on another processor: 56 MB to fetch, 270 MB on the disk;
# `setup.sh torch` the reference that saved folders are compared with; `setup.sh xgboost` what bench_fusion compares with.
set -eu

packages="gcc g++ clang clang-format make cmake ninja-build ccache pkg-config
libdnnl-dev libpcre2-dev libutf8proc-dev libarchive-dev zlib1g-dev libcjson-dev libxxhash-dev libsimdjson-dev libssl-dev libcmocka-dev
libclang-rt-14-dev python3"
for extra in "$@"; do
    case $extra in
    arm) [ "$(uname -m)" != x86_64 ] || packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" ;;
    torch) packages="$packages python3-torch" ;;
    xgboost) packages="$packages libxgboost-dev" ;;
    esac
done

missing=""
for p in $packages; do
    dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "setup: run as root, or install sudo; missing packages:$missing" >&2; exit 1; }
    as_root="sudo"
fi
echo "setup: installing$missing" >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null

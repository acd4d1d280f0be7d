#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast `tandem prepare` reads, in how much memory, and whether every way of asking gives the same bytes.

    bench/prepare.py [--size 1G] [--folder DIR] [--build build/release] [--reviews FILE.json] [--only json,csv]

Makes two logs of SIZE bytes with bench_make_log, copies of FILE.json with renumbered ids and drawn ratings, both plain
and gz, where they are not there from an earlier run. Prepares each with -j 1 and -j 2, and once more with
--memory 256M where the program knows the option. A line each:

    MB/s    millions of unpacked bytes a second, wall clock from start to the synced dataset
    rows/s  thousands of rows a second
    CPU     seconds of all threads
    peak    largest resident set of the program, in MB (of 10^6 bytes)
    disk    the dataset, in MB
    ratio   (peak - 200 MB) / disk: what the dataset costs in memory beyond a fixed 200 MB
    bytes   "same" where the dataset is that of the first line of its log

The logs were just written or read, so they come from the page cache where they fit it. Other work on the machine makes
the wall clock slower and not the CPU seconds: the load before the first run is printed too."""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARRAYS = ("dataset.safetensors", "text.safetensors")


def size_of(word):
    factor = {"K": 10**3, "M": 10**6, "G": 10**9}.get(word[-1:], 1)
    return int(float(word[:-1] if factor > 1 else word) * factor)


def measured(command, log):
    """Runs it; seconds, CPU seconds, peak bytes. Standard output goes to `log`. The peak is at least that of this
    script, which the child was for a moment."""
    with open(log, "wb") as out:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"prepare.py: {' '.join(map(str, command))}: ended with {child.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def make(path, command):
    if not path.exists():
        part = path.with_name(path.name + ".part")
        subprocess.run([*command, part], check=True)
        part.rename(path)
    return path


def pack(path):
    packed = path.with_name(path.name + ".gz")
    if not packed.exists():
        part = packed.with_name(packed.name + ".part")
        with open(path, "rb") as plain, open(part, "wb") as out:
            subprocess.run(["gzip", "-c"], stdin=plain, stdout=out, check=True)
        part.rename(packed)
    return packed


def sum_of(folder):
    h = hashlib.blake2b()
    for name in ARRAYS:
        with open(folder / name, "rb") as f:
            while block := f.read(1 << 20):
                h.update(block)
    return h.hexdigest()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", default="1G")
    p.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(os.environ.get("TMPDIR") or "/tmp") / "tandem-bench")
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    p.add_argument("--reviews", type=pathlib.Path, default=ROOT / "../shared/data/raw/gift-cards-2018/Gift_Cards_5.json")
    p.add_argument("--memory", default="256M")
    p.add_argument("--only", default="json,csv")
    a = p.parse_args()
    size, program, maker = size_of(a.size), a.build / "bin/tandem", a.build / "bin/bench_make_log"
    a.folder.mkdir(parents=True, exist_ok=True)
    logs = []
    if "json" in a.only and not a.reviews.exists():
        print(f"prepare.py: {a.reviews}: not there; name a file of JSON lines with --reviews", file=sys.stderr)
    elif "json" in a.only:
        logs.append(make(a.folder / f"reviews-{a.size}.json", [maker, "reviews", a.reviews, str(size)]))
    if "csv" in a.only:
        rows = size // 41  # bytes of a row; people and items as in 10M rows of 138K people and 27K items
        shape = [str(rows), str(max(1, rows * 138 // 10000)), str(max(1, rows * 27 // 10000))]
        logs.append(make(a.folder / f"ratings-{a.size}.csv", [maker, "ratings", *shape]))
    help_text = subprocess.run([program, "prepare", "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
    ways = [["-j", "1"], ["-j", "2"]]
    if "--memory" in help_text:
        ways.append(["-j", "2", "--memory", a.memory])
    print(f"load before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors")
    print(f"{'log':24} {'options':22} {'MB/s':>6} {'rows/s':>7} {'wall s':>7} {'CPU s':>7} {'peak':>6} {'disk':>6} {'ratio':>6}  bytes")
    differ = False
    for plain in logs:
        first, text = None, plain.stat().st_size
        for log in (plain, pack(plain)):
            for way in ways:
                out, answer = a.folder / "dataset", a.folder / "health.json"
                shutil.rmtree(out, ignore_errors=True)
                seconds, cpu, peak = measured([program, "prepare", log, "-o", out, "-q", "--json", *way], answer)
                rows = json.loads(answer.read_text())["rows_read"]
                disk = sum(f.stat().st_size for f in out.iterdir())
                now = sum_of(out)
                first = first or now
                differ |= now != first
                ratio = max(0, peak - 200e6) / disk
                print(f"{log.name:24} {' '.join(way):22} {text / seconds / 1e6:6.0f} {rows / seconds / 1e3:6.0f}k "
                      f"{seconds:7.2f} {cpu:7.2f} {peak / 1e6:6.0f} {disk / 1e6:6.0f} {ratio:6.2f}  "
                      f"{'same' if now == first else 'OTHER'}", flush=True)
                shutil.rmtree(out, ignore_errors=True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())

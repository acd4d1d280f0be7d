#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How good the recommendations are: the tables of docs/accuracy.md, as Markdown.

    bench/accuracy.py [--data DIR] [--folder DIR] [--build build/release] [--only beauty,u1] [--table presets,...]

Reads the public sets from DIR (amazon2014/beauty, amazon2014/sports, raw/gift-cards-2018, movielens/ml-100k), fits each as a
user would, and prints

    presets   `standard` with seeds 1, 2, 3 (the mean and the spread), and `best` with seed 1
    parts     every model of the standard fit with seed 1, and the hybrid minus its best part
    protocol  the standard fit under other protocols: --seen keep, --ties shuffle, --split time, --split cold-items
    ratings   rmse and mae on ml-100k's own u1 split

with the seconds and the peak memory of the whole fit. A fit that is there already, whole, is not made again but judged
again, so its seconds are left out. Model folders stay in --folder."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

RANKING = "popularity,recent,user-knn,item-knn,cooccurrence,content,gpt2-items,hybrid"
LOO = ["--split", "leave-one-out"]
SETS = {
    "beauty": (["amazon2014/beauty/sequences.txt"], ["--items", "amazon2014/beauty/items.jsonl"]),
    "sports": (["amazon2014/sports/sequences.txt"], ["--items", "amazon2014/sports/items.jsonl"]),
    "gift-cards": (["raw/gift-cards-2018/Gift_Cards_5.json.gz"],
                   ["--items", "raw/gift-cards-2018/meta_Gift_Cards.json.gz"]),
    "ml-latest-small": (["movielens/ml-latest-small/ratings.csv"], ["--items", "movielens/ml-latest-small/movies.csv"]),
}
TIMED = ["gift-cards", "ml-latest-small"]  # sets with times, where ties and the time split mean something


def run(words):
    """The program's answer, its seconds and its peak memory in MB."""
    print("$ " + " ".join(words), file=sys.stderr)
    began = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    answer = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"accuracy: the command above failed with status {os.waitstatus_to_exitcode(status)}")
    return json.loads(answer), time.monotonic() - began, usage.ru_maxrss / 1024


def fit(o, name, which, options):
    """An evaluation of the set `which`, fitted with `options` into the folder `name`."""
    folder = o.folder / name
    if (folder / "tandem.json").exists():
        return run([o.tandem, "evaluate", str(folder), "--json", "-q"])[0], None, None
    sources, items = SETS[which]
    words = [str(o.data / w) if "/" in w else w for w in sources + items]
    return run([o.tandem, "fit", *words, *options, "-o", str(folder), "--json", "-q"])


def value(answer, metric, model="hybrid"):
    return answer["models"].get(model, {}).get(metric, {}).get("value", float("nan"))


def number(v, digits=4):
    return "-" if v != v else re.sub(r"^(-?)0\.", r"\1.", f"{v:.{digits}f}")


def cost(seconds, memory):
    return "- | -" if seconds is None else f"{seconds / 60:.1f} min | {memory:.0f} MB"


def presets(o, which):
    print(f"\n**{which}** | recall@10 | ndcg@10 | mrr@10 | time | peak\n--- | --- | --- | --- | --- | ---")
    rows = []
    for preset, seed in [("standard", 1), ("standard", 2), ("standard", 3), ("best", 1)]:
        answer, seconds, memory = fit(o, f"{which}-{preset}-{seed}", which,
                                      [*LOO, "--models", RANKING, "--preset", preset, "--seed", str(seed)])
        row = [value(answer, m) for m in ("recall@10", "ndcg@10", "mrr@10")]
        if preset == "standard":
            rows.append(row)
        print(f"{preset}, seed {seed} | " + " | ".join(map(number, row)) + " | " + cost(seconds, memory), flush=True)
        if len(rows) == 3 and seed == 3:
            columns = list(zip(*rows))
            print("standard, mean | " + " | ".join(number(statistics.mean(c)) for c in columns) + " | |")
            print("standard, spread | " + " | ".join(number(max(c) - min(c)) for c in columns) + " | |")


def parts(o, which):
    answer, _, _ = fit(o, f"{which}-standard-1", which, [*LOO, "--models", RANKING, "--seed", "1"])
    print(f"\n**{which}**, standard, seed 1 | recall@10 | ndcg@10 (95% interval) | coverage@10\n--- | --- | --- | ---")
    for name, m in sorted(answer["models"].items(), key=lambda x: -value(answer, "ndcg@10", x[0])):
        n = m.get("ndcg@10")
        if n:
            print(f"{name} | {number(value(answer, 'recall@10', name))} | {number(n['value'])} ({number(n['low'])} to "
                  f"{number(n['high'])}) | {number(value(answer, 'coverage@10', name), 2)}")
    for c in answer["comparisons"]:
        if c["b"] == answer.get("best_part") and c["metric"] == "ndcg@10":
            print(f"\nhybrid minus {c['b']}: {c['difference']:+.4f} ({c['low']:+.4f} to {c['high']:+.4f}), p = {c['p']:.4f}")


def protocol(o, which):
    print(f"\n**{which}**, standard, seed 1 | recall@10 | ndcg@10 | best part | its ndcg@10\n--- | --- | --- | --- | ---")
    cases = [("leave-one-out", LOO), ("seen items may return", [*LOO, "--seen", "keep"]),
             ("cold items", ["--split", "cold-items"])]
    if which in TIMED:
        cases += [("shuffled ties", [*LOO, "--ties", "shuffle"]), ("time split", ["--split", "time"])]
    for k, (said, options) in enumerate(cases):
        name = f"{which}-standard-1" if k == 0 else f"{which}-{said.replace(' ', '-')}-1"
        answer, _, _ = fit(o, name, which, [*options, "--models", RANKING, "--seed", "1"])
        best = answer.get("best_part", "-")
        print(f"{said} | {number(value(answer, 'recall@10'))} | {number(value(answer, 'ndcg@10'))} | {best} | "
              f"{number(value(answer, 'ndcg@10', best))}", flush=True)


def ratings(o, _):
    u1 = o.data / "movielens/ml-100k"
    folder = o.folder / "u1-standard-1"
    answer, seconds, memory = run([o.tandem, "fit", str(u1 / "u1.base"), "--test", str(u1 / "u1.test"), "--items",
                                   str(u1 / "u.item"), "--split", "files", "--models",
                                   "popularity,user-knn,item-knn,mf,svdpp,content,gpt2-items,hybrid", "-o", str(folder),
                                   "--json", "-q"])
    print(f"\n**ml-100k, u1** ({cost(seconds, memory).replace(' | ', ', ')}) | rmse (95% interval) | mae\n--- | --- | ---")
    for name, m in sorted(answer["models"].items(), key=lambda x: value(answer, "rmse", x[0])):
        if "rmse" in m:
            r = m["rmse"]
            print(f"{name} | {number(r['value'])} ({number(r['low'])} to {number(r['high'])}) | "
                  f"{number(value(answer, 'mae', name))}")
    for c in answer["comparisons"]:
        if c["metric"] == "rmse" and c["b"] in ("mf", "svdpp"):
            print(f"\nhybrid minus {c['b']}: {c['difference']:+.4f} ({c['low']:+.4f} to {c['high']:+.4f}), p = {c['p']:.4f}")


TABLES = {"presets": presets, "parts": parts, "protocol": protocol, "ratings": ratings}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data"))
    a.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("build/accuracy"))
    a.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    a.add_argument("--only", default="beauty,sports,gift-cards,ml-latest-small")
    a.add_argument("--table", default=",".join(TABLES))
    o = a.parse_args()
    o.tandem = str(o.build / "bin/tandem")
    if not pathlib.Path(o.tandem).exists():
        sys.exit(f"accuracy: there is no {o.tandem}; run make all first")
    if not o.data.is_dir():
        sys.exit(f"accuracy: there is no folder {o.data}; say with --data where the public sets lie")
    o.folder.mkdir(parents=True, exist_ok=True)
    for table in o.table.split(","):
        if table not in TABLES:
            sys.exit(f"accuracy: there is no table {table}; there are {', '.join(TABLES)}")
        for which in ["u1"] if table == "ratings" else o.only.split(","):
            if table != "ratings" and which not in SETS:
                sys.exit(f"accuracy: there is no set {which}; there are {', '.join(SETS)}")
            TABLES[table](o, which)


if __name__ == "__main__":
    main()

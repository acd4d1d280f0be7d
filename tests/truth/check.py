#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what tandem says to its own evidence, in a model fitted for this.

    check.py BIN small          a made-up shop, in seconds
    check.py BIN gift-cards     raw/gift-cards-2018 of the data folder, --preset standard: minutes
    check.py BIN instruments    raw/Musical_instruments_reviews.partial.csv of it, so

BIN is the folder of the programs. The data folder is TDM_SHARED, else ../shared/data beside the project; the real files
are read with TANDEM_DEEP=1 only. Exit status 77: skipped, and a line says why; 1: a figure falls short. KEEP=FOLDER keeps
the model there, and takes one that is there.

People are asked in turn, ten explained recommendations each; claims.py judges what is shown. Printed is a JSON object:
`sentences` (shown), of these `written` by GPT-2 (at its first try, or `tried_again`) and `plain` ones of the evidence where
it wrote none that may be shown; `unbacked` (claims without evidence), `naming` (sentences that name something of their own
evidence), `naming_of_others` (that name something of the evidence of another recommendation, the longest away: what the
measure gives to a sentence at random) and `unbacked_by_others` (claims that the other evidence does not back: what the
check catches); and what truth_titles and truth_personal say.
"""
import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import claims

LIST = 10


class Skip(Exception):
    pass


# ---- logs ----

def small(folder):
    """A shop whose reviewers talk of other brands, other things, prices and numbers: what a sentence may not repeat."""
    r = random.Random(7)
    makers = ["Northquay", "Tern Island", "Halden & Moe", "Larkspur"]
    kinds = [("Teapot", "Kitchen"), ("Lantern", "Lighting"), ("Notebook", "Stationery"), ("Blanket", "Bedding")]
    looks = "Amber Cobalt Ivory Crimson Emerald Saffron Indigo Walnut Pewter Coral".split()
    items = [(f"B{n:03}", f"{looks[n % 10]} {kinds[n % 4][0]} {'with Lid' if n % 3 else '(Gift Edition)'}", makers[n // 4 % 4],
              ["Home", kinds[n % 4][1]]) for n in range(40)]
    says = ["I bought {k} of these from {m} for ${p} and love them.", "It is a lovely {t} and it works very well.",
            "My sister has one from {m} and she likes it a lot.", "We use it every day and it still looks new to us.",
            "Better than the {o} that I had before this one.", "{m} makes the best {t} there is, and so do we.",
            "It has served us for {k} years and we love it.", "As good as the {o} and as good for {c}."]
    with open(folder / "items.jsonl", "w") as f:
        for asin, title, brand, category in items:
            f.write(json.dumps({"asin": asin, "title": title, "brand": brand, "category": category}) + "\n")
    with open(folder / "reviews.jsonl", "w") as f:
        for u in range(120):
            taste = u % 4
            mine = r.sample([n for n in range(40) if n % 4 == taste], 5) + r.sample(range(40), 3)
            for k, n in enumerate(dict.fromkeys(mine)):
                text = r.choice(says).format(k=r.choice(["two", "3", "five", "12"]), m=r.choice(makers), p=r.randint(5, 60),
                                             t=kinds[n % 4][0].lower(), o=r.choice(items)[1],
                                             c=r.choice(kinds)[1].lower())
                f.write(json.dumps({"reviewerID": f"P{u:03}", "asin": items[n][0], "overall": r.choice([3, 4, 5, 5]),
                                    "summary": r.choice(["Lovely", "Works well", f"Nice {kinds[n % 4][0].lower()}"]),
                                    "reviewText": text, "unixReviewTime": 1500000000 + 86400 * (30 * k + u)}) + "\n")
    options = ["--preset", "quick", "--set", "gpt2-words.steps=400", "--set", "gpt2-items.epochs=1"]
    return ([str(folder / "reviews.jsonl"), "--items", str(folder / "items.jsonl")] + options, items,
            [f"P{u:03}" for u in range(120)])


def data(name):
    if os.environ.get("TANDEM_DEEP", "0") in ("", "0"):
        raise Skip("sentences from real files take a while: with TANDEM_DEEP=1 only (make check-deep)")
    root = os.environ.get("TDM_SHARED") or pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = pathlib.Path(root) / name
    if not path.exists():
        raise Skip(f"{path} is not there; TDM_SHARED says where the data folder is")
    return path


def gift_cards(_):
    folder = data("raw/gift-cards-2018")
    lines = (folder / "Gift_Cards_5.json").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    known = {row["asin"] for row in rows}
    meta = [json.loads(line) for line in (folder / "meta_Gift_Cards.json").read_text(encoding="utf-8").splitlines()]
    items = [(m["asin"], m["title"], m["brand"], m["category"]) for m in meta if m["asin"] in known]
    source = [str(folder / "Gift_Cards_5.json"), "--items", str(folder / "meta_Gift_Cards.json")]
    return source + ["--preset", "standard"], items, list(dict.fromkeys(row["reviewerID"] for row in rows))


def instruments(_):
    path = data("raw/Musical_instruments_reviews.partial.csv")
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    items = [(item, "", "", []) for item in dict.fromkeys(row[1] for row in rows)]
    return [str(path), "--preset", "standard"], items, list(dict.fromkeys(row[0] for row in rows))


# source, sentences, titles drawn, people with one item, and what must be reached
LOGS = {
    "small": (small, 200, 1000, 60, {"naming": .9, "plain": .5}),
    "gift-cards": (gift_cards, 1000, 10000, 200, {"naming": .9, "plain": .2, "different": .9, "own": .8}),
    "instruments": (instruments, 1000, 10000, 200, {"naming": .9, "plain": .2, "different": .9, "own": .8}),
}


# ---- asking ----

def run(command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode not in (0, 1) or not (done.stdout or done.returncode == 0):
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}: {done.stderr.strip()[-400:]}")
    return done


def recommendations(program, model, people, wanted):
    """Explained recommendations of people evenly drawn, in turn."""
    found = []
    few = max(1, len(people) * LIST // wanted)
    order = [u for first in range(few) for u in people[first::few]]
    for user in order:
        if len(found) >= wanted:
            break
        done = run([program, "recommend", model, "--user", user, "-n", LIST, "--explain", "--sentence", "gpt2", "--json"])
        if done.returncode == 0:
            found += json.loads(done.stdout)["recommendations"]
    return found[:wanted]


def judge_all(catalogue, shown):
    n = len(shown)
    out = {"sentences": n, "written": 0, "tried_again": 0, "plain": 0, "tries": 0, "unbacked": 0, "naming": 0,
           "naming_of_others": 0, "unbacked_by_others": 0, "different": len({one["text"] for one in shown})}
    faults = []
    for k, one in enumerate(shown):
        other = shown[(k + n // 2) % n]
        plain = one["text_source"] in ("evidence", "none")
        out["plain"] += plain
        out["written"] += not plain and one["tries"] <= 1
        out["tried_again"] += not plain and one["tries"] > 1
        out["tries"] += one["tries"]
        missing, _ = claims.judge(catalogue, one["text"], claims.evidence_of(one))
        faults += [f"{one['text']!r}: {kind} {what!r} is no evidence" for kind, what in missing]
        out["unbacked"] += len(missing)
        out["unbacked_by_others"] += len(claims.judge(catalogue, one["text"], claims.evidence_of(other))[0])
        out["naming"] += claims.names_something(catalogue, one["text"], one)
        out["naming_of_others"] += claims.names_something(catalogue, one["text"], other)
    return out, faults


def shortfalls(out, must):
    n = max(1, out["sentences"])
    titles, personal = out["titles"], out["personal"]
    people = max(1, personal["people"])
    yield "sentences shown", out["sentences"], n == out["wanted"]
    yield "claims that the evidence does not back", out["unbacked"], out["unbacked"] == 0
    yield "claims that another evidence does not back", out["unbacked_by_others"], out["unbacked_by_others"] > n / 2
    yield "share that names its evidence", out["naming"] / n, out["naming"] >= must["naming"] * n
    yield "share of plain sentences", out["plain"] / n, out["plain"] < must["plain"] * n
    yield "titles along the tree outside the catalogue", titles["tree"]["outside"], titles["tree"]["outside"] == 0
    yield "titles drawn along the tree", titles["tree"]["titles"], titles["tree"]["titles"] == out["titles_wanted"]
    for way in ("greedy", "sampled"):
        if "different" in must:
            share = personal[way]["different"] / people
            yield f"share of different sentences, {way}", share, share >= must["different"]
            yield "people with one item", people, people == out["people_wanted"]
        if "own" in must:
            own = personal[way]["written"]["own"]
            yield f"share likelier behind its own prompt, {way}", own, own >= must["own"]


def check(binaries, name, folder):
    make, wanted, titles, people, must = LOGS[name]
    source, items, users = make(folder)
    program, model = binaries / "tandem", pathlib.Path(os.environ.get("KEEP") or folder / "model")
    if not (model / "tandem.json").exists():
        fit = run([program, "fit", *source, "-o", model, "--json"])
        if fit.returncode:
            sys.exit(f"tandem fit: {fit.stderr.strip()[-400:]}")
    out, faults = judge_all(claims.Catalogue(items), recommendations(program, model, users, wanted))
    out |= {"wanted": wanted, "titles_wanted": titles, "people_wanted": people}
    out["titles"] = json.loads(run([binaries / "truth_titles", model, titles]).stdout)
    out["personal"] = json.loads(run([binaries / "truth_personal", model, people]).stdout)
    print(json.dumps(out, indent=1))
    print("\n".join(faults[:20]))
    short = [f"{what}: {value}" for what, value, fine in shortfalls(out, must) if not fine]
    if short:
        sys.exit(f"{name} falls short: " + "; ".join(short))


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in LOGS:
        sys.exit("usage: check.py BIN small|gift-cards|instruments")
    with tempfile.TemporaryDirectory(prefix="tandem-truth-") as folder:
        try:
            check(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(folder))
        except Skip as why:
            print(f"skipped: {why}")
            sys.exit(77)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/eval/golden/texts.json: lists of drawn texts and what BLEU, ROUGE and the others say of them, computed
straight from the formulas (src/eval/texts.h names the papers) with counters of tuples. Run by hand, once."""
import collections
import itertools
import json
import math
import pathlib
import random
import re


def words(text):
    return re.findall(rb"[0-9a-z\x80-\xff]+", text.lower().encode())


def grams(w, n):
    return collections.Counter(tuple(w[i:i + n]) for i in range(len(w) - n + 1))


def f1(hits, n, m):
    return 0 if not hits else 2 / (n / hits + m / hits)


def longest(a, b):
    if not a or not b:
        return 0
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def bleu(pairs, most):
    logs = []
    for n in range(1, most + 1):
        hits = sum(sum((grams(a, n) & grams(b, n)).values()) for a, b in pairs)
        if not hits:
            return 0
        logs.append(math.log(hits / sum(sum(grams(a, n).values()) for a, _ in pairs)))
    c, r = sum(len(a) for a, _ in pairs), sum(len(b) for _, b in pairs)
    return min(1, math.exp(1 - r / c)) * math.exp(sum(logs) / most)


def rouge(pairs, n):
    return sum(f1(sum((grams(a, n) & grams(b, n)).values()), max(len(a) - n + 1, 0), max(len(b) - n + 1, 0))
               for a, b in pairs) / len(pairs)


def distinct(pairs, n):
    all_of = [g for a, _ in pairs for g in grams(a, n).elements()]
    return len(set(all_of)) / len(all_of) if all_of else 0


def scores(texts, features):
    pairs = [(words(a), words(b)) for a, b in texts]
    f = {x.encode() for x in features}
    named = [next(w for w in b if w in f) if any(w in f for w in b) else None for _, b in pairs]
    sets = [set(a) & f for a, _ in pairs]
    n = len(pairs)
    return {
        "bleu@1": bleu(pairs, 1), "bleu@4": bleu(pairs, 4), "rouge@1": rouge(pairs, 1), "rouge@2": rouge(pairs, 2),
        "rouge@l": sum(f1(longest(a, b), len(a), len(b)) for a, b in pairs) / n,
        "distinct@1": distinct(pairs, 1), "distinct@2": distinct(pairs, 2),
        "usr": len({tuple(a) for a, _ in pairs}) / n,
        "fmr": (sum(x in a for x, (a, _) in zip(named, pairs) if x) / sum(x is not None for x in named))
        if any(named) else 0,
        "fcr": len(set().union(*sets)) / len(f) if f else 0,
        "diversity": (sum(len(x & y) for x, y in itertools.combinations(sets, 2)) / (n * (n - 1) / 2)) if n > 1 else 0,
    }


def main():
    draw = random.Random(7)
    stock = "the a great strap guitar is it was this tuner café work works well for my price 10 buy string".split()
    cases = []
    for k in range(24):
        n = draw.choice([1, 2, 5, 12])
        texts = []
        for _ in range(n):
            reference = [draw.choice(stock) for _ in range(draw.randint(1, 14))]
            text = [w if draw.random() < 0.6 else draw.choice(stock) for w in reference][:draw.randint(0, 14)]
            mark = draw.choice([" ", ", ", "! ", "\n", " -- "])
            texts.append([mark.join(text).capitalize() + ".", " ".join(reference)])
        features = [] if k % 6 == 0 else draw.sample(stock, 6)
        cases.append({"texts": texts, "features": features, "scores": scores(texts, features)})
    path = pathlib.Path(__file__).parent.parent / "tests/eval/golden/texts.json"
    path.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

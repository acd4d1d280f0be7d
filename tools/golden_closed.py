#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden_closed.py - makes tests/cf/golden/closed.safetensors: a small log, and what the models without training steps
say of it, written out in numpy, in double, with whole matrices.

Each is its definition and nothing else: EASE from Steck's equation 8, SLIST from rows of S and T that are really made,
co-occurrence and transitions by walking the histories, popularity and recent by counting. `scores` are EASE's for every
person's own history. Zero stands for "no opinion". Run it only to change the case:

    python3 tools/golden_closed.py tests/cf/golden/closed.safetensors
"""
import sys

import numpy as np

from golden_file import write

USERS, ITEMS, LONGEST, DAY = 100, 30, 14, 86400
EASE = {"lambda": 20.0, "history_decay": 0.6}
SLIST = {"lambda": 10.0, "whole": 0.3, "past_decay": 0.7, "future_decay": 0.4}
PAIRS = {"gap_decay": 0.85, "reverse": 0.3, "shrink": 3.0, "source_power": 0.5, "target_power": 0.25}
SHRINK, HALF_LIFE = 2.0, 10.0


def make_log(rng):
    """Popularity skewed; one person who chose nothing, one item that nobody chose, and some who choose a thing again."""
    popularity = 1 / (np.arange(ITEMS - 1) + 2.0)
    popularity /= popularity.sum()
    rows, times = [], []
    for u in range(USERS):
        n = 0 if u == 7 else 1 + int(rng.integers(LONGEST))
        rows.append(rng.choice(ITEMS - 1, size=n, p=popularity))
        times.append(np.sort(rng.integers(0, 60 * DAY, size=n)))
    return rows, times


def newest_once(row, time):
    """Each item of a history once, at its newest place."""
    kept = [k for k in range(len(row)) if row[k] not in row[k + 1 :]]
    return row[kept], time[kept]


def ease(histories):
    X = np.zeros((USERS, ITEMS))
    for u, h in enumerate(histories):
        X[u, h] = 1
    P = np.linalg.inv(X.T @ X + EASE["lambda"] * np.eye(ITEMS))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    return B


def slist(histories):
    X, S, T = [], [], []
    for h in histories:
        x = np.zeros(ITEMS)
        x[h] = 1
        X.append(x)
        for cut in range(1, len(h)):
            s, t = np.zeros(ITEMS), np.zeros(ITEMS)
            s[h[:cut]] = SLIST["past_decay"] ** np.arange(cut - 1, -1, -1)
            t[h[cut:]] = SLIST["future_decay"] ** np.arange(len(h) - cut)
            S.append(s)
            T.append(t)
    X, S, T = np.array(X), np.array(S), np.array(T)
    whole = SLIST["whole"] * X.T @ X
    left = whole + (1 - SLIST["whole"]) * S.T @ S + SLIST["lambda"] * np.eye(ITEMS)
    B = np.linalg.inv(left) @ (whole + (1 - SLIST["whole"]) * S.T @ T)
    np.fill_diagonal(B, 0)
    return B


def cooccurrence(rows):
    G, c, n = np.zeros((ITEMS, ITEMS)), np.zeros((ITEMS, ITEMS)), np.zeros(ITEMS)
    for row in rows:
        for p, a in enumerate(row):
            n[a] += 1
            for q, b in enumerate(row):
                if p != q:
                    G[a, b] += PAIRS["gap_decay"] ** (abs(q - p) - 1) * (1 if q > p else PAIRS["reverse"])
                    c[a, b] += 1
    source, target = np.maximum(n, 1) ** PAIRS["source_power"], np.maximum(n, 1) ** PAIRS["target_power"]
    B = G * c / (c + PAIRS["shrink"]) / source[:, None] / target
    np.fill_diagonal(B, 0)
    return B


def transitions(rows):
    """P(next | last): a row for each last item."""
    c, n = np.zeros((ITEMS, ITEMS)), np.zeros(ITEMS)
    for row in rows:
        np.add.at(n, row, 1)
        np.add.at(c, (row[:-1], row[1:]), 1)
    popular = n / n.sum()
    left = c.sum(1, keepdims=True)
    return np.where(left > 0, (c + SHRINK * popular) / (left + SHRINK), popular)


def recent(histories, now):
    sums = np.zeros(ITEMS)
    for items, times in histories:
        past = times <= now
        np.add.at(sums, items[past], 2.0 ** (-(now - times[past]) / (HALF_LIFE * DAY)))
    return np.log1p(sums)


def weights(rows):
    """How much each item of a history counts: by the steps from its end to the item's newest place."""
    w = np.zeros((USERS, ITEMS))
    for u, row in enumerate(rows):
        for k, i in enumerate(row[::-1]):
            w[u, i] = max(w[u, i], EASE["history_decay"] ** k)
    return w


def main():
    rng = np.random.default_rng(21)
    rows, times = make_log(rng)
    once = [newest_once(r, t) for r, t in zip(rows, times)]
    histories = [h for h, _ in once]
    people = np.zeros(ITEMS)
    for h in histories:
        people[h] += 1
    B = ease(histories)
    newest = max(t[-1] for t in times if len(t))
    small = {
        "ease": B,
        "ease.scores": np.maximum(weights(rows) @ B, 0),
        "slist": slist(histories),
        "cooccurrence": cooccurrence(rows),
        "transitions": transitions(rows),
        "popularity": np.log1p(people),
        "recent": np.array([recent(once, newest), recent(once, 20 * DAY)]),
    }
    arrays = {
        "offset": np.cumsum([0] + [len(r) for r in rows], dtype=np.int64),
        "time": np.concatenate(times).astype(np.int64),
        "item": np.concatenate(rows).astype(np.uint32),
    }
    arrays.update({name: a.astype(np.float32) for name, a in small.items()})
    write(sys.argv[1], arrays)


main()

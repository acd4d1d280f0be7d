#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden_user_knn.py - makes tests/cf/golden/user_knn.safetensors: a small log, and what user-knn says about it in numpy.

Everybody asks with the whole history: the K neighbours and their similarity (0 where there are fewer), scores of all
items (-1 where there is no opinion), and ratings of all items by Pearson, written from the formulas of
src/cf/user_knn.c, similar.h and baseline.h, in double, over everybody. Run it only to change the case:

    python3 tools/golden_user_knn.py tests/cf/golden/user_knn.safetensors
"""
import sys

import numpy as np

from golden_file import write

USERS, ITEMS, K = 90, 60, 12
SHRINK, AMPLIFY, TARGET, GAP, BEFORE, DECAY = 0.5, 0.75, 0.15, 0.85, 0.3, 0.7
RATED_K, RATED_SHRINK = 15, 3.0


def make_log(rng):
    """Each item once for a person, in time order; one person who chose nothing and one item that nobody chose."""
    popularity = 1 / (np.arange(ITEMS - 1) + 4.0)
    popularity /= popularity.sum()
    rows = []
    for u in range(USERS):
        n = 0 if u == 7 else min(ITEMS - 1, 2 + int(rng.lognormal(2, 0.8)))
        rows.append(rng.choice(ITEMS - 1, size=n, replace=False, p=popularity))
    return rows


def baseline(rows, ratings):
    mean = np.concatenate(ratings).mean()
    item, user = np.zeros(ITEMS), np.zeros(USERS)
    for _ in range(10):
        total, count = np.zeros(ITEMS), np.zeros(ITEMS)
        for u in range(USERS):
            total[rows[u]] += ratings[u] - mean - user[u]
            count[rows[u]] += 1
        item = total / (count + 5)
        user = np.array([(ratings[u] - mean - item[rows[u]]).sum() / (len(rows[u]) + 10) for u in range(USERS)])
    return mean, item, user


def nearest(s, k):
    """Equal ones by row; equal as floats, or the last bits of a double would choose."""
    s = s.astype(np.float32)
    order = np.lexsort((np.arange(len(s)), -s))
    return [int(v) for v in order[:k] if s[v] > 0]


def by_cosine(rows, u):
    """Everybody's similarity to person u."""
    n = np.bincount(np.concatenate(rows), minlength=ITEMS)
    b = np.where(n > 0, np.log1p(USERS / np.maximum(n, 1)), 0)
    a = {i: DECAY**j * b[i] for j, i in enumerate(rows[u][::-1]) if DECAY**j > 1e-6}
    length = np.sqrt(sum(x * x for x in a.values()))
    s = np.zeros(USERS)
    for v in range(USERS):
        shared = [i for i in rows[v] if i in a]
        if v != u and shared:
            c = len(shared)
            s[v] = sum(a[i] * b[i] for i in shared) / (length * np.sqrt((b[rows[v]] ** 2).sum())) * c / (c + SHRINK)
    return s, n


def votes(rows, u):
    s, n = by_cosine(rows, u)
    near, score = nearest(s, K), np.zeros(ITEMS)
    newest = {i: j for j, i in enumerate(rows[u][::-1])}
    for v in near:
        anchor = min((newest[i], q) for q, i in enumerate(rows[v]) if i in newest)[1]
        for q, i in enumerate(rows[v]):
            d = GAP ** (max(abs(q - anchor), 1) - 1) * (BEFORE if q < anchor else 1)
            score[i] += s[v] ** AMPLIFY * d
    score = np.where(score > 0, score / np.maximum(n, 1) ** TARGET, -1)
    return near, s[near], score


def predicted(rows, residual, base, u):
    """Ratings of all items for person u, who is not a neighbour."""
    mean, item, user = base
    mine = dict(zip(rows[u], residual[u]))
    s = np.zeros(USERS)
    for v in range(USERS):
        pairs = np.array([(mine[i], e) for i, e in zip(rows[v], residual[v]) if i in mine])
        if v != u and len(pairs):
            x = (pairs[:, 0] * pairs[:, 1]).sum() / np.sqrt((pairs**2).sum(axis=0).prod())
            s[v] = x * len(pairs) / (len(pairs) + RATED_SHRINK)
    out = np.zeros(ITEMS)
    for i in range(ITEMS):
        of = np.array([s[v] if i in rows[v] else 0.0 for v in range(USERS)])
        near = nearest(of, RATED_K)
        e = np.array([residual[v][list(rows[v]).index(i)] for v in near])
        out[i] = mean + item[i] + user[u] + (of[near] * e).sum() / (of[near].sum() + 0.01)
    return np.clip(out, 1, 5)


def main():
    rng = np.random.default_rng(21)
    rows = make_log(rng)
    lean = rng.normal(size=USERS)
    ratings = [np.clip(np.rint(3.5 + lean[u] * np.sin(r) + 0.7 * rng.normal(size=len(r))), 1, 5) for u, r in enumerate(rows)]
    base = baseline(rows, ratings)
    residual = [ratings[u] - base[0] - base[1][r] - base[2][u] for u, r in enumerate(rows)]
    near, similarity = np.zeros((USERS, K), np.uint32), np.zeros((USERS, K), np.float32)
    scores, predictions = np.zeros((USERS, ITEMS), np.float32), np.zeros((USERS, ITEMS), np.float32)
    for u in range(USERS):
        people, s, scores[u] = votes(rows, u)
        near[u, : len(people)], similarity[u, : len(people)] = people, s
        predictions[u] = predicted(rows, residual, base, u)
    write(
        sys.argv[1],
        {
            "offset": np.cumsum([0] + [len(r) for r in rows], dtype=np.int64),
            "item": np.concatenate(rows).astype(np.uint32),
            "rating": np.concatenate(ratings).astype(np.float32),
            "near": near,
            "similarity": similarity,
            "scores": scores,
            "ratings": predictions,
        },
    )


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden_knn.py - makes tests/cf/golden/item_knn.safetensors: a small log, and what item-knn makes of it in numpy.

`links` are the dense matrices of the three similarities, row a to column b, each row cut to its K strongest; `ratings`
are predictions for every person and item. All of it is written out from matrices in double: X (who chose what), F (the
same times f_u) and E (what is left of ratings after the baseline). Run it only to change the case:

    python3 tools/golden_knn.py tests/cf/golden/item_knn.safetensors
"""
import sys

import numpy as np

from golden_file import write

USERS, ITEMS = 80, 40
K, SHRINK, SOURCE, TARGET, ACTIVITY = 15, 3.0, 0.4, 0.3, 0.25
RATED_K, RATED_SHRINK = 6, 10.0


def make_log(rng):
    """Popularity skewed; one item that nobody chose; every seventh choice or so is not rated."""
    popularity = 1 / (np.arange(ITEMS - 1) + 3.0)
    popularity /= popularity.sum()
    rows, ratings = [], []
    for _ in range(USERS):
        n = min(ITEMS - 5, 2 + int(rng.lognormal(2, 0.6)))
        row = rng.choice(ITEMS - 1, size=n, replace=False, p=popularity)
        lean = rng.normal()
        r = np.clip(np.round(3.4 + rng.normal() * 0.5 + lean * np.sin(row) + rng.normal(size=n) * 0.6), 1, 5)
        r[rng.random(n) < 1 / 7] = np.nan
        rows.append(row)
        ratings.append(r)
    return rows, ratings


def baseline(R):
    """Mean, item offsets, people's offsets: damped, ten sweeps."""
    has = np.isfinite(R)
    D = np.where(has, R - R[has].mean(), 0)
    item, user = np.zeros(ITEMS), np.zeros(USERS)
    for _ in range(10):
        item = (np.where(has, D - user[:, None], 0).sum(0) / (has.sum(0) + 5)).astype(np.float32).astype(float)
        user = np.where(has, D - item, 0).sum(1) / (has.sum(1) + 10)
    return R[has].mean() + user[:, None] + item


def cut(W):
    """Each row's K strongest, the lower item first of equals."""
    out = np.zeros_like(W)
    for a in range(ITEMS):
        best = np.lexsort((np.arange(ITEMS), -np.abs(W[a])))[:K]
        out[a, best] = W[a, best]
    return out


def similarities(X):
    n = X.sum(0)
    F = X * (X.sum(1, keepdims=True) ** -ACTIVITY)
    sum_f, count = F.T @ F, X.T @ X
    norm = np.diag(sum_f).copy()
    few = np.where(count > 0, count / (count + SHRINK), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        all_three = [
            sum_f * few / np.outer(norm**SOURCE, norm**TARGET),
            sum_f * few / (norm[:, None] + norm[None, :] - sum_f),
            sum_f * few / np.outer(n, n**TARGET),
        ]
    for W in all_three:
        np.fill_diagonal(W, 0)
    return [cut(np.nan_to_num(W)) for W in all_three]


def predictions(R):
    b = baseline(R)
    has = np.isfinite(R)
    E = np.where(has, R - b, 0)
    norm = np.sqrt((E * E).sum(0))
    count = (has.T.astype(float)) @ has
    with np.errstate(divide="ignore", invalid="ignore"):
        S = np.nan_to_num(E.T @ E / np.outer(norm, norm)) * count / (count + RATED_SHRINK)
    np.fill_diagonal(S, 0)
    S = cut(S)
    out = np.zeros((USERS, ITEMS))
    for u in range(USERS):
        for t in range(ITEMS):
            near = [(S[t, j], E[u, j]) for j in range(ITEMS) if has[u, j] and j != t and S[t, j] > 0]
            near = sorted(near, reverse=True)[:RATED_K]
            out[u, t] = b[u, t] + sum(s * e for s, e in near) / (sum(s for s, _ in near) + 0.01)
    return np.clip(out, np.nanmin(R), np.nanmax(R))


def main():
    rows, ratings = make_log(np.random.default_rng(21))
    X, R = np.zeros((USERS, ITEMS)), np.full((USERS, ITEMS), np.nan)
    for u, row in enumerate(rows):
        X[u, row] = 1
        R[u, row] = ratings[u]
    write(
        sys.argv[1],
        {
            "offset": np.cumsum([0] + [len(r) for r in rows], dtype=np.int64),
            "item": np.concatenate(rows).astype(np.uint32),
            "rating": np.concatenate(ratings).astype(np.float32),
            "links": np.stack(similarities(X)).astype(np.float32),
            "ratings": predictions(R).astype(np.float32),
        },
    )


main()

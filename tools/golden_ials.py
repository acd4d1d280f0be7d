#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden_ials.py - makes tests/cf/golden/ials.safetensors: a small log, a start, and where two references get to.

`objective` is what conjugate gradient reaches as the library `implicit` runs it (three steps a row from the last
iteration's row, in single precision; its least_squares_cg, written again here), after ten iterations from the given
start. `scores` are X Y' after ten iterations of exact alternating least squares in double. Run it only to change the case:

    python3 tools/golden_ials.py tests/cf/golden/ials.safetensors
"""
import sys

import numpy as np

from golden_file import write

USERS, ITEMS, K, ITERATIONS, STEPS = 80, 50, 16, 10, 3
REGULARIZATION, ALPHA = 0.01, 1.0


def make_log(rng):
    """Popularity skewed; one person who chose nothing and one item that nobody chose."""
    popularity = 1 / (np.arange(ITEMS - 1) + 3.0)
    popularity /= popularity.sum()
    rows = []
    for u in range(USERS):
        n = 0 if u == 7 else min(ITEMS - 1, 1 + int(rng.lognormal(2, 0.9)))
        rows.append(rng.choice(ITEMS - 1, size=n, replace=False, p=popularity))
    return rows


def conjugate(weights, X, Y):
    """weights[u]: pairs (item, a); confidence is 1 + a."""
    YtY = (Y.T @ Y + np.float32(REGULARIZATION) * np.eye(K, dtype=np.float32)).astype(np.float32)
    for u, row in enumerate(weights):
        x = X[u].copy()
        r = -YtY @ x
        for i, a in row:
            r += ((1 + a) - a * (Y[i] @ x)) * Y[i]
        p, rsold = r.copy(), r @ r
        if rsold < 1e-20:
            continue
        for _ in range(STEPS):
            Ap = YtY @ p
            for i, a in row:
                Ap += a * (Y[i] @ p) * Y[i]
            step = rsold / (p @ Ap)
            x += step * p
            r -= step * Ap
            rsnew = r @ r
            if rsnew < 1e-20:
                break
            p = r + (rsnew / rsold) * p
            rsold = rsnew
        X[u] = x


def exact(weights, X, Y):
    YtY = Y.T @ Y + REGULARIZATION * np.eye(K)
    for u, row in enumerate(weights):
        A, b = YtY.copy(), np.zeros(K)
        for i, a in row:
            A += float(a) * np.outer(Y[i], Y[i])
            b += (1 + float(a)) * Y[i]
        X[u] = np.linalg.solve(A, b)


def objective(weights, X, Y):
    X, Y = X.astype(np.float64), Y.astype(np.float64)
    S = X @ Y.T
    loss = (S**2).sum() + REGULARIZATION * ((X**2).sum() + (Y**2).sum())
    for u, row in enumerate(weights):
        for i, a in row:
            loss += (1 + float(a)) * (1 - S[u, i]) ** 2 - S[u, i] ** 2
    return loss


def run(step, dtype, by_user, by_item, X, Y):
    X, Y = X.astype(dtype), Y.astype(dtype)
    for _ in range(ITERATIONS):
        step(by_user, X, Y)
        step(by_item, Y, X)
    return X, Y


def main():
    rng = np.random.default_rng(20)
    rows = make_log(rng)
    by_user = [[(int(i), np.float32(ALPHA * rng.integers(1, 6))) for i in row] for row in rows]
    by_item = [[] for _ in range(ITEMS)]
    for u, row in enumerate(by_user):
        for i, a in row:
            by_item[i].append((u, a))
    X = ((rng.random((USERS, K)) - 0.5) / K).astype(np.float32)
    Y = ((rng.random((ITEMS, K)) - 0.5) / K).astype(np.float32)
    near = objective(by_user, *run(conjugate, np.float32, by_user, by_item, X, Y))
    best = run(exact, np.float64, by_user, by_item, X, Y)
    print(f"conjugate gradient {near:.6f}, exact {objective(by_user, *best):.6f}")
    arrays = {
        "objective": np.array([near, objective(by_user, *best)]),
        "offset": np.cumsum([0] + [len(r) for r in by_user], dtype=np.int64),
        "from": np.cumsum([0] + [len(r) for r in by_item], dtype=np.int64),
        "item": np.array([i for r in by_user for i, _ in r], dtype=np.uint32),
        "user": np.array([u for r in by_item for u, _ in r], dtype=np.uint32),
        "a": np.array([a for r in by_user for _, a in r], dtype=np.float32),
        "a_by_item": np.array([a for r in by_item for _, a in r], dtype=np.float32),
        "X": X,
        "Y": Y,
        "scores": (best[0] @ best[1].T).astype(np.float32),
    }
    write(sys.argv[1], arrays)


main()

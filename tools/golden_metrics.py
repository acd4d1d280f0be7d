#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden_metrics.py - makes tests/eval/golden/metrics.json: small evaluations and what they must give.

Written from the definitions in docs/evaluation.md with numpy, in another way than the library: rankings by a full sort,
relevance as 0/1 vectors over the whole catalogue, pairs counted one by one. Run it only to add cases:

    python3 tools/golden_metrics.py > tests/eval/golden/metrics.json
"""
import json
import numpy as np

CUTOFFS = [1, 3, 10, 25]
MAIN = 10
LENGTHS = [("0", 0, 0), ("1-4", 1, 4), ("5-9", 5, 9), ("10-19", 10, 19), ("20+", 20, 10**9)]


def per_person(relevance, total, k):
    """relevance: 0/1 down the ranking, already cut to what the model listed; total: relevant items in all."""
    rel = np.zeros(k)
    rel[: min(k, len(relevance))] = relevance[:k]
    hits = rel.sum()
    precision, recall = hits / k, hits / total
    places = np.arange(1, k + 1)
    ideal = np.zeros(k)
    ideal[: min(k, total)] = 1
    dcg = lambda r: (r / np.log2(places + 1)).sum()
    first = np.flatnonzero(rel)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 0.0 if hits == 0 else 2 / (1 / precision + 1 / recall),
        "map": (rel * np.cumsum(rel) / places).sum() / min(k, total),
        "ndcg": dcg(rel) / dcg(ideal),
        "mrr": 0.0 if first.size == 0 else 1.0 / (first[0] + 1),
        "hit": float(first.size > 0),
    }


def gini(x):
    """Half the relative mean absolute difference."""
    x = np.asarray(x, float)
    if x.sum() == 0:
        return 0.0
    return np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())


def ranking(scores, history, keep):
    s = np.array([-np.inf if v is None else v for v in scores])
    if not keep:
        s[history] = -np.inf
    order = sorted(range(len(s)), key=lambda i: (-s[i], i))
    return [i for i in order if s[i] > -np.inf]


def mean(values):
    return float(np.mean(values)) if len(values) else None


def make(rng, items, people, levels, silent, keep, dims):
    train = [rng.choice(items, rng.integers(0, 6), p=skew(items)).tolist() for _ in range(people + 5)]
    vectors = np.round(rng.normal(size=(items, dims)) * 4) / 4
    vectors[rng.integers(items)] = 0
    asked = []
    for u in range(people):
        n = int(rng.choice([0, 2, 4, 5, 9, 10, 19, 20, 24]))
        scores = (rng.integers(0, levels, items) / 4).tolist()
        for i in np.flatnonzero(rng.random(items) < silent):
            scores[i] = None
        if u == 1:
            scores = [None] * items
        targets = rng.integers(0, items, int(rng.integers(0, 5)) if u else 0).tolist()
        if u % 7 == 3:
            targets = rng.permutation(items)[: 3 + items // 2].tolist()
        asked.append({
            "history": rng.integers(0, items, n).tolist(),
            "scores": scores,
            "targets": targets,
            "counts": (rng.random(len(targets)) < 0.8).astype(int).tolist(),
            "ratings": [None if rng.random() < 0.3 else int(rng.integers(1, 6)) for _ in targets],
            "predicted": [None if rng.random() < 0.2 else float(rng.integers(0, 28) / 4) for _ in targets],
        })
    case = {"items": items, "train": train, "vectors": vectors.tolist(), "keep": keep, "questions": asked}
    case["expected"] = judge(case)
    return case


def skew(items):
    p = 1.0 / np.arange(1, items + 1)
    return p / p.sum()


def judge(case):
    items, train = case["items"], case["train"]
    chosen = np.array([sum(i in t for t in train) for i in range(items)])
    rows = np.array([sum(t.count(i) for t in train) for i in range(items)])
    people = sum(len(t) > 0 for t in train)
    head = set(sorted(range(items), key=lambda i: (-rows[i], i))[: -(-items // 5)])
    vectors = np.array(case["vectors"])
    norm = np.linalg.norm(vectors, axis=1)
    unit = vectors / np.where(norm > 0, norm, 1)[:, None]
    out = {"people": 0, "persons": [], "at": {}, "slices": {}}
    lists, sets, lengths = [], [], []
    for q in case["questions"]:
        relevant = {t for t, c in zip(q["targets"], q["counts"]) if c}
        if relevant:
            lists.append(ranking(q["scores"], q["history"], case["keep"]))
            sets.append(relevant)
            lengths.append(len(q["history"]))
    out["people"] = len(lists)
    cut = [l[: max(CUTOFFS)] for l in lists]
    relevance = lambda l, s: np.array([i in s for i in l], float)
    for k in CUTOFFS:
        each = [per_person(relevance(l, s), len(s), k) for l, s in zip(cut, sets)]
        out["persons"].append(each)
        at = {m: mean([e[m] for e in each]) for m in each[0]}
        shown = [l[:k] for l in cut]
        counts = np.bincount(np.concatenate([np.array(l, int) for l in shown]), minlength=items)
        at["coverage"] = float((counts > 0).mean())
        at["gini"] = gini(counts)
        at["novelty"] = mean([np.mean([-np.log2((chosen[i] + 1) / (people + 1)) for i in l]) for l in shown if l])
        at["diversity"] = mean([
            np.mean([1 - unit[l[a]] @ unit[l[b]] for a in range(len(l)) for b in range(a)]) for l in shown if len(l) > 1
        ])
        out["at"][str(k)] = at
    kinds = {"head": head, "tail": set(range(items)) - head, "new": set(np.flatnonzero(rows == 0).tolist())}
    for name, low, high in LENGTHS:
        chosen_people = [i for i, n in enumerate(lengths) if low <= n <= high]
        out["slices"][name] = slice_of([cut[i] for i in chosen_people], [sets[i] for i in chosen_people], relevance)
    for name, kind in kinds.items():
        some = [(l, s & kind) for l, s in zip(cut, sets) if s & kind]
        out["slices"][name] = slice_of([l for l, _ in some], [s for _, s in some], relevance)
    pairs = [(r, p) for q in case["questions"] for r, p in zip(q["ratings"], q["predicted"]) if r is not None]
    errors = np.array([np.clip(p, 1, 5) - r for r, p in pairs if p is not None])
    out["rmse"], out["mae"] = float(np.sqrt((errors**2).mean())), float(np.abs(errors).mean())
    out["rated"], out["unrated"] = len(errors), len(pairs) - len(errors)
    return out


def slice_of(lists, sets, relevance):
    each = [per_person(relevance(l, s), len(s), MAIN) for l, s in zip(lists, sets)]
    return {"people": len(each), "ndcg": mean([e["ndcg"] for e in each]), "recall": mean([e["recall"] for e in each])}


def main():
    rng = np.random.default_rng(20)
    cases = [
        make(rng, 30, 24, 6, 0.1, False, 5),   # many ties, the longest cutoff nearly the whole catalogue
        make(rng, 12, 16, 3, 0.4, False, 3),   # catalogue smaller than a cutoff, short lists
        make(rng, 40, 20, 1, 0.2, True, 4),    # one score for all: the index decides; history stays
        make(rng, 60, 30, 1000, 0.0, False, 8),
    ]
    numbers = lambda v: v.item() if hasattr(v, "item") else v
    print(json.dumps({"cutoffs": CUTOFFS, "cases": cases}, default=numbers, separators=(",", ":")))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/gpt2/golden/train.safetensors and large.safetensors: what PyTorch says of steps of training.

Run once, by hand, with Debian's python3-torch:  /usr/bin/python3 tools/golden_train.py

train: from the weights and the batch of golden_gpt2.py, losses, norms of gradients and weights ("s.wte", ...) of 20
steps of AdamW, clipped, with a warm-up and a cosine; adapters of rank 4 ("lora.a.qkv", ...), their gradients ("d....")
and what 5 steps make of them ("s....").

large: a GPT-2 of 124 million weights that no file holds, since they are a hash: weight i of tensor k of the list is
((mix(k 2^40 + i) >> 40) / 2^24 - 1/2) / 8, plus 1 where it scales a LayerNorm, and mix is one step of splitmix64. Of two
sequences of 16: the loss, some columns of the logits, and of each gradient the norm, the largest value and 64 values
at places "at.wte" ...
"""
import math
import pathlib

import numpy as np
import torch

import golden_gpt2 as small

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/gpt2/golden"
DECAYED = ("wte", "wpe", "qkvw", "attw", "fcw", "projw")
SITES = {"qkv": (1, 3), "att": (1, 1), "fc": (1, 4), "proj": (4, 1)}  # in and out, in channels


def cosine(step, warmup, total, floor):
    if step < warmup:
        return step / warmup
    return floor + (1 - floor) * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


def steps(groups, loss_of, n):
    """n steps of AdamW; returns losses and norms before clipping."""
    optimiser = torch.optim.AdamW(groups, lr=1, betas=(0.9, 0.95), eps=1e-8)
    every = [p for g in groups for p in g["params"]]
    losses, norms = [], []
    for step in range(1, n + 1):
        for g in optimiser.param_groups:
            g["lr"] = 3e-3 * cosine(step, 5, 20, 0.1)
        optimiser.zero_grad()
        loss = loss_of()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(every, 1).double())
        losses.append(loss.detach().double())
        optimiser.step()
    return torch.stack(losses), torch.stack(norms)


def train():
    out = {}
    W, batch = small.made()
    groups = [{"params": [w for k, w in W.items() if (k in DECAYED) == on], "weight_decay": 0.1 if on else 0}
              for on in (True, False)]
    out["losses"], out["norms"] = steps(groups, lambda: small.loss_of(small.logits_of(W, batch, small.H), batch), 20)
    out.update({"s." + k: w.detach().clone() for k, w in W.items()})

    W, batch = small.made()
    rank, scale = 4, 2.0
    for w in W.values():
        w.requires_grad_(False)
    a = {k: (0.2 * torch.randn(small.L, rank, i * small.C)).requires_grad_() for k, (i, _) in SITES.items()}
    b = {k: (0.2 * torch.randn(small.L, o * small.C, rank)).requires_grad_() for k, (_, o) in SITES.items()}
    named = {**{"lora.a." + k: w for k, w in a.items()}, **{"lora.b." + k: w for k, w in b.items()}}
    out.update({k: w.detach().clone() for k, w in named.items()})

    def loss():
        return small.loss_of(small.logits_of(W, batch, small.H, (scale, a, b)), batch)

    first = loss()
    first.backward()
    out.update({"d." + k: w.grad.clone() for k, w in named.items()})
    out["lora.losses"], _ = steps([{"params": list(named.values()), "weight_decay": 0.1}], loss, 5)
    out.update({"s." + k: w.detach().clone() for k, w in named.items()})
    small.write(FOLDER / "train.safetensors", out)


def mix(x):
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hashed(tensor, n, first=0):
    return mix(np.uint64(tensor << 40) + np.arange(first, first + n, dtype=np.uint64))


def large():
    V, T, C, L, H, n = 50257, 1024, 768, 12, 12, 16
    shapes = small.shapes_of(V, T, C, L)
    W, out = {}, {}
    for k, (name, shape) in enumerate(shapes.items()):
        u = (hashed(k, math.prod(shape)) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24) - np.float32(0.5)
        w = u / np.float32(8) + np.float32(name in ("ln1w", "ln2w", "lnfw"))
        W[name] = torch.from_numpy(w.reshape(shape)).requires_grad_()
    token = torch.from_numpy((hashed(100, 2 * n) % np.uint64(V)).astype(np.int64))
    target = torch.from_numpy((hashed(101, 2 * n) % np.uint64(V)).astype(np.int64))
    batch = (token, torch.tensor([0, n, 2 * n]), target, torch.ones(2 * n))
    logits = small.logits_of(W, batch, H)
    loss = small.loss_of(logits, batch)
    loss.backward()
    columns = torch.from_numpy((hashed(102, 64) % np.uint64(V)).astype(np.int64))
    out.update(token=token, target=target, loss=loss.detach().double().reshape(1), **{"at.logits": columns},
               logits=logits.detach()[:, columns].clone(), **{"most.logits": logits.detach().abs().max().reshape(1)})
    for k, (name, w) in enumerate(W.items()):
        g = w.grad.reshape(-1)
        at = (hashed(200 + k, 64) % np.uint64(n * C if name == "wpe" else len(g))).astype(np.int64)
        if name == "wte":  # half of them where tokens and targets are
            at[:32] = np.concatenate([token[:16].numpy(), target[:16].numpy()]) * C + at[:32] % C
        at = torch.from_numpy(at)
        out.update({"at." + name: at, "d." + name: g[at].clone(), "most." + name: g.abs().max().reshape(1),
                    "norm." + name: g.double().norm().reshape(1)})
    small.write(FOLDER / "large.safetensors", out)


if __name__ == "__main__":
    train()
    large()

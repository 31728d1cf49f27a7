"""The training pass, forward and back, written out by hand: PyTorch's matrix products and kernels.c between them.

Without autograd there is nothing between the products but what must be, and the products run in bfloat16 on the processor's matrix unit where
there is one. A `Pass` belongs to one thread: two of them, each with half of a batch, keep two cores busy and never wait within a batch.
"""
import ctypes
import os
import pathlib
import subprocess

import torch

from network import NORM_EPSILON, rotations

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
HERE = pathlib.Path(__file__).resolve().parent


def kernels(full_precision):
    library = HERE / "build" / ("kernels-float.so" if full_precision else "kernels.so")
    library.parent.mkdir(exist_ok=True)
    if not library.exists() or library.stat().st_mtime < (HERE / "kernels.c").stat().st_mtime:
        unfinished = library.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC", *(["-DNUMBER_IS_FLOAT"] if full_precision else []),
                        "-o", unfinished, HERE / "kernels.c", "-lm"], check=True)
        unfinished.replace(library)
    # Keep freed memory: asking the system for it again, page by page, at every product costs a tenth of the time.
    libc = ctypes.CDLL(None)
    for what, value in ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, 1 << 30), (M_TRIM_THRESHOLD, (1 << 31) - 1)):
        libc.mallopt(what, value)
    return ctypes.CDLL(str(library))


def call(function, *values):
    function(*(ctypes.c_void_p(value.data_ptr()) if isinstance(value, torch.Tensor) else ctypes.c_float(value) if isinstance(value, float)
               else ctypes.c_long(value) if value is not None else ctypes.c_void_p(None) for value in values))


class Pass:
    def __init__(self, weights, shape, full_precision=False):
        self.shape, self.number = shape, torch.float32 if full_precision else torch.bfloat16
        self.c = kernels(full_precision)
        self.cos, self.sin = (table.contiguous() for table in rotations(shape))
        self.gradients = {name: torch.zeros_like(weight) for name, weight in weights.items()}

    def run(self, weights, ids, targets, counts):
        """Adds to the gradients. `weights` are of the products' number type; `counts` say how much each target counts, 0 for most."""
        c, number, shape = self.c, self.number, self.shape
        batch, length = ids.shape
        tokens, width, inner, heads = batch * length, shape["width"], shape["feed_forward"], shape["heads"]
        size, scale = width // heads, (width // heads) ** -0.5
        per_head = (batch * heads, length, size)

        def new(*dimensions, dtype=number):
            return torch.empty(dimensions, dtype=dtype)

        def learn(name, d_out, given):
            self.gradients[name] += d_out.t() @ given

        flat = ids.reshape(-1)
        x = weights["embedding"][flat].float()
        added, kept = None, []
        for layer in range(shape["layers"]):
            normed, inverse = new(tokens, width), new(tokens, dtype=torch.float32)
            call(c.add_and_norm, x, added, normed, inverse, tokens, width, NORM_EPSILON)
            qkv = normed @ weights[f"qkv.{layer}"].t()
            q, k, v = new(*per_head), new(*per_head), new(*per_head)
            call(c.split_heads, qkv, q, k, v, self.cos, self.sin, batch, length, heads, size)
            shares = torch.bmm(q, k.transpose(1, 2))
            call(c.attend, shares, batch * heads, length, scale)
            gathered, mixed = torch.bmm(shares, v), new(tokens, width)
            call(c.swap_axes, gathered, mixed, batch, heads, length, size)
            added = mixed @ weights[f"o.{layer}"].t()
            normed_2, inverse_2 = new(tokens, width), new(tokens, dtype=torch.float32)
            call(c.add_and_norm, x, added, normed_2, inverse_2, tokens, width, NORM_EPSILON)
            both, hidden = normed_2 @ weights[f"gate_up.{layer}"].t(), new(tokens, inner)
            call(c.gated, both, hidden, tokens, inner)
            added = hidden @ weights[f"down.{layer}"].t()
            kept.append((normed, inverse, q, k, v, shares, mixed, normed_2, inverse_2, both, hidden))
        last, inverse_last = new(tokens, width), new(tokens, dtype=torch.float32)
        call(c.add_and_norm, x, added, last, inverse_last, tokens, width, NORM_EPSILON)

        wanted = counts.reshape(-1).nonzero().squeeze(1)
        chosen, losses = last[wanted], new(len(wanted), dtype=torch.float32)
        scores = chosen @ weights["output"].t()
        call(c.cross_entropy, scores, targets.reshape(-1)[wanted], counts.reshape(-1)[wanted], losses, len(wanted), scores.shape[1])
        learn("output", scores, chosen)
        d_last = torch.zeros(tokens, width, dtype=number)
        d_last[wanted] = scores @ weights["output"]

        dx, rounded = torch.zeros(tokens, width), new(tokens, width)
        call(c.norm_back, dx, rounded, d_last, last, inverse_last, tokens, width)
        for layer in reversed(range(shape["layers"])):
            normed, inverse, q, k, v, shares, mixed, normed_2, inverse_2, both, hidden = kept.pop()
            learn(f"down.{layer}", rounded, hidden)
            d_hidden = rounded @ weights[f"down.{layer}"]
            call(c.gated_back, both, d_hidden, tokens, inner)
            learn(f"gate_up.{layer}", both, normed_2)
            call(c.norm_back, dx, rounded, both @ weights[f"gate_up.{layer}"], normed_2, inverse_2, tokens, width)
            learn(f"o.{layer}", rounded, mixed)
            d_gathered = new(*per_head)
            call(c.swap_axes, rounded @ weights[f"o.{layer}"], d_gathered, batch, length, heads, size)
            d_shares = torch.bmm(d_gathered, v.transpose(1, 2))
            dv = torch.bmm(shares.transpose(1, 2), d_gathered)
            call(c.attend_back, d_shares, shares, batch * heads, length, scale)
            dq, dk = torch.bmm(d_shares, k), torch.bmm(d_shares.transpose(1, 2), q)
            d_qkv = new(tokens, 3 * width)
            call(c.split_heads_back, d_qkv, dq, dk, dv, self.cos, self.sin, batch, length, heads, size)
            learn(f"qkv.{layer}", d_qkv, normed)
            call(c.norm_back, dx, rounded, d_qkv @ weights[f"qkv.{layer}"], normed, inverse, tokens, width)
        call(c.add_rows, self.gradients["embedding"], flat, dx, tokens, width)
        return wanted, losses

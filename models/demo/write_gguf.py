"""Writes a checkpoint as GGUF version 3, matrices in Q8_0, so that llama.cpp runs it as a llama model.

Layout: magic, version, counts, metadata, tensor table, padding, tensor data; each tensor is aligned to 32 bytes.
"""
import argparse
import pathlib
import struct

import numpy
import torch

from network import NORM_EPSILON, ROTARY_BASE
from tokenizer import CHAT_TEMPLATE, END, END_OF_TEXT, HERE, SPECIAL, Tokenizer

UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
F32, Q8_0 = 0, 8
MOSTLY_Q8_0 = 7
ALIGNMENT = 32
NORMAL_TOKEN, CONTROL_TOKEN = 1, 3


def packed_string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def packed_value(kind, value):
    if kind == STRING:
        return packed_string(value)
    if kind == BOOL:
        return struct.pack("<?", value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], value)


def packed_entry(key, kind, value):
    if isinstance(value, list):
        head = struct.pack("<IIQ", ARRAY, kind, len(value))
        return packed_string(key) + head + b"".join(packed_value(kind, item) for item in value)
    return packed_string(key) + struct.pack("<I", kind) + packed_value(kind, value)


def quantised(weight):
    """Q8_0: blocks of 32 numbers, a half-precision scale and 32 signed bytes each."""
    blocks = weight.reshape(-1, 32).astype(numpy.float32)
    scale = numpy.abs(blocks).max(1, keepdims=True) / 127
    numbers = numpy.round(numpy.divide(blocks, scale, out=numpy.zeros_like(blocks), where=scale > 0)).astype(numpy.int8)
    out = numpy.zeros(len(blocks), dtype=[("scale", "<f2"), ("numbers", "i1", 32)])
    out["scale"], out["numbers"] = scale[:, 0], numbers
    return out.tobytes()


def tensors(weights, shape):
    """The norms have no weights of their own, so ones are written."""
    width, inner = shape["width"], shape["feed_forward"]
    yield "token_embd.weight", weights["embedding"]
    yield "output_norm.weight", torch.ones(width)
    yield "output.weight", weights["output"]
    for number in range(shape["layers"]):
        q, k, v = weights[f"qkv.{number}"].split(width)
        gate, up = weights[f"gate_up.{number}"].split(inner)
        for name, weight in (("attn_norm", torch.ones(width)), ("attn_q", q), ("attn_k", k), ("attn_v", v), ("attn_output", weights[f"o.{number}"]),
                             ("ffn_norm", torch.ones(width)), ("ffn_gate", gate), ("ffn_up", up), ("ffn_down", weights[f"down.{number}"])):
            yield f"blk.{number}.{name}.weight", weight


def metadata(tokenizer, shape):
    per_head = shape["width"] // shape["heads"]
    return [
        ("general.architecture", STRING, "llama"),
        ("general.type", STRING, "model"),
        ("general.name", STRING, "Phantoma demo model (knows about Phantoma and little else)"),
        ("general.description", STRING, "A small demo model shipped with Phantoma. It knows about Phantoma and little else; add a real model for anything else."),
        ("general.license", STRING, "Apache-2.0"),
        ("general.languages", STRING, ["en"]),
        # A small model wanders when it is sampled: llama.cpp takes the likeliest token by default.
        ("general.sampling.temp", FLOAT32, 0.0),
        ("general.quantization_version", UINT32, 2),
        ("general.file_type", UINT32, MOSTLY_Q8_0),
        ("llama.context_length", UINT32, shape["context"]),
        ("llama.embedding_length", UINT32, shape["width"]),
        ("llama.block_count", UINT32, shape["layers"]),
        ("llama.feed_forward_length", UINT32, shape["feed_forward"]),
        ("llama.attention.head_count", UINT32, shape["heads"]),
        ("llama.attention.head_count_kv", UINT32, shape["heads"]),
        ("llama.attention.layer_norm_rms_epsilon", FLOAT32, NORM_EPSILON),
        ("llama.rope.dimension_count", UINT32, per_head),
        ("llama.rope.freq_base", FLOAT32, ROTARY_BASE),
        ("llama.vocab_size", UINT32, len(tokenizer.tokens)),
        ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.pre", STRING, "smollm"),
        ("tokenizer.ggml.tokens", STRING, tokenizer.tokens),
        ("tokenizer.ggml.token_type", INT32, [CONTROL_TOKEN] * len(SPECIAL) + [NORMAL_TOKEN] * (len(tokenizer.tokens) - len(SPECIAL))),
        ("tokenizer.ggml.merges", STRING, [f"{a} {b}" for a, b in tokenizer.merges]),
        ("tokenizer.ggml.bos_token_id", UINT32, END_OF_TEXT),
        ("tokenizer.ggml.eos_token_id", UINT32, END),
        ("tokenizer.ggml.eot_token_id", UINT32, END),
        ("tokenizer.ggml.padding_token_id", UINT32, END_OF_TEXT),
        ("tokenizer.ggml.add_bos_token", BOOL, False),
        ("tokenizer.chat_template", STRING, CHAT_TEMPLATE),
    ]


def write(checkpoint, tokenizer, path):
    weights, shape = checkpoint["weights"], checkpoint["shape"]
    table, data, offset = b"", [], 0
    entries = list(tensors(weights, shape))
    for name, weight in entries:
        array = weight.float().numpy()
        kind, packed = (Q8_0, quantised(array)) if array.ndim == 2 else (F32, array.astype("<f4").tobytes())
        # GGUF names the fastest-changing dimension first.
        dimensions = array.shape[::-1]
        table += packed_string(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)
        packed += bytes(-len(packed) % ALIGNMENT)
        data.append(packed)
        offset += len(packed)
    fields = metadata(tokenizer, shape)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(entries), len(fields)) + b"".join(packed_entry(*field) for field in fields) + table
    pathlib.Path(path).write_bytes(head + bytes(-len(head) % ALIGNMENT) + b"".join(data))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default=str(HERE / "build" / "checkpoint.pt"))
    parser.add_argument("--out", default=str(HERE / "model.gguf"))
    options = parser.parse_args()
    write(torch.load(options.checkpoint, map_location="cpu"), Tokenizer.load(), options.out)
    print(f"{pathlib.Path(options.out).stat().st_size} bytes in {pathlib.Path(options.out).name}")


if __name__ == "__main__":
    main()

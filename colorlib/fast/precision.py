"""Which of "no" (float32) and "bf16" a training step uses: bfloat16 if the machine supports it.

bfloat16 replaces float32 in the network's convolutions. On a CPU or GPU that emulates it, it is
slower, so `auto` means "no" there.
"""

import functools

import torch


@functools.cache  # every step asks
def choose_precision(precision: str) -> str:
    """The setting `Config.precision` on this machine: "no" or "bf16"."""
    if precision != "auto":
        return precision
    if torch.accelerator.is_available():
        native = torch.cuda.is_available() and torch.cuda.is_bf16_supported(False)
    else:  # without capabilities in older versions of PyTorch
        able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        native = able.get("avx512_bf16") or able.get("amx_bf16")
    return "bf16" if native else "no"

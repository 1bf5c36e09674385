"""Fits ``local_data/kind.npz`` from the shipped examples: ``python -m soloist.engine.local``."""

from __future__ import annotations

import base64
import sys

from soloist.engine import registry
from soloist.engine.local.serve import SHIPPED, Labels, Local


def main() -> int:
    """Fit, write and say what came out."""
    fitted = Local(registry.load()).fit(Labels())
    SHIPPED.write_bytes(base64.b64decode(fitted.file))
    sys.stdout.write(f"{SHIPPED.name}: {len(fitted.file) * 3 // 4} bytes, {fitted.meta}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

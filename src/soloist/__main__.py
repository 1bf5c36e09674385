"""``python -m soloist`` and the ``soloist`` command."""

from soloist.cli.main import run as main

__all__ = ["main"]

if __name__ == "__main__":
    main()

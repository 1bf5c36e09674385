"""``python -m soloist`` and the ``soloist`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from soloist.cli.main import run

    run()


if __name__ == "__main__":
    main()

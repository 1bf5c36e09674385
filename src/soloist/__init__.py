"""Soloist: the operating system of a one-person company; this file holds the version and nothing else."""

__version__ = "0.1.0"

"""Benchmarks of Soloist: figures for people to read, never a test that passes or fails by a clock."""

"""Nouns and pure rules of Soloist: no clock, no input or output, importable by every other layer."""

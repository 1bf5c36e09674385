"""Recall: the in-memory index of a home: words, vectors and masks, derived from the store and never the truth."""

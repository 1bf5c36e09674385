"""Recall: the in-memory index of a home: words, vectors and masks, derived from the store and never the truth.

The sums of one question are small: a second thread for them would only wait for its turn on a busy machine.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

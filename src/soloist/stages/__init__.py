"""Stages: the steps a message goes through, siblings that never import each other; flows join them."""

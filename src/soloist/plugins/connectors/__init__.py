"""Shipped connectors, one package each; they import only soloist.sdk and soloist.kernel."""

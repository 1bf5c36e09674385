"""Shipped skills, one module each; they import only soloist.sdk and soloist.kernel."""

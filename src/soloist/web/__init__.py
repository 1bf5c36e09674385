"""Web: the doors for browsers and programs; they parse, call and render, and decide nothing."""

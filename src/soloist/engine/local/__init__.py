"""Local intelligence: what a small model on this machine tells about a text; it runs in the limited worker process.

Nothing here is imported by the main process: numpy and the model would stay in its memory.
"""

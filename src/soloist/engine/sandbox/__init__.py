"""Sandbox: runs skills with code of others behind walls of the kernel, or not at all; it never loads such code."""

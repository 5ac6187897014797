"""The spec: what a user asks for, parsed strictly; every problem is told at once, with its path."""

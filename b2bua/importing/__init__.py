"""Batches from files and from operators' databases, imported by a process of their own: calls are not delayed."""

"""Indexes that stand on a server: for more passages, or more queries, than one machine takes.

The knowledge base's folder stays the truth: documents, entries, passages, and which generation is
current. A generation names the collections that hold its vectors and words, and as of which
generation to look at them; nobody sees what a writer adds for the next one.
"""

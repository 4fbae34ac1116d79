"""A whole knowledge base in one file, out and in again without loss: JSON lines or a workbook.

What a build takes is in it: documents, entries and the rules of the lexicon. `build_generation`
makes of it a store that equals the exported one; indexes and vectors are made anew.
"""

"""Question answering over a policy or FAQ knowledge base, on your own machine.

Every word of an answer is the source's own; nothing is generated.
"""

from policy_qa.errors import (
    CorpusError,
    EncoderError,
    KnowledgeBaseError,
    KnowledgeBaseNotFound,
    PolicyQAError,
    QueryError,
    StorageError,
)
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.types import Answer, Citation, Document, Entry, Filters, Hit

__all__ = [
    "Answer",
    "Citation",
    "CorpusError",
    "Document",
    "EncoderError",
    "Entry",
    "Filters",
    "Hit",
    "KnowledgeBase",
    "KnowledgeBaseError",
    "KnowledgeBaseNotFound",
    "PolicyQAError",
    "QueryError",
    "StorageError",
]

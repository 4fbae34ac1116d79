"""The errors of policy_qa.

PolicyQAError
├── InputError                what the user gave cannot be used
│   ├── CorpusError           a corpus folder or file is missing, empty or not readable as text
│   ├── QueryError            a query is empty, too long or holds nothing to search for
│   └── EvaluationError       an evaluation set, a run or a qrel cannot be used
├── KnowledgeBaseError        the knowledge base on disk cannot be used as it is
│   ├── KnowledgeBaseNotFound there is none at that place
│   ├── FormatVersionError    it was written by another format version
│   ├── EncoderMismatchError  it was built with another encoder or text folding
│   ├── CorruptionError       a file is missing, truncated or altered
│   └── LockedError           another process is writing to it
├── EncoderError              the encoder cannot be made or loaded
├── EngineError               the engine that holds the indexes cannot be used
│   └── LostRowsError         it answers, and has not all of them
└── StorageError              the disk is full or refuses to be written

Every message names the thing, and the way out, in one line.
"""


class PolicyQAError(Exception):
    """The base of every error that policy_qa raises on purpose."""


class InputError(PolicyQAError):
    """Raised when what the user gave cannot be used."""


class CorpusError(InputError):
    """Raised when a corpus is missing, empty, or holds a file that is not UTF-8 text."""


class QueryError(InputError):
    """Raised when a query is empty, too long, or has no letter and no digit."""


class EvaluationError(InputError):
    """Raised when an evaluation set has a broken line, file or reference."""


class KnowledgeBaseError(PolicyQAError):
    """Raised when the knowledge base on disk cannot be used as it is."""


class KnowledgeBaseNotFound(KnowledgeBaseError):  # noqa: N818 (reads as the state it reports)
    """Raised when no knowledge base stands at the path."""


class FormatVersionError(KnowledgeBaseError):
    """Raised when the knowledge base was written by another format version."""


class EncoderMismatchError(KnowledgeBaseError):
    """Raised when the knowledge base was built with another encoder or text folding."""


class CorruptionError(KnowledgeBaseError):
    """Raised when a file of the knowledge base is missing, truncated or altered."""


class LockedError(KnowledgeBaseError):
    """Raised when another process is writing to the knowledge base."""


class EncoderError(PolicyQAError):
    """Raised when an encoder cannot be made or loaded."""


class EngineError(PolicyQAError):
    """Raised when an engine does not answer, refuses, is of another version, or lost rows."""


class LostRowsError(EngineError):
    """Raised when an engine has not all rows, or collections, that a generation has there."""


class StorageError(PolicyQAError):
    """Raised when the disk is full or refuses to be written."""

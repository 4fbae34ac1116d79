"""The public names."""

import inspect

import pytest

import policy_qa


def test_public_names():
    """What the package offers changes only on purpose."""
    assert policy_qa.__all__ == [
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


@pytest.mark.parametrize("name", policy_qa.__all__)
def test_public_names_are_documented(name):
    """Every public name, and every public method of it, has a docstring of its own."""
    thing = getattr(policy_qa, name)
    assert vars(thing).get("__doc__", "").strip()
    own = [m for m, _ in inspect.getmembers(thing) if m in vars(thing) and not m.startswith("_")]
    undocumented = [
        m for m in own if callable(getattr(thing, m)) and not inspect.getdoc(getattr(thing, m))
    ]
    assert undocumented == []


def test_every_error_has_the_same_base():
    """One `except PolicyQAError` catches every error that is raised on purpose."""
    errors = [e for _, e in inspect.getmembers(policy_qa.errors, inspect.isclass)]
    assert len(errors) > 10
    assert all(issubclass(error, policy_qa.PolicyQAError) for error in errors)

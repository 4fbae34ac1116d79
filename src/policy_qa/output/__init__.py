"""Answers, hits and entries in every form: JSON, Markdown, plain text, for a terminal."""

from policy_qa.output.json_fields import (
    answer_fields,
    answer_schema,
    entries_fields,
    hit_fields,
    json_text,
    quantity_fields,
    rule_card_fields,
)
from policy_qa.output.markdown import answer_chat, answer_markdown, escape_markdown
from policy_qa.output.places import one_line, percent, printable
from policy_qa.output.terminal import answer_text, entries_text, hits_text, rule_card_text

__all__ = [
    "answer_chat",
    "answer_fields",
    "answer_markdown",
    "answer_schema",
    "answer_text",
    "entries_fields",
    "entries_text",
    "escape_markdown",
    "hit_fields",
    "hits_text",
    "json_text",
    "one_line",
    "percent",
    "printable",
    "quantity_fields",
    "rule_card_fields",
    "rule_card_text",
]

"""What the search page shows, as escaped HTML; no user interface library is needed.

Offsets are those of `Document.text`.

labels, address → markup → lists, where →
views, source, answer, inspection, testing, keeping, doubts
"""

from policy_qa.page.address import VIEWS, Address
from policy_qa.page.answer import (
    actions,
    answer_card,
    entry_card,
    is_readable,
    rule_card,
    thanks,
)
from policy_qa.page.doubts import expiring, findings, gaps
from policy_qa.page.inspection import inspection
from policy_qa.page.keeping import changes, entries, history, left_out, overview
from policy_qa.page.labels import PAGE_LABELS, PageLabels
from policy_qa.page.markup import escape, notice, script, strip, style
from policy_qa.page.source import opened_note, other_entries, source_card, source_lines
from policy_qa.page.testing import lead as test_lead
from policy_qa.page.testing import result as test_result
from policy_qa.page.views import empty, head, style_words

__all__ = [
    "PAGE_LABELS",
    "VIEWS",
    "Address",
    "PageLabels",
    "actions",
    "answer_card",
    "changes",
    "empty",
    "entries",
    "entry_card",
    "escape",
    "expiring",
    "findings",
    "gaps",
    "head",
    "history",
    "inspection",
    "is_readable",
    "left_out",
    "notice",
    "opened_note",
    "other_entries",
    "overview",
    "rule_card",
    "script",
    "source_card",
    "source_lines",
    "strip",
    "style",
    "style_words",
    "test_lead",
    "test_result",
    "thanks",
]

"""Panels and lists of the keeper's view as HTML."""

from collections.abc import Sequence

from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import escape

MOST_SHOWN = 100
"""Rows that are listed; more are counted."""


def panel(heading: str, body: str) -> str:
    """Return a panel as HTML.

    Args:
        heading: Above it.
        body: HTML.
    """
    return f'<section class="pq-panel"><h2>{escape(heading)}</h2>{body}</section>'


def note(text: str, command: str = "") -> str:
    """Return a sentence as HTML, with a command behind it if there is one."""
    run = f' <code class="pq-code">{escape(command)}</code>' if command else ""
    return f'<p class="pq-note">{escape(text)}{run}</p>'


def row(what: str, kind: str, *, inner: bool = False) -> str:
    """Return a row of a list as HTML.

    Args:
        what: A name or a sentence, in any script.
        kind: Which kind it is of.
        inner: Whether it belongs to the row above.
    """
    style = "pq-row pq-inner" if inner else "pq-row"
    return (
        f'<li class="{style}"><span class="pq-kind">{escape(kind)}</span>'
        f"<bdi>{escape(what)}</bdi></li>"
    )


def first(rows: Sequence[str], labels: PageLabels) -> str:
    """Return the first rows of a list as HTML, with how many more there are."""
    shown = "".join(rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        more = labels.more.format(count=len(rows) - MOST_SHOWN)
        shown += f'<li class="pq-note">{escape(more)}</li>'
    return shown

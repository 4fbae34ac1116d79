"""What stands around an answer as HTML: the head of the page, the page before a question."""

from collections.abc import Iterable

from policy_qa.labels import LANGUAGES
from policy_qa.page.address import VIEWS, Address
from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import button, escape, link
from policy_qa.types import Language


def style_words(kinds: Iterable[str], megabytes: int, labels: PageLabels) -> dict[str, str]:
    """Return what the style sheet says beside or instead of Streamlit (see `markup.style`).

    Args:
        kinds: Endings of the files that may be uploaded.
        megabytes: How large they may be.
        labels: In the reader's language.
    """
    named = ", ".join(kind.upper() for kind in kinds)
    return {
        "slow": labels.slow,
        "choose": labels.test_choose,
        "limit": labels.test_limit.format(size=megabytes, kinds=named),
        "refused": labels.test_refused,
    }


def head(address: Address, language: Language, labels: PageLabels) -> str:
    """Return the title, the views and the languages as HTML."""
    views = "".join(
        link(address.home(view=view), escape(labels.views[view]), current=view == address.view)
        for view in VIEWS
    )
    languages = "".join(
        f'<a href="{escape(address.link(language=other))}" lang="{other}"'
        f"{_current(chosen=other == language)}>{escape(name)}</a>"
        for other, name in LANGUAGES.items()
    )
    return (
        f'<header class="pq-top"><h1 class="pq-title">'
        f"{link(address.home(), escape(labels.title))}</h1>"
        f'<nav class="pq-views" aria-label="{escape(labels.title)}">{views}</nav>'
        f'<nav class="pq-languages" aria-label="{escape(labels.language)}">{languages}</nav>'
        "</header>"
    )


def _current(*, chosen: bool) -> str:
    return ' aria-current="true"' if chosen else ""


def empty(
    entries: int, documents: int, questions: Iterable[str], address: Address, labels: PageLabels
) -> str:
    """Return the page before the first question as HTML.

    Args:
        entries: How many there are.
        documents: How many there are.
        questions: To start with.
        address: What is shown now.
        labels: In the reader's language.
    """
    size = labels.size.format(entries=entries, documents=documents)
    rows = "".join(
        f"<li>{link(address.home(query=q), f'<bdi>{escape(q)}</bdi>', 'pq-row')}" for q in questions
    )
    examples = (
        f'<h2 class="pq-label">{escape(labels.examples)}</h2><ul class="pq-examples">{rows}</ul>'
        if rows
        else ""
    )
    return (
        f'<section class="pq-empty"><p class="pq-lead">{escape(labels.lead)}</p>'
        f'<p class="pq-place">{escape(size)}</p>{examples}'
        f'<section class="pq-recent" hidden><h2 class="pq-label">{escape(labels.recent)}'
        f"{button('forget', '', labels.forget, 'pq-quiet')}</h2><ul></ul></section></section>"
    )

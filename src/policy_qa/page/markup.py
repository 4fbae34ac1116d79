"""HTML from text: corpus and query text reaches the page only through `escape`.

So none of it can become markup. A link is a real one, which can be opened in another tab; `page.js`
follows it without loading the page again. A button names what it does in `data-pq-do`.
"""

import html
import json
import re
from collections.abc import Mapping
from importlib import resources

from policy_qa.reading import language_of


def escape(text: str) -> str:
    """Return text as HTML that shows exactly that text, its line breaks included."""
    return re.sub(r"\r\n|\r|\n", "<br>", html.escape(text))


def attribute(text: str) -> str:
    """Return text as the value of an attribute in double quotes, its line breaks included."""
    return re.sub(r"[\r\n]", lambda match: f"&#{ord(match.group())};", html.escape(text))


def spoken(text: str) -> str:
    """Return the attribute that names a text's language, by which it is spoken and drawn."""
    return f' lang="{language_of(text)}"'


def link(address: str, shown: str, style: str = "", *, current: bool = False) -> str:
    """Return a link as HTML.

    Args:
        address: Where it leads, as `Address.link` gives it.
        shown: HTML.
        style: CSS classes.
        current: Whether it leads to where the reader is.
    """
    here = ' aria-current="page"' if current else ""
    return f'<a class="{style}" href="{attribute(address)}"{here}>{shown}</a>'


def button(does: str, value: str, label: str, style: str = "pq-button") -> str:
    """Return a button as HTML.

    Args:
        does: What `page.js` calls it.
        value: Handed on by `page.js`.
        label: What it shows.
        style: CSS classes.
    """
    return (
        f'<button type="button" class="{style}" data-pq-do="{attribute(does)}" '
        f'data-pq-value="{attribute(value)}">{escape(label)}</button>'
    )


def notice(kind: str, heading: str, note: str, command: str = "") -> str:
    """Return a card of plain words as HTML.

    Args:
        kind: The state it tells of, as a CSS class.
        heading: The state in words.
        note: One more sentence.
        command: What to run, or what the program says; empty for nothing.
    """
    run = f'<pre class="pq-command">{escape(command)}</pre>' if command else ""
    return (
        f'<section class="pq-card pq-{kind}"><h2 class="pq-status">{escape(heading)}</h2>'
        f'<p class="pq-note">{escape(note)}</p>{run}</section>'
    )


def strip(kind: str, heading: str, note: str = "", command: str = "") -> str:
    """Return a line above the page as HTML; see `notice`."""
    run = f" <code>{escape(command)}</code>" if command else ""
    return (
        f'<p class="pq-strip pq-{kind}" role="note"><strong>{escape(heading)}</strong> '
        f"{escape(note)}{run}</p>"
    )


def style(words: Mapping[str, str]) -> str:
    """Return the page's style sheet as an HTML element.

    Args:
        words: Labels of what is Streamlit's own, which the style sheet puts in the place of English
            ones, as `--pq-` and a name.
    """
    named = "".join(
        f"--pq-{name}:{json.dumps(text, ensure_ascii=False)};" for name, text in words.items()
    )
    return f"<style>.stApp{{{named}}}{_file('page.css')}</style>"


def script() -> str:
    """Return the page's behaviour, a JavaScript module for a Streamlit component."""
    return _file("page.js")


def _file(name: str) -> str:
    return resources.files("policy_qa.page").joinpath(name).read_text(encoding="utf-8")

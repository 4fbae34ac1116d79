"""The keeper's view of a knowledge base as HTML: entries, changes, findings, gaps."""

from collections.abc import Iterable, Sequence

from policy_qa.changes import Changes, EntryName
from policy_qa.gaps import Gap
from policy_qa.labels import finding_text
from policy_qa.lint import Finding
from policy_qa.page.address import Address
from policy_qa.page.answer import cited
from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import escape, link

MOST_SHOWN = 100
"""Entries, findings or gaps that are listed; more are counted."""


def overview(
    entries: int, documents: int, created: str, generation: int, labels: PageLabels
) -> str:
    """Return how large the knowledge base is and when it was built as HTML.

    Args:
        entries: How many there are.
        documents: How many there are.
        created: When it was built, ISO 8601, UTC.
        generation: Its number.
        labels: In the reader's language.
    """
    size = labels.size.format(entries=entries, documents=documents)
    when = created[:16].replace("T", " ") + " UTC"
    built = labels.corpus_built.format(created=when, generation=generation)
    return (
        f'<section class="pq-empty"><p class="pq-lead">{escape(size)}</p>'
        f'<p class="pq-place">{escape(built)}</p></section>'
    )


def changes(found: Changes | None, command: str, labels: PageLabels) -> str:
    """Return what a new build would change as HTML.

    Args:
        found: The changes; None where the corpus is not found.
        command: The build.
        labels: In the reader's language.
    """
    if found is None:
        return _panel(labels.changes, f'<p class="pq-note">{escape(labels.changes_unknown)}</p>')
    if not found:
        return _panel(labels.changes, f'<p class="pq-note">{escape(labels.changes_none)}</p>')
    rows = [_change(labels.added, name) for name in found.added]
    for document in found.changed:
        rows.append(_change(labels.changed, document.id))
        rows += [_change(labels.added, _named(entry), inner=True) for entry in document.added]
        rows += [_change(labels.changed, _named(entry), inner=True) for entry in document.changed]
        rows += [_change(labels.removed, _named(entry), inner=True) for entry in document.removed]
    rows += [_change(labels.removed, name) for name in found.removed]
    rows += [_change(labels.unreadable, f"{name}: {why}") for name, why in found.unreadable]
    if found.lexicon:
        rows.append(_change(labels.lexicon_changed, ""))
    run = (
        f'<p class="pq-note">{escape(labels.changes_run)} '
        f'<code class="pq-code">{escape(command)}</code></p>'
    )
    return _panel(labels.changes, f"<ul>{_first(rows, labels)}</ul>{run}")


def _named(entry: EntryName) -> str:
    return f"{entry.id} {entry.question}".strip()


def _change(kind: str, what: str, *, inner: bool = False) -> str:
    style = "pq-row pq-inner" if inner else "pq-row"
    return (
        f'<li class="{style}"><span class="pq-kind">{escape(kind)}</span>'
        f"<bdi>{escape(what)}</bdi></li>"
    )


def _first(rows: Sequence[str], labels: PageLabels) -> str:
    shown = "".join(rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        more = labels.more.format(count=len(rows) - MOST_SHOWN)
        shown += f'<li class="pq-note">{escape(more)}</li>'
    return shown


def findings(found: Sequence[Finding] | None, address: Address, labels: PageLabels) -> str:
    """Return what the checks found as HTML, or the link that runs them.

    Args:
        found: The findings; None if they were not asked for.
        address: What is shown now.
        labels: In the reader's language.
    """
    if found is None:
        run = link(address.link(check=True), escape(labels.lint_run), "pq-button")
        return _panel(labels.lint, f'<div class="pq-actions">{run}</div>')
    if not found:
        return _panel(labels.lint, f'<p class="pq-note">{escape(labels.lint_none)}</p>')
    rows = _first([_finding(one, address, labels) for one in found], labels)
    return _panel(f"{labels.lint} ({len(found)})", f"<ul>{rows}</ul>")


def _finding(found: Finding, address: Address, labels: PageLabels) -> str:
    said = finding_text(found.kind, found.day, found.value, labels.answer)
    places = "".join(
        "<li>"
        + link(
            address.home(entry=place.entry_id),
            f"<bdi>{escape(_short(place.quote))}</bdi>"
            f'<span class="pq-place">{escape(cited(place, labels))}</span>',
            "pq-row",
        )
        + "</li>"
        for place in found.places
    )
    return f'<li class="pq-finding"><h3>{escape(said)}</h3><ul>{places}</ul></li>'


def _short(quote: str) -> str:
    text = " ".join(quote.split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


_SHORT = 120


def entries(
    found: Iterable[tuple[str, str]], total: int, address: Address, labels: PageLabels
) -> str:
    """Return a list of entries as HTML.

    Args:
        found: The ids and questions of the first of those that are looked for.
        total: How many are looked for.
        address: What is shown now.
        labels: In the reader's language.
    """
    rows = [
        "<li>"
        + link(
            address.home(entry=entry_id),
            f"<bdi>{escape(question or labels.answer.untitled)}</bdi>"
            f'<span class="pq-place">{escape(entry_id)}</span>',
            "pq-row",
        )
        + "</li>"
        for entry_id, question in found
    ]
    if not rows:
        return f'<p class="pq-note">{escape(labels.corpus_none)}</p>'
    if total > len(rows):
        more = labels.corpus_more.format(count=total - len(rows))
        rows.append(f'<li class="pq-note">{escape(more)}</li>')
    return f'<ul class="pq-entries">{"".join(rows)}</ul>'


def gaps(found: Sequence[Gap] | None, labels: PageLabels) -> str:
    """Return groups of questions that were not covered as HTML.

    Args:
        found: The groups; None where questions are not logged.
        labels: In the reader's language.
    """
    if found is None:
        return _panel(labels.gaps, f'<p class="pq-note">{escape(labels.gaps_off)}</p>')
    note = f'<p class="pq-note">{escape(labels.log_note)}</p>'
    if not found:
        none = f'<p class="pq-note">{escape(labels.gaps_none)}</p>'
        return _panel(labels.gaps, none + note)
    rows = [_gap(gap, labels) for gap in found]
    heading = f"{labels.gaps} ({len(found)})"
    return _panel(heading, f"<ul>{_first(rows, labels)}</ul>{note}")


def _gap(gap: Gap, labels: PageLabels) -> str:
    others = [wording for wording, _ in gap.queries if wording != gap.query]
    also = f'<li class="pq-note"><bdi>{escape(" / ".join(others[:5]))}</bdi></li>' if others else ""
    times = labels.gaps_times.format(times=gap.times)
    return (
        f'<li class="pq-row"><bdi>{escape(gap.query)}</bdi>'
        f'<span class="pq-kind">{escape(times)}</span></li>{also}'
    )


def _panel(heading: str, body: str) -> str:
    return f'<section class="pq-panel"><h2>{escape(heading)}</h2>{body}</section>'

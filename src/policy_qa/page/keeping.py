"""What a knowledge base holds as HTML: its size, its entries, how it came to be, what changed."""

from collections.abc import Iterable, Mapping, Sequence

from policy_qa.changes import Changes, EntryName
from policy_qa.page.address import Address
from policy_qa.page.labels import PageLabels
from policy_qa.page.lists import first, note, panel, row
from policy_qa.page.markup import escape, link
from policy_qa.storage import Event


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
    built = labels.corpus_built.format(created=_minute(created), generation=generation)
    return (
        f'<section class="pq-empty"><p class="pq-lead">{escape(size)}</p>'
        f'<p class="pq-place">{escape(built)}</p></section>'
    )


def _minute(created: str) -> str:
    return created[:16].replace("T", " ") + " UTC"


def history(events: Sequence[tuple[Event, bool]], command: str, labels: PageLabels) -> str:
    """Return how the generations came to be as HTML, folded, the newest first.

    Args:
        events: The generations, the oldest first, and whether each is on disk.
        command: What makes an earlier one current again.
        labels: In the reader's language.
    """
    if len(events) < 2:
        return ""
    rows = [_event(event, labels, there=there) for event, there in reversed(events)]
    return (
        f'<details class="pq-whole pq-history"><summary>{escape(labels.history)} '
        f"({len(events)})</summary><ul>{first(rows, labels)}</ul>"
        f"{note(labels.history_back, command)}</details>"
    )


def _event(event: Event, labels: PageLabels, *, there: bool) -> str:
    made = labels.history_entry.format(generation=event.generation, created=_minute(event.created))
    documents = labels.history_documents.format(
        entries=event.entries,
        added=event.added,
        changed=event.changed,
        removed=event.removed,
    )
    said = [documents, event.note, "" if there else labels.history_gone]
    return (
        f'<li class="pq-row"><bdi>{escape(made)}</bdi>'
        f'<span class="pq-kind">{escape(labels.history_actions[event.action])}</span>'
        f'<span class="pq-place">{escape("; ".join(filter(None, said)))}</span></li>'
    )


def changes(
    found: Changes | None,
    left_out: Mapping[str, str],
    corpus: str,
    command: str,
    labels: PageLabels,
) -> str:
    """Return what the corpus has that the knowledge base lacks as HTML.

    Args:
        found: The changes; None where the corpus is not found.
        left_out: Why which files were not read before.
        corpus: Where it was.
        command: What takes the changes in.
        labels: In the reader's language.
    """
    if found is None:
        return panel(labels.changes, note(labels.changes_unknown.format(corpus=corpus)))
    rows = [row(name, labels.added) for name in found.added]
    for document in found.changed:
        rows.append(row(document.id, labels.changed))
        rows += [row(_named(entry), labels.added, inner=True) for entry in document.added]
        rows += [row(_named(entry), labels.changed, inner=True) for entry in document.changed]
        rows += [row(_named(entry), labels.removed, inner=True) for entry in document.removed]
    rows += [row(name, labels.removed) for name in found.removed]
    rows += [
        row(f"{name}: {why}", labels.unreadable)
        for name, why in found.unreadable
        if left_out.get(name) != why
    ]
    if found.lexicon:
        rows.append(row("", labels.lexicon_changed))
    if found.alternates:
        rows.append(row("", labels.alternates_changed))
    if not rows:
        return panel(labels.changes, note(labels.changes_none))
    run = note(labels.changes_run, command) if found.apply else ""
    return panel(labels.changes, f"<ul>{first(rows, labels)}</ul>{run}")


def _named(entry: EntryName) -> str:
    return f"{entry.id} {entry.question}".strip()


def left_out(files: Mapping[str, str], labels: PageLabels) -> str:
    """Return the files that could not be read, and why, as HTML; nothing if there are none."""
    if not files:
        return ""
    rows = [
        f'<li class="pq-row"><bdi>{escape(name)}</bdi>'
        f'<span class="pq-note"><bdi>{escape(why)}</bdi></span></li>'
        for name, why in files.items()
    ]
    return panel(f"{labels.left_out} ({len(files)})", f"<ul>{first(rows, labels)}</ul>")


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
        return note(labels.corpus_none)
    if total > len(rows):
        more = labels.corpus_more.format(count=total - len(rows))
        rows.append(f'<li class="pq-note">{escape(more)}</li>')
    return f'<ul class="pq-entries">{"".join(rows)}</ul>'

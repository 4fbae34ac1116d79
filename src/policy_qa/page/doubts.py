"""What an editor should look at as HTML: findings, what ends soon, what is not covered."""

from collections.abc import Sequence
from itertools import groupby

from policy_qa.gaps import Gap
from policy_qa.keeping import Expiring
from policy_qa.labels import finding_text
from policy_qa.lint import Finding
from policy_qa.page.address import Address
from policy_qa.page.answer import cited
from policy_qa.page.labels import PageLabels
from policy_qa.page.lists import first, note, panel
from policy_qa.page.markup import escape, link

_SHOWN_OPEN = 3
"""Findings of one kind that take so little room that they need not be folded."""

_SHORT = 120
"""Characters of a quote that are enough to recognise it."""


def findings(found: Sequence[Finding] | None, address: Address, labels: PageLabels) -> str:
    """Return what the checks found as HTML, or the link that runs them.

    Args:
        found: The findings, those of a kind together; None if they were not asked for.
        address: What is shown now.
        labels: In the reader's language.
    """
    if found is None:
        run = link(address.link(check=True), escape(labels.lint_run), "pq-button")
        return panel(labels.lint, f'<div class="pq-actions">{run}</div>')
    if not found:
        return panel(labels.lint, note(labels.lint_none))

    def said(one: Finding) -> str:
        return finding_text(one.kind, one.day, one.value, labels.answer)

    groups = [(text, [*together]) for text, together in groupby(found, key=said)]
    shown = "".join(_group(text, together, address, labels) for text, together in groups)
    return panel(f"{labels.lint} ({len(found)})", shown)


def _group(text: str, together: Sequence[Finding], address: Address, labels: PageLabels) -> str:
    """Return findings of which the same is said as HTML, folded if they are many."""
    rows = [_finding(one, address, labels) for one in together]
    opened = " open" if len(rows) <= _SHOWN_OPEN else ""
    return (
        f'<details class="pq-whole pq-group"{opened}><summary><h3>{escape(text)} '
        f"({len(rows)})</h3></summary><ul>{first(rows, labels)}</ul></details>"
    )


def _finding(found: Finding, address: Address, labels: PageLabels) -> str:
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
    return f'<li class="pq-finding"><ul>{places}</ul></li>'


def _short(quote: str) -> str:
    text = " ".join(quote.split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def expiring(found: Sequence[Expiring], address: Address, labels: PageLabels) -> str:
    """Return the entries that do not hold much longer as HTML; nothing if there are none."""
    if not found:
        return ""
    rows = [_ending(one, address, labels) for one in found]
    return panel(f"{labels.expiring} ({len(found)})", f"<ul>{first(rows, labels)}</ul>")


def _ending(one: Expiring, address: Address, labels: PageLabels) -> str:
    form = labels.ends if one.days >= 0 else labels.ended
    when = form.format(day=one.entry.expires, days=one.days)
    shown = (
        f"<bdi>{escape(_short(one.question) or one.entry.id)}</bdi>"
        f'<span class="pq-place">{escape(when)}</span>'
    )
    return f"<li>{link(address.home(entry=one.entry.id), shown, 'pq-row')}</li>"


def gaps(found: Sequence[Gap] | None, command: str, labels: PageLabels) -> str:
    """Return groups of questions that were not covered as HTML.

    Args:
        found: The groups; None where questions are not logged.
        command: What takes in a table of them with answers.
        labels: In the reader's language.
    """
    if found is None:
        return panel(labels.gaps, note(labels.gaps_off))
    if not found:
        return panel(labels.gaps, note(labels.gaps_none) + note(labels.log_note))
    rows = [_gap(gap, labels) for gap in found]
    notes = note(labels.gaps_import, command) + note(labels.log_note)
    return panel(f"{labels.gaps} ({len(found)})", f"<ul>{first(rows, labels)}</ul>{notes}")


def _gap(gap: Gap, labels: PageLabels) -> str:
    others = [wording for wording, _ in gap.queries if wording != gap.query]
    also = f'<li class="pq-note"><bdi>{escape(" / ".join(others[:5]))}</bdi></li>' if others else ""
    times = labels.gaps_times.format(times=gap.times)
    return (
        f'<li class="pq-row"><bdi>{escape(gap.query)}</bdi>'
        f'<span class="pq-kind">{escape(times)}</span></li>{also}'
    )

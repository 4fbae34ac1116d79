"""A test of many questions as HTML: its figures, what changed, each miss, each question."""

from collections.abc import Iterable

from policy_qa.evaluation.hit_tests import Change, HitTest, Tried
from policy_qa.output import percent
from policy_qa.page.address import Address
from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import button, escape, link

MOST_SHOWN = 500
"""Questions of a test that are listed; a browser draws thousands slowly, and nobody reads them."""


def lead(labels: PageLabels) -> str:
    """Return what the view is for as HTML."""
    return (
        f'<section class="pq-empty"><p class="pq-lead">{escape(labels.test_lead)}</p>'
        f'<p class="pq-note">{escape(labels.test_note)}</p></section>'
    )


def result(
    test: HitTest, change: Change | None, before: str, address: Address, labels: PageLabels
) -> str:
    """Return a test as HTML.

    Args:
        test: That was run.
        change: To the one before; None if there is none.
        before: The day of the one before.
        address: What is shown now.
        labels: In the reader's language.
    """
    return (
        f'<section class="pq-panel pq-tested" role="region" aria-label="{escape(labels.test_run)}">'
        f"{_figures(test, labels)}{_changed(change, before, labels)}</section>"
        f"{_misses(test, address, labels)}{_all(test, address, labels)}"
    )


def _figures(test: HitTest, labels: PageLabels) -> str:
    counts = {str(status): count for status, count in test.statuses.items()}
    statuses = f'<p class="pq-note">{escape(labels.test_statuses.format(**counts))}</p>'
    if not test.judged:
        return f"<p>{escape(labels.test_none_judged)}</p>{statuses}"
    figures = (
        ("hit@1", test.hit_at_1),
        ("hit@3", test.hit_at_3),
        ("hit@5", test.hit_at_5),
        ("MRR", test.mrr),
    )
    shown = "".join(
        f"<div><dt>{name}</dt><dd>{_share(value)}</dd></div>" for name, value in figures
    )
    said = labels.test_judged.format(count=len(test.judged))
    if unjudged := len(test.tried) - len(test.judged):
        said += ", " + labels.test_unjudged.format(count=unjudged)
    save = f'<div class="pq-actions">{button("save", "all", labels.save_all)}</div>'
    return f'<p>{escape(said)}</p><dl class="pq-figures">{shown}</dl>{statuses}{save}'


def _share(value: float | None) -> str:
    return f"{value or 0:.3f}"


def _changed(change: Change | None, before: str, labels: PageLabels) -> str:
    if change is None:
        return f'<p class="pq-note">{escape(labels.test_first)}</p>'
    if not change.common:
        return ""
    said = labels.test_before.format(
        day=before,
        count=change.common,
        before=_share(change.before),
        after=_share(change.after),
    )
    lists = _queries("gained", labels.test_gained, change.gained)
    lists += _queries("lost", labels.test_lost, change.lost)
    return f"<p>{escape(said)}</p>" + (
        lists or f'<p class="pq-note">{escape(labels.test_same)}</p>'
    )


def _queries(kind: str, heading: str, queries: Iterable[str]) -> str:
    rows = "".join(f"<li><bdi>{escape(query)}</bdi></li>" for query in queries)
    if not rows:
        return ""
    return f'<div class="pq-{kind}"><h3 class="pq-kind">{escape(heading)}</h3><ul>{rows}</ul></div>'


def _misses(test: HitTest, address: Address, labels: PageLabels) -> str:
    if not test.judged:
        return ""
    missed = [(n, one) for n, one in enumerate(test.tried) if one.expected and one.rank != 1]
    if not missed:
        return f'<p class="pq-note">{escape(labels.test_no_misses)}</p>'
    heading = f"{labels.test_misses} ({len(missed)})"
    rows = "".join(_miss(n, one, address, labels) for n, one in missed[:MOST_SHOWN])
    return _listed("pq-misses", heading, rows)


def _miss(number: int, one: Tried, address: Address, labels: PageLabels) -> str:
    rank = labels.test_at_rank.format(rank=one.rank) if one.rank else labels.test_not_found
    expected = link(address.home(entry=one.expected), escape(one.expected), "pq-link")
    found = link(address.home(entry=one.found), escape(one.found), "pq-link") if one.found else ""
    return (
        f"<li>{_asked(one, address, labels)}"
        f'<p class="pq-note">{escape(labels.test_expected)}: {expected} ({escape(rank)}); '
        f"{escape(labels.test_found)}: {found} <bdi>{escape(one.question)}</bdi> "
        f"{button('save', str(number), labels.save, 'pq-quiet')}</p></li>"
    )


def _all(test: HitTest, address: Address, labels: PageLabels) -> str:
    rows = "".join(
        f"<li>{_asked(one, address, labels)}"
        f'<p class="pq-note">{escape(labels.test_found)}: '
        f"<bdi>{escape(one.question or one.found or labels.test_not_found)}</bdi> "
        f"{button('save', str(number), labels.save, 'pq-quiet')}</p></li>"
        for number, one in enumerate(test.tried[:MOST_SHOWN])
    )
    heading = f"{labels.test_all} ({len(test.tried)})"
    return (
        f'<details class="pq-whole pq-all"><summary>{escape(heading)}</summary>'
        f"<ul>{rows}</ul></details>"
    )


def _asked(one: Tried, address: Address, labels: PageLabels) -> str:
    status = f"{labels.answer.statuses[one.status]} {percent(one.confidence)}%"
    shown = f'<bdi>{escape(one.query)}</bdi><span class="pq-kind">{escape(status)}</span>'
    return link(address.home(query=one.query), shown, "pq-row")


def _listed(style: str, heading: str, rows: str) -> str:
    return (
        f'<section class="{style}"><h2 class="pq-label">{escape(heading)}</h2>'
        f"<ul>{rows}</ul></section>"
    )

"""Whether two texts speak of the same party, and say yes or no to the same thing.

`claims` finds, in one text, the words that it denies (不[计入], does not [affect]), what it forbids
and allows, and the party in each role (对[店铺]有影响). Two texts clash where one denies what the
other does not, or where they name different parties in the same role.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

from policy_qa.facts import party_named
from policy_qa.folding import Folded, fold_with_map
from policy_qa.patterns import Role, any_of, patterns
from policy_qa.settings import TWINS_FROM
from policy_qa.tokens import tokens

ClashKind = Literal["polarity", "affected", "bearer"]

_PARTICLES: Final = "吗呢吧了的么"
_HEAD: Final = re.compile(
    rf"(?P<han>[\u3400-\u9fff](?![{_PARTICLES}])[\u3400-\u9fff]"
    rf"|[\u3400-\u9fff](?=[{_PARTICLES}]?\W|$))"
    r"|\s*(?P<latin>[a-z]{3,})"
)
_STEM: Final = 5
"""Letters of a Latin word that must agree: count and counted, affect and affects."""
_WIDEST_GAP: Final = 4
"""Modal words between a negator and what it denies."""
_REMEMBERED: Final = 2_048
_NEAR: Final = 8
"""Characters in which a denial stands before what it denies."""
_DENIED_WITHIN: Final = 12
"""Characters behind a negator within which a clause still denies: 不享有带薪的年假."""
_TURN: Final = re.compile(r"[但而却可]|才|\b(?:but|and|yet|unless|only|may|can|until|if)\b")
"""What ends a denial in its clause: 不能退货但可以换货."""
_DENIED_BEFORE: Final = re.compile(
    r"(?:非|不是|不应?当?|不[用必需]要?|无[需须]|\b(?:not?|neither|nor))(?:由|归| |\bthe\b)*$"
)
_BEARING: Final = re.compile(
    r"承担|负担|支付|赔偿|[付出](?!现|货)|负责|自理"
    r"|\b(?:pays?|bears?|covers?|compensates?|reimburses?|responsible|liable)\b"
)
_CLAUSE_END: Final = re.compile(r"[,;:。.!?]")
_YES_OR_NO: Final = re.compile(
    r"吗|[么没]\W*$|^(?:can|could|do|does|did|is|are|was|will|would|should|may|must|has|have)\b"
)


_ASKED: Final = re.compile(
    r"[^,;:。.!?]*?(?:哪[些个种类]?|什么|谁|怎么?|如何|多[少久]|几"
    r"|\b(?:what|which|who|when|where|how)\b)"
    r"(?P<rest>(?:(?! (?:if|unless|because|since|although|though|when)\b)[^,;:。.!?])*)"
)
_SITUATION: Final = re.compile(
    r"怎么|怎样|如何|咋|会怎|后果|我|\b(?:i|my|we|our)\b"
    r"|what (?:if|happens|should|do|can)|how (?:do|can|should|to)"
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text says yes and no to, and of whom.

    Attributes:
        text: Folded.
        denials: How often it denies something.
        denied: The heads of what it denies, with the text's own words for the denial. A head is
            two characters, or the stem of a Latin word.
        forbidden, permitted, allowed: The tokens of what it says one may not do, may do, and may or
            must do.
        asks: Whether it only asks whether, so that what it does not deny is not claimed either.
        roles: The parties that it names in each role, each with the text's own word for it.
        matter: Its tokens without negators and modals.
        spared: The parties that, so it says, do not bear something.
    """

    text: str
    denials: int
    denied: Mapping[str, str]
    forbidden: frozenset[str]
    permitted: frozenset[str]
    allowed: frozenset[str]
    asks: bool
    roles: Mapping[Role, Mapping[str, str]]
    matter: frozenset[str]
    spared: frozenset[str]

    @property
    def denies(self) -> bool:
        """Whether it denies anything."""
        return self.denials > 0


@dataclass(frozen=True, slots=True)
class Clash:
    """In what two texts differ.

    Attributes:
        kind: Of difference: what they deny, or the party in a role, which is then its name.
        ours, theirs: The words of the first and of the second text for the party; or for what
            either denies, empty for the one that does not.
    """

    kind: ClashKind
    ours: str
    theirs: str


def claims(text: str) -> Claims:
    """Return what a text claims. Of stored texts, `stored_claims` remembers it."""
    folded = fold_with_map(text)
    found = _negations(folded.text)
    return Claims(
        folded.text,
        len(found),
        {head: _original(text, folded, *match.span()) for match, head in found if head},
        _ruled(folded.text, _forbidding()),
        _ruled(folded.text, _allowing("permitting")),
        _ruled(folded.text, _allowing("allowing")),
        bool(_questions().search(folded.text) or _YES_OR_NO.search(folded.text)),
        _roles(text, folded),
        frozenset(tokens(matter(folded.text))),
        _spared(folded.text),
    )


stored_claims = lru_cache(_REMEMBERED)(claims)


def clashes(ours: Claims, theirs: Claims) -> Iterator[Clash]:
    """Yield in what two texts differ."""
    for role in sorted(ours.roles.keys() & theirs.roles.keys()):
        mine, yours = ours.roles[role], theirs.roles[role]
        if mine.keys().isdisjoint(yours):
            yield Clash(role, next(iter(mine.values())), next(iter(yours.values())))
    for head in sorted(ours.denied.keys() - theirs.denied.keys()):
        if _says(theirs.text, head) and not theirs.asks:
            yield Clash("polarity", ours.denied[head], "")
    for head in sorted(theirs.denied.keys() - ours.denied.keys()):
        if _says(ours.text, head) and not ours.asks:
            yield Clash("polarity", "", theirs.denied[head])


def agreement(query: Claims, question: Claims) -> float:
    """Return -1 if two texts ask what affects different parties, 1 if the same one, else 0."""
    affected = query.roles.get("affected", {}).keys()
    of_entry = question.roles.get("affected", {}).keys()
    if not affected or not of_entry:
        return 0.0
    return 1.0 if affected & of_entry else -1.0


def twins(ours: Claims, theirs: Claims) -> bool:
    """Whether two texts are about the same matter, and one denies what the other does not."""
    if ours.denies == theirs.denies:
        return False
    shared = len(ours.matter & theirs.matter)
    return bool(shared) and shared >= TWINS_FROM * len(ours.matter | theirs.matter)


def asks_what_not(query: Claims) -> bool:
    """Whether a query asks for what is denied: in its question, from the interrogative on.

    What is denied elsewhere tells the asker's own story: "I don't like it, what can be returned?".
    Of a question that ends with the interrogative (不能退的有哪些), the whole clause counts.
    """
    asked = _ASKED.search(query.text)
    if asked is None:
        return query.denies
    return bool(_negations(asked["rest"] if len(asked["rest"]) > 1 else asked[0]))


def permissions_clash(ours: Claims, theirs: Claims) -> bool:
    """Whether one text allows or demands what the other forbids or spares, in so many words."""
    if ours.asks or theirs.asks:
        return False
    return bool(
        ours.forbidden & theirs.allowed - theirs.forbidden
        or theirs.forbidden & ours.allowed - ours.forbidden
    )


def spares_another(ours: Claims, theirs: Claims) -> bool:
    """Whether one text lets a party bear what the other only says that another one does not."""
    bearers = ours.roles.get("bearer", {}).keys()
    return bool(bearers and theirs.spared) and bearers.isdisjoint(theirs.spared)


def matter(folded: str) -> str:
    """Return a folded text without negators and modals."""
    return _modal().sub(" ", _negator().sub(" ", folded))


def denied_before(folded: str, place: int) -> bool:
    """Whether what begins at a place of a folded text is denied right before it: 并非由卖家."""
    return _DENIED_BEFORE.search(folded, max(0, place - 2 * _NEAR), place) is not None


def contradicts(query: Claims, source: Claims) -> tuple[str, str] | None:
    """Return what a query takes for forbidden and the source permits, or the other way round.

    Only rules are compared: that something was not done (不发货, didn't arrive) contradicts no
    duty to do it, whoever asks what to do when something cannot be done claims nothing, and
    neither does who tells what happens to them (I can't log in).

    Returns:
        The words that say so in the query, and in the source; empty for the side that permits.
        None if there is no contradiction.
    """
    if _SITUATION.search(query.text) or query.text.rstrip("。.!").endswith("了"):
        return None
    for head in sorted(query.denied.keys() & query.forbidden & source.permitted - source.forbidden):
        return query.denied[head], ""
    if query.asks or _ASKED.search(query.text):
        return None
    for head in sorted(source.denied.keys() & source.forbidden & query.permitted - query.forbidden):
        return "", source.denied[head]
    return None


def _negations(folded: str) -> list[tuple[re.Match[str], str]]:
    """Return each denial with the head of what it denies; empty where it has none."""
    found = []
    for match in _negator().finditer(folded):
        if match["neutral"]:
            continue
        head = _HEAD.match(folded, match.end())
        found.append((match, _stem(head) if head else ""))
    return found


def _says(folded: str, head: str) -> bool:
    """Whether a folded text says a head somewhere outside what it denies: 不享有[年假] does not."""
    start = folded.find(head)
    while start >= 0:
        clause = max(folded.rfind(mark, 0, start) for mark in ",;:。.!?") + 1
        reach = max(clause, start - _DENIED_WITHIN)
        denials = (match for match in _negator().finditer(folded, reach, start))
        if not any(
            not match["neutral"] and not _TURN.search(folded, match.end(), start)
            for match in denials
        ):
            return True
        start = folded.find(head, start + 1)
    return False


def _spared(folded: str) -> frozenset[str]:
    found = []
    for match in patterns().party.finditer(folded):
        verb = _BEARING.search(folded, match.end(), match.end() + 2 * _NEAR)
        if verb is None or _CLAUSE_END.search(folded, match.end(), verb.start()):
            continue
        between = folded[match.end() : verb.start()]
        if denied_before(folded, match.start()) or _negations(between):
            found.append(party_named(match[0]))
    return frozenset(found)


def _stem(head: re.Match[str]) -> str:
    return head["han"] or head["latin"][:_STEM]


def _original(text: str, folded: Folded, start: int, end: int) -> str:
    """Return the original words of a denial, with what it denies."""
    head = _HEAD.match(folded.text, end)
    span = folded.original(start, head.end() if head else end)
    return text[span.start : span.end].strip()


def _ruled(folded: str, modal: re.Pattern[str]) -> frozenset[str]:
    """Return the words in the clauses behind some modals."""
    clauses = (match["rest"].rstrip(_PARTICLES) for match in modal.finditer(folded))
    return frozenset(
        token[:_STEM]
        for clause in clauses
        for token in tokens(clause)
        if len(token) > 1 or token == clause
    )


def _roles(text: str, folded: Folded) -> dict[Role, dict[str, str]]:
    roles: dict[Role, dict[str, str]] = {}
    for rule in patterns().roles:
        for match in rule.pattern.finditer(folded.text):
            if rule.role == "bearer" and _is_spared(folded.text, match):
                continue
            for word in patterns().party.finditer(match[0]):
                start = match.start() + word.start()
                span = folded.original(start, start + len(word[0]))
                roles.setdefault(rule.role, {})[party_named(word[0])] = text[span.start : span.end]
    return roles


def _is_spared(folded: str, bearer: re.Match[str]) -> bool:
    """Whether a party in the role of a bearer is said not to bear it."""
    verb = _BEARING.search(folded, bearer.end(), bearer.end() + 2 * _NEAR)
    between = folded[bearer.end() : verb.start()] if verb else ""
    return denied_before(folded, bearer.start()) or bool(_negations(between))


@cache
def _questions() -> re.Pattern[str]:
    return re.compile(any_of(patterns().polarity["questions"]))


@cache
def _modal() -> re.Pattern[str]:
    return re.compile(any_of(patterns().polarity["modals"]))


@cache
def _negator() -> re.Pattern[str]:
    """Return what finds denials, and words that only look like one (`neutral`)."""
    words = patterns().polarity
    return re.compile(
        rf"(?P<neutral>{any_of((*words['neutral'], *words['questions']))})"
        rf"|(?:{any_of(words['negators'])})(?:\s?(?:{any_of(words['modals'])})){{0,{_WIDEST_GAP}}}"
    )


@cache
def _forbidding() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(patterns().polarity['forbidding'])})(?P<rest>[^,;:。.!?]+)")


@cache
def _allowing(name: str) -> re.Pattern[str]:
    words = patterns().polarity
    return re.compile(
        rf"(?!{any_of(words['forbidding'])})(?<![不没未无])"
        rf"(?:{any_of(words[name])})(?! ?not\b|n't)(?P<rest>[^,;:。.!?]+)"
    )

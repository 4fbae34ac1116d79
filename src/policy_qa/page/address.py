"""The address of the page: the one truth about what is shown, so that links, Back and Forward work.

?q=…      the query                    &entry=…  the entry whose source is shown
&why=1    why it was found             &lang=…   the language of the labels
?view=…   another view than asking     &find=…   what its list is searched for
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast, get_args
from urllib.parse import parse_qsl, urlencode

from policy_qa.labels import LANGUAGES
from policy_qa.types import Language

View = Literal["ask", "test", "corpus"]
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True, slots=True)
class Address:
    """What is shown.

    Attributes:
        view: Which of the views.
        query: What is asked; empty for nothing.
        entry: The id of the entry whose source is shown; empty for the one that answers.
        why: Whether it is shown why that entry was found.
        language: The language chosen for the labels; None if nobody chose.
        find: What the list of the corpus is searched for.
        check: Whether the corpus is checked.
    """

    view: View = "ask"
    query: str = ""
    entry: str = ""
    why: bool = False
    language: Language | None = None
    find: str = ""
    check: bool = False

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """Return what an address asks for; what it says wrong is left out."""
        view, language = parameters.get("view", ""), parameters.get("lang", "")
        return cls(
            view=view if view in VIEWS else "ask",
            query=parameters.get("q", "").strip(),
            entry=parameters.get("entry", ""),
            why=parameters.get("why") == "1",
            language=cast("Language", language) if language in LANGUAGES else None,
            find=parameters.get("find", "").strip(),
            check=parameters.get("check") == "1",
        )

    @classmethod
    def read_link(cls, link: str) -> Self:
        """Return what a link of `link` asks for."""
        return cls.read(dict(parse_qsl(link.removeprefix("?"))))

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the address; what is as usual is left out."""
        values = {
            "view": "" if self.view == "ask" else self.view,
            "q": self.query,
            "entry": self.entry,
            "why": "1" if self.why else "",
            "find": self.find,
            "check": "1" if self.check else "",
            "lang": self.language or "",
        }
        return {name: value for name, value in values.items() if value}

    def link(self, **changes: Any) -> str:
        """Return the relative address of this view with some changes."""
        return "?" + urlencode(replace(self, **changes).parameters(), errors="replace")

    def home(self, **changes: Any) -> str:
        """Return the relative address of a view of its own, in the same language."""
        return Address(language=self.language).link(**changes)

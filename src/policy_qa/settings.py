"""Every default, once, with its unit and the reason for its value."""

from pathlib import Path
from typing import Final

FORMAT_VERSION: Final = 1
"""Of the files of a knowledge base. Raised when an older program could misread them."""

KNOWLEDGE_BASE: Final = Path("kb")
"""Where a knowledge base stands when nobody says otherwise, relative to the current directory."""

GENERATIONS_KEPT: Final = 3
"""Whole generations on disk: the current one and two to go back to."""

MAX_QUERY_CHARS: Final = 2_000
"""Characters. A long message of a customer is 500; the encoder reads at most 512 tokens."""

PASSAGE_MAX_CHARS: Final = 160
"""Characters of one passage. Sentences of the seed and of statutes have a median of 35 and rarely
exceed 160; with a question of the same length as context a passage stays far below 512 tokens."""

PASSAGE_MIN_CHARS: Final = 10
"""Characters. A shorter sentence (您好。) says nothing alone and is joined to its neighbour on the
same line."""

CONTEXT_MAX_CHARS: Final = 160
"""Characters of the question that a passage is encoded with. A longer question is still indexed
whole, as passages of its own."""

CANDIDATES: Final = 100
"""Passages that each index returns for a query before fusion. Beyond 100 no set gained."""

VIEW_WEIGHTS: Final = (0.36, 0.36, 0.28)
"""How much of a passage's vector comes from the passage with its question, from the passage alone,
and from its whole entry. Each view finds what the others miss (`eval/results/ablation.md`)."""

LEXICAL_WEIGHTS: Final = {"zh": 0.18, "en": 0.05}
"""Weight of each lexical score, of the passage and of the entry, to 1 for the dense score, by the
query's language. English questions share many words with entries that do not answer them."""

CENTRING_WITHIN_LANGUAGE: Final = 0.5
"""Share of its language's centre that a query loses for ranking where the corpus holds passages in
its language. More costs drcd (hit@1 .929 at 0.5, .913 at 1) and gains little on other sets."""

CENTRING_ACROSS_LANGUAGES: Final = 1.0
"""The same where the corpus holds none: the whole centre only misleads."""

ANSWERED_FROM: Final = 0.5
"""Confidence from which an answer is given as such: more likely right than wrong."""

RELATED_FROM: Final = 0.06
"""Confidence from which the nearest entry is shown as related. On the seed 5% of the out-of-scope
questions of `out_of_scope_dev` reach it."""

TOP_K: Final = 5
"""Entries returned by default: what fits beside an answer without scrolling."""

CONCLUSION_SENTENCES: Final = 2
"""At most this many sentences answer a query."""

ENCODER_THREADS: Final = 2
"""Threads that encode at once. Each runs one text at a time, so more than the cores only spin."""

"""Every default, once, with its unit and the reason for its value."""

from pathlib import Path
from typing import Final

FORMAT_VERSION: Final = 7
"""Of the files of a knowledge base. Raised when files, folding, tokens or what a vector means
change, so that no program misreads the files of another."""

TEXT_VERSION: Final = 2
"""Of what the indexes see of a text. Raised when folding, tokens or passages change."""

KNOWLEDGE_BASE: Final = Path("kb")
"""Where a knowledge base stands when nobody says otherwise, relative to the current directory."""

GENERATIONS_KEPT: Final = 5
"""Generations on disk: the current one and those that readers may still have open, or that somebody
may want back."""

REBUILT_UP_TO: Final = 2_000
"""Passages up to which a change of the corpus makes new indexes: it takes a second, and scores are
then to the last digit those of a fresh build."""

CHANGES_SHARE: Final = 0.25
"""Share of the passages that may be new or gone before the indexes are made anew. Both are held
beside the older index, which every query searches first."""

MAX_QUERY_CHARS: Final = 2_000
"""Characters. A long message of a customer is 500; the encoder reads at most 512 tokens."""

PASSAGE_MAX_CHARS: Final = 160
"""Characters of one passage. Those of the seed have a median of 45; with a question of the same
length as context a passage stays far below 512 tokens."""

PASSAGE_MIN_CHARS: Final = 10
"""Characters. A shorter sentence (您好。) says nothing alone and is joined to its neighbour on the
same line."""

CONTEXT_MAX_CHARS: Final = 160
"""Characters of the question that a passage is encoded with. A longer question is still indexed
whole, as passages of its own."""

FLAT_UP_TO: Final = 20_000
"""Passages up to which every vector is compared: exact, in 4 ms. From there on a coarse index takes
less (`benchmarks/results/indexes.md`)."""

HNSW_SEARCHED: Final = 256
"""Rows that stay in view while a coarse index of links is searched. Half as many find .993 of the
ten passages nearest to a real question among 12,000, as many .998, in half a millisecond more
(`benchmarks/results/indexes.md`); among 100,000 it is .982 and .992."""

IVF_PROBED: Final = 0.2
"""Share of the clusters of a coarse index that are searched. Of the passages nearest to a real
question a fifth of the clusters hold .92, of those nearest to a passage .97
(`benchmarks/results/indexes.md`)."""

IVF_TRAINED_ON: Final = 100_000
"""Vectors that clusters are made from, at most: 25 for each of the 4,000 of a million vectors."""

RESCORED: Final = 128
"""Rows that a coarse index names for their exact scores, at least: more than the candidates, for
its own scores, of 8 bits, err by a place or two. Of 400 none more were among the best ten."""

NAMING: Final = 0.93
"""Share of the sum of the tokens' weights that the tokens have, the most telling first, by which
passages are named among more than `FLAT_UP_TO`, for all tokens to score: the ten best of a million
are all found (`benchmarks/results/scale.md`). By hand, once: with .9 one of a hundred was not, with
.97 it takes half as long again, with all of them twice as long."""

NAMED: Final = 2
"""How many times as many passages as are wanted are named so. By hand, once, of the twenty best of
a million: as many as are wanted miss .01, twice as many .003, three times as many .002."""

EXACT_AMONG: Final = 20_000
"""Rows left by a filter up to which each is compared, whatever the coarse index."""

EXACT_SHARE: Final = 0.1
"""Share of the rows up to which the same holds: to find a tenth of the rows by their links takes
ten times as long, which is about as long as to compare them; an estimate."""

CHECKED_VECTORS: Final = 200
"""Vectors that `info --check` looks for: recall is known to half a hundredth."""

CANDIDATES: Final = 100
"""Passages that each index returns for a query before fusion. Other numbers were not measured."""

VIEW_WEIGHTS: Final = (0.36, 0.36, 0.28)
"""How much of a passage's vector comes from the passage with its question, from the passage alone,
and from its whole entry. A balance, never the worst of four: covidfaq does better without the
second view, English seed questions without the third (`eval/results/ablation.md`)."""

LEXICAL_WEIGHTS: Final = {"zh": (0.18, 0.18), "en": (0.05, 0.0)}
"""Weights of the lexical scores of the passage and of its whole entry, to 1 for the dense score, by
the query's language. English questions share many words with entries that do not answer them."""

TRANSLATION_WEIGHTS: Final = (0.12, 0.12)
"""Weights of the share of the query's words that the passage, and its whole entry, holds by a
translation or by a word of the lexicon."""

SENTENCE_LEXICAL_WEIGHT: Final = 0.25
"""Weight of the share of the query's weighted tokens that a sentence holds, to 1 for its dense
score, where sentences of one entry compete. From .1 to .3 hardly matters
(`eval/results/conclusions.md`)."""

SENTENCE_TRANSLATION_WEIGHT: Final = 0.1
"""Weight of the share of the query's words that a sentence holds in translation. As much as for its
own words finds the gold span in 5 fewer of 49 conclusions to English questions on the tuning half:
a dictionary gives many translations that are not meant."""

QUERY_CENTRING: Final = 0.5
"""Share of its language's centre that a query loses for ranking. A small gain on covidfaq,
hint3_sofmattress and stard, a small loss on drcd (`eval/results/ablation.md`); on English questions
of the seed 3 of 49 more are right in the tuning half, but only 1 of 49 in the reporting half."""

SHARED_AMONG: Final = 10
"""Entries among which the best one's share of the scores is taken: those that `eval` looks at."""

SHARE_STEP: Final = 0.02
"""Difference of fused score that makes an entry e times as likely to be meant, for that share:
about the median difference of the first two entries on the sets that confidence is fitted on."""

WRONG_ANSWER_COST: Final = 2.0
"""Cost of a wrong answer, to 1 for what a right one is worth: answers are given as such from a
confidence of cost / (1 + cost), .67. On the tuning half of the seed 89% of them are right."""

WRONG_HINT_COST: Final = 1 / 3
"""Cost of showing the nearest entry, marked as unsure, when it is wrong: entries are shown from a
confidence of .25, as 98% of the best ones for covered questions of that half are."""

RERANKED: Final = 10
"""Entries that a reranker, where there is one, puts in a new order. Each is one run of its model;
as many are enough for every figure at 10 to have its say. Other numbers were not measured."""

TOP_K: Final = 5
"""Entries returned by default: what fits beside an answer without scrolling."""

CONCLUSION_SENTENCES: Final = 2
"""At most this many sentences answer a query."""

CONCLUSION_WIDTH: Final = 160
"""Columns, of which a Chinese character takes two. A second sentence joins the conclusion if both
fit in so many, for they are read at a glance; a longer one only if it is as likely the answer."""

AS_GOOD: Final = 0.006
"""Difference of score of sentences that are as likely to be the answer: the most with which
the conclusions of the tuning half of the seed have a median of 80 characters. Twice as much finds
the gold span in 2 more of 100, which are a sixth longer (`eval/results/conclusions.md`)."""

NEARLY_AS_GOOD: Final = 0.035
"""Difference of score up to which a sentence that fits in joins the conclusion. Half as much holds
as many gold spans, and loses the row of a table beside its heading."""

WANTED: Final = 0.035
"""What a sentence gains in score that holds what the query asks for, such as a deadline: one gold
span more of 164, in shorter conclusions (`eval/results/conclusions.md`)."""

SHUNNED: Final = 0.07
"""What a sentence loses that cannot be what the query asks for: a list where it asks how. It keeps
a list of problems from answering 快遞丟件怎麼處理, and changes nothing else that was measured."""

RIVALS: Final = 8
"""Sentences, the best by score, among which what the query asks for decides."""

SENTENCES_READ: Final = 64
"""Sentences of one entry, the nearest ones, that compete for the conclusion: an entry may have a
thousand, and composing an answer must not wait for them."""

BEARING_FROM: Final = 0.9
"""Share of the best sentence's score from which a sentence bears on the query: its facts stand on
the rule card."""

AGREEMENT_WEIGHT: Final = 0.02
"""What an entry loses of its fused score whose question asks what affects another party than the
query does, and one gains that asks of the same party: the usual difference of two entries that ask
the same of two parties. None of `eval/sides` is ranked otherwise by it."""

TWINS_FROM: Final = 0.6
"""Share of the words of two questions that twins have in common, one of which
denies what the other does not: what may, and what may not, be returned."""

TWINS_WITHIN: Final = 0.06
"""Difference of score within which twins change places if the lower one is on the query's side.
Half as much does as well on `eval/sides`, more does worse (`eval/results/sides.md`)."""

MEANT_WITHIN: Final = 0.06
"""Difference of fused score to the best entry up to which another one may be the one that is meant:
where two of these contradict each other, the answer tells it. On the tuning half of
`eval/contradictions` the pairs whose query finds another entry first stand within .04."""

SAME_QUESTION_FROM: Final = 0.95
"""Cosine of the questions of two entries that answer the same question. Entries on neighbouring
cases reach .92 on the tuning half of `eval/contradictions`."""

SAME_QUESTION_SENTENCES_FROM: Final = 0.85
"""Cosine of two of their sentences that are about the same thing."""

SAME_SENTENCE_FROM: Final = 0.9
"""Cosine of sentences that are about the same thing whatever their entries are asked, if they also
share nearly all words."""

SAME_WORDS_FROM: Final = 0.8
"""Share of words in common from which one denial more makes a sentence say the opposite."""

WORDED_ALIKE_FROM: Final = 0.85
"""Share of the longer one's words that the shorter one of two answers to a question in the same
words has, if they are about the same thing: quantities, parties, negators and function words left
out. At .8 a rule (orders paid by card) and its exception (international ones) would be the same."""

THE_SAME_FROM: Final = 0.95
"""Share of the shorter sentence's words that two sentences in nearly the same words have in common,
their quantities left out."""

ENCODER_THREADS: Final = 2
"""Threads that encode at once. Each runs one text at a time, so more than the cores only spin."""

PUBLISHING_TOLERANCE: Final = 0.01
"""By how much hit@1 and coverage may fall for a generation to be published: of 100 questions one
may be lost to a change that is wanted."""

"""Evaluation: queries and qrels → runs → measures with intervals → results, compared, reported.

files → records, judgments → sets     what is asked, and what is right
runs → measures                       what was found, and how good that is
intervals, abstention → figures       how sure the figures are, and confidence
scripts, figures → slices             the same for languages, kinds, splits, scripts
revision, results                     what is kept, and of which program
indexes, perturbations → experiment   what is run
tables, comparing                     what is printed
curves → plots → report               what is drawn and reported
abstention → calibrating              what a knowledge base learns of confidence
question_tables → hit_tests           questions of a spreadsheet, tried and compared
question_tables → saved_cases         questions that become an evaluation set
"""

from policy_qa.evaluation.experiment import QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT, experiment
from policy_qa.evaluation.judgments import Qrel, Query
from policy_qa.evaluation.measures import MEASURES, measure_queries
from policy_qa.evaluation.results import Result, read_result, write_result
from policy_qa.evaluation.runs import (
    Run,
    Searcher,
    judge,
    read_trec_run,
    write_trec_run,
)
from policy_qa.evaluation.sets import (
    EvaluationSet,
    check_against,
    check_names,
    load_evaluation_set,
)

__all__ = [
    "MEASURES",
    "QUESTIONS_INDEXED",
    "QUESTIONS_LEFT_OUT",
    "EvaluationSet",
    "Qrel",
    "Query",
    "Result",
    "Run",
    "Searcher",
    "check_against",
    "check_names",
    "experiment",
    "judge",
    "load_evaluation_set",
    "measure_queries",
    "read_result",
    "read_trec_run",
    "write_result",
    "write_trec_run",
]

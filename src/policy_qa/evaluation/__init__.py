"""Evaluation: queries and qrels → runs → measures with intervals → results, compared, reported.

files → records, judgments → sets          what is asked, and what is right
runs → measures                             what was found, and how good that is
intervals, abstention → figures → slices    how sure the figures are, and for whom
results                                     what is kept
indexes, perturbations → experiment         what is run
tables, comparing, plots → report           what is shown
"""

from policy_qa.evaluation.experiment import QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT, experiment
from policy_qa.evaluation.judgments import Qrel, Query
from policy_qa.evaluation.measures import MEASURES, Measures, evaluate, measure_queries
from policy_qa.evaluation.results import Result, read_result, write_result
from policy_qa.evaluation.runs import (
    Run,
    Searcher,
    judge,
    read_trec_run,
    run_queries,
    write_trec_run,
)
from policy_qa.evaluation.sets import (
    EvaluationSet,
    check_against,
    check_names,
    load_evaluation_set,
)
from policy_qa.evaluation.tables import report

__all__ = [
    "MEASURES",
    "QUESTIONS_INDEXED",
    "QUESTIONS_LEFT_OUT",
    "EvaluationSet",
    "Measures",
    "Qrel",
    "Query",
    "Result",
    "Run",
    "Searcher",
    "check_against",
    "check_names",
    "evaluate",
    "experiment",
    "judge",
    "load_evaluation_set",
    "measure_queries",
    "read_result",
    "read_trec_run",
    "report",
    "run_queries",
    "write_result",
    "write_trec_run",
]

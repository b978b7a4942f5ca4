"""The proof that every job gives before it writes scores: a sample, as the database has it."""

from __future__ import annotations

from mentor_sync.job import JobContext
from mentor_sync.matching.parity import Sample
from mentor_sync.matching.proposals import Labels, Proposals


def proved_labels(context: JobContext, proposals: Proposals) -> Labels:
    """The labels of all terms that matched, once a sample of the scores is proved.

    Raises:
        ScoresDiffer: the engine and the definition disagree.
    """
    sample = Sample.draw(proposals, context.run_id.int)
    terms = {"p_term_ids": sorted({*proposals.terms(), *sample.terms()})}
    labels = Labels.of(context.database.rpc("term_labels", terms, expect=dict))
    answer = context.database.rpc("scores_of_pairs", sample.pairs, expect=list)
    context.log.debug("scores agree", pairs=sample.check(answer, labels))
    return labels

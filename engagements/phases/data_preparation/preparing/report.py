"""report.json: what was made of what, why every other row was left out, and the proof that nothing leaked.

    rows_in, kept, dropped         rows_in = kept + sum of dropped, which counts by reason
    exact_duplicates               rows left out because an earlier one asks and answers the same, as written or but for
                                   case, blanks, punctuation, Unicode form, look-alike letters: `duplicates` has both
    near_duplicate_clusters        clusters of two kept rows and more whose questions are nearly or wholly the same
    label_conflicts                pairs with the same question and another label; both are kept, in one split
    splits                         per split: file, examples, share, sha256 of the file, examples by label
    leaks                          pairs across splits that are left, by kind; `decontamination` has rules and pairs
    check                          what `sixfold data check` reports of all rows that could be read
    problems                       the first hundred of each code; `problem_counts` counts all
    digest                         of every record's content with its split, and of the policy

The same files and options give the same report, byte for byte.
"""

import hashlib
from collections import Counter, defaultdict
from itertools import islice
from typing import Any, Final

import numpy as np

from engagements.phases.data_preparation.deduplication.exact import Repeat
from engagements.phases.data_preparation.preparing.prepared import LISTED_MAX, Prepared, SourceAccount
from engagements.phases.data_preparation.splitting.policy import SPLITS, Split
from estimator.errors import Problem

SCHEMA: Final = 1
_CLUSTERS_LISTED: Final = 100
_MEMBERS_LISTED: Final = 20


def file_name(split: Split) -> str:
    return f"{split}.jsonl"


def report_of(prepared: Prepared) -> dict[str, Any]:
    """As plain data, ready for JSON."""
    division, repeats = prepared.division, prepared.repeats
    identical, normalised = repeats.get(Repeat.IDENTICAL, 0), repeats.get(Repeat.NORMALISED, 0)
    leaks = division.leaks
    by_kind = {"exact": leaks.exact, "normalised": leaks.normalised, "minhash": leaks.minhash, "ngram": leaks.ngram}
    return {
        "schema": SCHEMA,
        "digest": prepared.digest,
        "policy": prepared.options.as_json() | {"task": prepared.task},
        "sources": [_source_json(each) for each in prepared.sources],
        "rows_in": prepared.rows_in,
        "kept": int((division.split >= 0).sum()),
        "dropped": dict(sorted(prepared.dropped.items())),
        "exact_duplicates": identical + normalised,
        "duplicates": {
            "identical": identical, "normalised": normalised,
            "pairs": [{"dropped": one, "kept": other} for one, other in prepared.duplicates[:LISTED_MAX]],
        },
        "near_duplicate_clusters": division.cluster_count,
        "near_duplicates": _clusters_json(prepared),
        "label_conflicts": {
            "count": len(prepared.conflicts), "pairs": [list(pair) for pair in prepared.conflicts[:LISTED_MAX]],
        },
        "splits": {split.value: split_json(prepared, split) for split in SPLITS},
        "leaks": by_kind if leaks.embedding is None else by_kind | {"embedding": leaks.embedding},
        "decontamination": division.leaks_json(),
        "check": prepared.check.to_json(),
        "problem_counts": dict(sorted(prepared.problems.counts.items())),
        "problems": [problem_json(each) for each in prepared.problems.listed],
    }  # fmt: skip


def split_json(prepared: Prepared, split: Split) -> dict[str, Any]:
    rows = prepared.division.rows_of(split)
    labels = Counter(label for row in rows.tolist() if (label := prepared.material.labels[row]) is not None)
    digest = hashlib.sha256()
    for line in prepared.lines_of(split):
        digest.update(line)
    return {
        "file": file_name(split), "examples": len(rows), "share": round(len(rows) / _kept(prepared), 4),
        "groups": len(np.unique(prepared.division.grouped.root[rows])), "sha256": digest.hexdigest(),
        "labels": dict(sorted(labels.items())),
    }  # fmt: skip


def _kept(prepared: Prepared) -> int:
    return max(1, int((prepared.division.split >= 0).sum()))


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line, "where": problem.where, "code": problem.code, "severity": problem.severity.value,
        "message": problem.message, "remedy": problem.remedy,
    }  # fmt: skip


def _source_json(source: SourceAccount) -> dict[str, Any]:
    return {
        "name": source.name, "sha256": source.sha256, "size_bytes": source.size_bytes, "format": source.format,
        "encoding": source.encoding, "mapping": source.mapping, "rows_in": source.rows_in, "kept": source.kept,
        "dropped": dict(source.dropped),
    }  # fmt: skip


def _clusters_json(prepared: Prepared) -> dict[str, Any]:
    members = defaultdict[int, list[str]](list)
    cluster = prepared.division.grouped.cluster
    sizes = np.bincount(cluster, minlength=1)
    for row in np.flatnonzero(sizes[cluster] > 1).tolist():
        members[int(cluster[row])].append(prepared.material.ids[row])
    largest = sorted(members.values(), key=lambda ids: (-len(ids), ids[0]))
    return {
        "rows": int(sizes[sizes > 1].sum()), "largest": int(sizes.max()),
        "clusters": [
            {"size": len(ids), "ids": ids[:_MEMBERS_LISTED]} for ids in islice(largest, _CLUSTERS_LISTED)
        ],
    }  # fmt: skip

"""What stands against a report."""

from engagements.core.errors import Conflict


class ReportConflict(Conflict):
    """Nothing was agreed yet, the engagement has ended, or the report would say nothing new."""

    code = "report_not_issuable"

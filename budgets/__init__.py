"""What users were promised and what they got, asked of Prometheus; and what follows from it for changes.

- `prometheus`  its HTTP API, the two kinds of question that are asked
- `status`      the state of every SLO now
- `risk`        which steps of a preview put users at risk
- `revisions`   what ran before, so that a way back is known from a way on
- `gate`        a change, judged by the budgets
- `overrides`   who let a change past them, when and why
- `month`       what a month amounted to
- `days`        good and bad days of the SLOs that are public
- `page`        those as one HTML file

The series asked for are those that `components/slo/rules.py` records.
"""


class BudgetsError(Exception):
    """What was asked cannot be answered; the message is complete sentences for the person who must act."""

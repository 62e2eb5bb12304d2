"""The auditor's evidence: what was judged, by which rules, with what outcome, in a bundle that shows tampering.

intake.py       resources from a state, or from manifests
assessment.py   the rules asked, and all that must be known to believe the answer; plain data, from and to JSON
bundle.py       the bundle: written, verified, compared with another
statement.py    what binds it together: an in-toto statement, signed if there is a key
formats/        what others read: SARIF, JUnit, OSCAL, and a page for people; all made of the assessment alone
"""


class AuditError(Exception):
    """An audit that cannot be made or believed; the message says, a sentence a line, what is wrong and what to do."""

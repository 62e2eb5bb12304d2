"""A proof that cannot fail proves nothing: every mistake in the recordings of an SLO of each kind is noticed.

`python -m tests.bench.slo_mutation` tries all SLOs, and the rules that they share.
"""

from pathlib import Path

import pytest

from components.slo.objective import Slo
from tests.slo.mutation import of_recordings
from tests.slo.product_slos import SLOS

OF_EACH_KIND = {type(slo.indicator): slo for slo in reversed(SLOS)}.values()


@pytest.mark.parametrize("slo", OF_EACH_KIND, ids=lambda slo: slo.name)
def test_every_changed_recording_is_noticed(promtool: Path, slo: Slo) -> None:
    score = of_recordings(promtool, slo)
    assert [f"{mutant.kind}: {mutant.what}" for mutant in score.left] == []
    assert score.total > 30

"""How the engine is started: with the policy pack, at the levels of the place it deploys to."""

import json
from pathlib import Path

from engine.command import Command
from engine.operation import policy_options
from engine.target import ADVISORY_WHERE_EMBEDDED, NO_DIGESTS, POLICY_PACK, Target
from policies.pack import RULES
from stacks.environment import ClusterTarget, Environment, NamespaceSettings, Platform

NAMESPACE = NamespaceSettings(name="shop", cpu="1", memory="1Gi", storage="1Gi", pods=1, protect=False)


def target(embedded: bool) -> Target:
    cluster = None if embedded else ClusterTarget("prod", None)
    return Target(
        root=Path("/project"),
        environment=Environment("prod", Platform.model_validate({"namespace": NAMESPACE}), cluster),
        embedded=embedded,
        command=Command(Path("pulumi"), Path("/project"), {}),
        context="prod",
        kubeconfig=None,
        server="https://prod.example",
        simulated=(),
    )


def test_a_real_cluster_is_held_to_every_policy_and_the_embedded_one_to_those_it_can_keep(tmp_path: Path) -> None:
    pack = ["--policy-pack", str(POLICY_PACK)]
    assert policy_options(target(embedded=False), tmp_path) == pack
    *options, file = policy_options(target(embedded=True), tmp_path)
    assert options == [*pack, "--policy-pack-config"]
    assert json.loads(Path(file).read_text()) == {"image-digest": "advisory"}


def test_what_only_advises_is_a_policy_and_is_told() -> None:
    assert set(ADVISORY_WHERE_EMBEDDED) <= {rule.id for rule in RULES}
    assert all(rule in NO_DIGESTS for rule in ADVISORY_WHERE_EMBEDDED)

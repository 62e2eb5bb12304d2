"""Nothing in a rendering refers to what is not there; and whoever breaks a reference is told exactly which."""

import copy
import re
from collections.abc import Callable

import pytest

from stacks.environment import Environment, load
from tests.conftest import COPIED, ROOT, declared
from tests.rendered import dangling
from tests.rendered.index import title
from tests.rendered.operators import Object
from tests.renderings import with_secrets


def rendered(stack: str) -> list[Object]:
    return [each.manifest for each in with_secrets(stack)]


@pytest.mark.parametrize("stack", ["staging", "prod", COPIED])
def test_nothing_dangles(stack: str) -> None:
    assert dangling(rendered(stack), declared(stack)) == []


Rendering = dict[str, Object]
"""Objects by kind and name, `Secret/api-env`."""
Breaking = Callable[[Rendering], None]

BROKEN: list[tuple[Breaking, list[str]]] = []
"""What breaks a rendering, and all that must be told of it."""


def tells(*sentences: str) -> Callable[[Breaking], Breaking]:
    def register(change: Breaking) -> Breaking:
        BROKEN.append((change, sorted(sentences)))
        return change

    return register


@pytest.fixture(scope="module")
def environment() -> Environment:
    return load(ROOT, "staging")


@pytest.fixture(scope="module")
def staging() -> Rendering:
    return {title(each): each for each in rendered("staging")}


@pytest.fixture(scope="module")
def already(staging: Rendering, environment: Environment) -> set[str]:
    """What dangles before anything was broken: the business of the test above."""
    return set(dangling(list(staging.values()), environment))


def container(objects: Rendering, workload: str) -> Object:
    return objects[workload]["spec"]["template"]["spec"]["containers"][0]


def variable(objects: Rendering, workload: str, name: str) -> Object:
    return next(each for each in container(objects, workload)["env"] if each["name"] == name)


@tells("Deployment/email-worker refers to Secret/email-worker-env, which is not declared")
def secret_renamed(objects: Rendering) -> None:
    objects["Secret/email-worker-env"]["metadata"]["name"] = "email-worker"


@tells("Deployment/api refers to Secret/api-env key SESSION_KEY, which is not declared")
def secret_without_a_key(objects: Rendering) -> None:
    del objects["Secret/api-env"]["stringData"]["SESSION_KEY"]


@tells("Deployment/scheduler refers to Secret/postgres-main-app key url, which is not declared")
def operators_secret_misspelt(objects: Rendering) -> None:
    variable(objects, "Deployment/scheduler", "DATABASE_URL")["valueFrom"]["secretKeyRef"]["key"] = "url"


@tells(
    "Cluster/postgres-auth refers to Secret/keycloak key password, which is not declared",
    "Cluster/postgres-auth refers to Secret/keycloak key username, which is not declared",
    "StatefulSet/keycloak refers to Secret/postgres-auth-app, which is not declared",
)
def operator_makes_no_secret(objects: Rendering) -> None:
    """CloudNativePG makes none where it is given one."""
    objects["Cluster/postgres-auth"]["spec"]["bootstrap"]["initdb"]["secret"] = {"name": "keycloak"}


@tells("StatefulSet/keycloak refers to Service/postgres-auth-primary, which is not declared")
def operators_service_misspelt(objects: Rendering) -> None:
    variable(objects, "StatefulSet/keycloak", "KC_DB_URL_HOST")["value"] = "postgres-auth-primary"


@tells("PodMonitor/kube-state-metrics refers to port metrics of Deployment/kube-state-metrics, which is not declared")
def port_renamed(objects: Rendering) -> None:
    container(objects, "Deployment/kube-state-metrics")["ports"][0]["name"] = "measures"
    for probe in ("startupProbe", "livenessProbe"):
        container(objects, "Deployment/kube-state-metrics")[probe]["httpGet"]["port"] = "measures"


@tells("Deployment/web refers to port https of its container web, which is not declared")
def probe_of_no_port(objects: Rendering) -> None:
    container(objects, "Deployment/web")["readinessProbe"]["httpGet"]["port"] = "https"


@tells(
    "Service/grafana refers to pods with app.kubernetes.io/component=dashboards, "
    "app.kubernetes.io/name=grafana, which is not declared"
)
def service_of_another_label(objects: Rendering) -> None:
    objects["Service/grafana"]["spec"]["selector"]["app.kubernetes.io/component"] = "dashboards"


@tells("Service/keycloak refers to port https of StatefulSet/keycloak, which is not declared")
def target_port_changed(objects: Rendering) -> None:
    objects["Service/keycloak"]["spec"]["ports"][0]["targetPort"] = "https"


@tells("PodDisruptionBudget/web refers to pods with app=web, which is not declared")
def budget_of_no_pods(objects: Rendering) -> None:
    objects["PodDisruptionBudget/web"]["spec"]["selector"]["matchLabels"] = {"app": "web"}


@tells("Deployment/web refers to volume cache, which is not declared")
def mount_of_no_volume(objects: Rendering) -> None:
    container(objects, "Deployment/web")["volumeMounts"].append({"name": "cache", "mountPath": "/cache"})


@tells("Deployment/blackbox-exporter refers to file /etc/blackbox-exporter/config.yml, which is not mounted")
def file_not_mounted(objects: Rendering) -> None:
    container(objects, "Deployment/blackbox-exporter")["args"] = ["--config.file=/etc/blackbox-exporter/config.yml"]


@tells(
    "StatefulSet/alertmanager-alertmanager refers to file "
    "/etc/alertmanager/secrets/alertmanager-contacts/slack_url, which is not mounted"
)
def contact_without_its_file(objects: Rendering) -> None:
    del objects["Secret/alertmanager-contacts"]["stringData"]["slack_url"]


@tells("StatefulSet/keycloak refers to variable API_CLIENT_SECRET, which is not set")
def realm_variable_not_set(objects: Rendering) -> None:
    variable(objects, "StatefulSet/keycloak", "API_CLIENT_SECRET")["name"] = "CLIENT_SECRET"


@tells("Deployment/web refers to ServiceAccount/web, which is not declared")
def account_gone(objects: Rendering) -> None:
    del objects["ServiceAccount/web"]


@tells("RoleBinding/prometheus refers to ServiceAccount/watcher, which is not declared")
def subject_of_another_name(objects: Rendering) -> None:
    objects["RoleBinding/prometheus"]["subjects"][0]["name"] = "watcher"


@tells("StatefulSet/redis-queue refers to Service/redis, which is not declared")
def governing_service_gone(objects: Rendering) -> None:
    objects["StatefulSet/redis-queue"]["spec"]["serviceName"] = "redis"


@tells("HTTPRoute/web refers to Service/website, which is not declared")
def back_end_renamed(objects: Rendering) -> None:
    objects["HTTPRoute/web"]["spec"]["rules"][1]["backendRefs"][0]["name"] = "website"


@tells("HTTPRoute/api refers to Service/api port 80, which is not declared")
def back_end_of_another_port(objects: Rendering) -> None:
    objects["HTTPRoute/api"]["spec"]["rules"][1]["backendRefs"][0]["port"] = 80


@tells("HTTPRoute/gateway-redirect refers to Gateway/gateway listener http, which is not declared")
def listener_renamed(objects: Rendering) -> None:
    objects["Gateway/gateway"]["spec"]["listeners"][0]["name"] = "plain"


@tells("Gateway/gateway refers to Secret/api.staging.shop.example-tls, which is not declared")
def certificate_gone(objects: Rendering) -> None:
    del objects["Certificate/api.staging.shop.example"]


@tells("Gateway/gateway refers to a certificate for api.staging.shop.example, which is not declared")
def certificate_for_another_host(objects: Rendering) -> None:
    objects["Certificate/api.staging.shop.example"]["spec"]["dnsNames"] = ["api.shop.example"]


@tells("BackendTrafficPolicy/gateway refers to Gateway/entry, which is not declared")
def policy_of_no_gateway(objects: Rendering) -> None:
    objects["BackendTrafficPolicy/gateway"]["spec"]["targetRefs"][0]["name"] = "entry"


@tells("Probe/public-hosts refers to host www.shop.example, which no route serves")
def probed_host_not_routed(objects: Rendering) -> None:
    objects["Probe/public-hosts"]["spec"]["targets"]["staticConfig"]["static"] = ["https://www.shop.example/"]


@tells("Probe/public-hosts refers to Service/blackbox-exporter port 9116, which is not declared")
def prober_of_another_port(objects: Rendering) -> None:
    objects["Probe/public-hosts"]["spec"]["prober"]["url"] = "blackbox-exporter:9116"


@tells("Probe/public-hosts refers to module http_2xx of its prober, which is not declared")
def module_not_configured(objects: Rendering) -> None:
    objects["Probe/public-hosts"]["spec"]["module"] = "http_2xx"


@tells("Prometheus/prometheus refers to labels of PodMonitor/web, which is not declared")
def monitor_not_picked(objects: Rendering) -> None:
    objects["PodMonitor/web"]["metadata"]["labels"] = {}


@tells("ScheduledBackup/postgres-main refers to Cluster/postgres, which is not declared")
def backup_of_no_database(objects: Rendering) -> None:
    objects["ScheduledBackup/postgres-main"]["spec"]["cluster"]["name"] = "postgres"


@tells(
    "PodMonitor/gateway refers to pods with gateway.envoyproxy.io/owning-gateway-name=gateway, "
    "gateway.envoyproxy.io/owning-gateway-namespace=shop-staging, which is not declared",
    "StatefulSet/prometheus-prometheus calls Deployment/envoy-shop-staging-gateway port TCP 19001, "
    "which no network policy allows",
)
def monitor_looks_elsewhere(objects: Rendering) -> None:
    del objects["PodMonitor/gateway"]["spec"]["namespaceSelector"]
    rules = objects["NetworkPolicy/prometheus"]["spec"]["egress"]
    rules.remove(next(each for each in rules if each["ports"][0]["port"] == 19001))


@tells("RoleBinding/shop-staging-prometheus refers to Role/shop-staging-prometheus, which is not declared")
def role_of_another_namespace(objects: Rendering) -> None:
    objects["Role/shop-staging-prometheus"]["metadata"]["namespace"] = "shop-staging"


@tells(
    "ScheduledBackup/postgres-main refers to "
    "Cluster/postgres-main plugin barman-cloud.cloudnative-pg.io, which is not declared"
)
def backup_without_its_plugin(objects: Rendering) -> None:
    del objects["Cluster/postgres-main"]["spec"]["plugins"]


@tells("Cluster/postgres-main refers to ObjectStore/postgres-main, which is not declared")
def object_store_renamed(objects: Rendering) -> None:
    objects["ObjectStore/postgres-main"]["metadata"]["name"] = "store"


@tells("Alertmanager/alertmanager refers to Secret/alertmanager-config, which is not declared")
def alertmanager_without_configuration(objects: Rendering) -> None:
    objects["Alertmanager/alertmanager"]["spec"]["configSecret"] = "alertmanager-config"


@tells("Deployment/web refers to Service/api port 8001, which is not declared")
def url_of_another_port(objects: Rendering) -> None:
    variable(objects, "Deployment/web", "API_URL")["value"] = "http://api:8001"


@tells("ConfigMap/keycloak refers to host shop.example, which no route serves")
def redirect_to_another_host(objects: Rendering) -> None:
    realm = objects["ConfigMap/keycloak"]["data"]
    realm["realm.json"] = realm["realm.json"].replace("https://staging.shop.example/auth", "https://shop.example/auth")


@tells("Deployment/grafana refers to data source logs-of-old in /etc/grafana/redis.json, which is not declared")
def data_source_renamed(objects: Rendering) -> None:
    dashboards = objects["ConfigMap/grafana"]["data"]
    dashboards["redis.json"] = re.sub(r'"uid": ?"metrics"', '"uid": "logs-of-old"', dashboards["redis.json"])


@tells("Deployment/web may go out to Deployment/api port TCP 8000, which does not let it in")
def ingress_half_gone(objects: Rendering) -> None:
    del objects["NetworkPolicy/web-to-api"]


@tells("Deployment/api port TCP 8000 lets in Deployment/web, which may not go out to it")
def egress_half_gone(objects: Rendering) -> None:
    rules = objects["NetworkPolicy/web"]["spec"]["egress"]
    rules.remove(next(each for each in rules if each["ports"][0]["port"] == 8000))


@tells("Deployment/web calls Deployment/api port TCP 8000, which no network policy allows")
def both_halves_gone(objects: Rendering) -> None:
    ingress_half_gone(objects)
    egress_half_gone(objects)


@tells("HTTPRoute/web leads to Deployment/web port TCP 3000, which does not let the gateway in")
def gateway_shut_out(objects: Rendering) -> None:
    objects["NetworkPolicy/web"]["spec"]["ingress"] = []


@tells("NetworkPolicy/grafana-to-prometheus refers to pods with app=grafana, which is not declared")
def policy_of_no_pods(objects: Rendering) -> None:
    objects["NetworkPolicy/grafana-to-prometheus"]["spec"]["ingress"].append(
        {"from": [{"podSelector": {"matchLabels": {"app": "grafana"}}}], "ports": [{"port": 9090, "protocol": "TCP"}]}
    )


@tells("ConfigMap/alloy refers to Service/alloy-spans, which is not declared")
def replicas_not_found(objects: Rendering) -> None:
    objects["Service/alloy-spans"]["metadata"]["name"] = "alloy-traces"


@tells("ConfigMap/loki refers to Service/alertmanager-operated port http, which is not declared")
def service_record_of_another_port(objects: Rendering) -> None:
    config = objects["ConfigMap/loki"]["data"]
    config["loki.yaml"] = config["loki.yaml"].replace("_web._tcp", "_http._tcp")


@tells("StatefulSet/loki may go out to StatefulSet/alertmanager-alertmanager port TCP 9093, which does not let it in")
def alerts_on_logs_shut_out(objects: Rendering) -> None:
    del objects["NetworkPolicy/loki-to-alertmanager"]


@tells(
    "Cluster/postgres-main has a field Cluster.spec.superuserSecret, which looks like a reference that nothing checks"
)
def field_without_a_check(objects: Rendering) -> None:
    objects["Cluster/postgres-main"]["spec"]["superuserSecret"] = {"name": "postgres-superuser"}


@pytest.mark.parametrize(("change", "told"), BROKEN, ids=[change.__name__ for change, _ in BROKEN])
def test_a_broken_reference_is_told_and_nothing_else(
    change: Breaking, told: list[str], staging: Rendering, already: set[str], environment: Environment
) -> None:
    objects = copy.deepcopy(staging)
    change(objects)
    found = set(dangling(list(objects.values()), environment)) - already
    assert sorted(found) == told

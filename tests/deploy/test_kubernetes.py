"""What has to be true of deploy/k8s besides what schemas say (tests/manifests.py)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from config.settings.environment import BASE_DIR
from config.start import PROCESSES
from config.subscriptions import SUBSCRIPTIONS
from tests import manifests
from tests.manifests import K8S, OVERLAYS, Document

pytestmark = pytest.mark.skipif(manifests.KUBECTL is None, reason="kubectl is not installed")
SCALED = ("web", "live", "worker-live", "worker-facts", "worker-bulk")


def of_kind(documents: list[Document], *kinds: str) -> Iterator[Document]:
    return (document for document in documents if document["kind"] in kinds)


def pod(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = document["spec"]["template"]["spec"]
    return found


def component(document: Document) -> str:
    return str(document["metadata"]["name"].removeprefix("laurel-"))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_process_is_a_deployment_of_its_own_and_migrations_are_a_job(overlay: str) -> None:
    documents = manifests.rendered(f"overlays/{overlay}")
    started = {
        component(document): pod(document)["containers"][0]["args"]
        for document in of_kind(documents, "Deployment", "Job")
    }
    assert {args[0] for args in started.values()} == set(PROCESSES)
    assert all(name.replace("-", "_") == args[0].replace("-", "_") for name, args in started.items())
    assert [component(document) for document in of_kind(documents, "Job")] == ["migrate"]
    beat = next(document for document in of_kind(documents, "Deployment") if component(document) == "beat")
    assert beat["spec"]["replicas"] == 1
    # Somebody starts what is due while the next one waits for a migration.
    assert beat["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    relay = next(document for document in of_kind(documents, "Deployment") if component(document) == "relay")
    assert relay["spec"]["replicas"] == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_may_do_next_to_nothing(overlay: str) -> None:
    for document in of_kind(manifests.rendered(f"overlays/{overlay}"), "Deployment", "Job"):
        spec = pod(document)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        [container] = spec["containers"]
        for each in (container, *spec.get("initContainers", [])):
            may = each["securityContext"]
            assert (may["allowPrivilegeEscalation"], may["readOnlyRootFilesystem"]) == (False, True)
            assert may["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in each["resources"]["limits"]
            assert "cpu" not in each["resources"]["limits"], (
                "a process that is throttled is late for everybody"
            )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_process_begins_on_a_schema_that_it_does_not_know(overlay: str) -> None:
    """A listener that fails on the old schema gives its facts up; only web and live ask by themselves."""
    documents = manifests.rendered(f"overlays/{overlay}")
    for document in of_kind(documents, "Deployment"):
        [container] = pod(document)["containers"]
        [first] = pod(document)["initContainers"]
        assert "until python manage.py migrate --check" in first["command"][-1]
        assert [first[name] for name in ("image", "envFrom")] == [
            container[name] for name in ("image", "envFrom")
        ]
        assert {"name": "tmp", "mountPath": "/tmp"} in first["volumeMounts"]
    [migrate] = of_kind(documents, "Job")
    assert "initContainers" not in pod(migrate), "it would wait for itself"
    asked = pod(migrate)["containers"][0]["resources"]["requests"]
    assert "cpu" not in asked, "it would wait for room that those have who wait for it"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_web_is_not_taken_out_for_an_outage_that_all_of_it_meets(overlay: str) -> None:
    web = next(
        document
        for document in of_kind(manifests.rendered(f"overlays/{overlay}"), "Deployment")
        if component(document) == "web"
    )
    assert pod(web)["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/readyz?without=postgresql"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_stays_says_how_it_is_and_ends_in_peace(overlay: str) -> None:
    for document in of_kind(manifests.rendered(f"overlays/{overlay}"), "Deployment"):
        spec, name = pod(document), component(document)
        [container] = spec["containers"]
        assert {"startupProbe", "livenessProbe"} <= container.keys(), name
        assert spec["terminationGracePeriodSeconds"] >= 15
        assert len(spec["topologySpreadConstraints"]) == 2
        if name in ("web", "live"):
            assert container["lifecycle"]["preStop"]
            assert container["livenessProbe"]["httpGet"]["path"] == "/livez", "which asks nobody else"
            assert "readinessProbe" in container


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_are_named_and_never_written_down(overlay: str) -> None:
    documents = manifests.rendered(f"overlays/{overlay}")
    assert list(of_kind(documents, "Secret")) == []
    for document in of_kind(documents, "Deployment", "Job"):
        assert {"secretRef": {"name": "laurel"}} in pod(document)["containers"][0]["envFrom"]
    [told] = of_kind(documents, "ConfigMap")
    assert not [
        name for name in told["data"] if re.search("SECRET|PASSWORD|DATABASE_URL|REDIS|BROKER|EMAIL", name)
    ]
    # Pods have no disk of their own.
    assert told["data"]["MEDIA_STORE_URL"].startswith("s3://")
    assert told["data"]["ARCHIVE_URL"].startswith("s3://")
    assert told["data"]["ERASURE_LEDGER_URL"].startswith("s3://"), "a restore would bring people back"


def test_nobody_talks_to_anybody_unless_it_is_said() -> None:
    policies = {
        component(policy): policy["spec"]
        for policy in of_kind(manifests.rendered("overlays/small"), "NetworkPolicy")
    }
    nobody = policies["nobody"]
    assert set(nobody["policyTypes"]) == {"Ingress", "Egress"}
    assert not nobody.get("ingress")
    assert not nobody.get("egress")
    assert nobody["podSelector"] == {}, "the whole namespace"
    for name in ("webhooks-to-the-internet", "web-to-the-internet", "bulk-to-the-internet"):
        v4, v6 = (one["ipBlock"] for one in policies[name]["egress"][0]["to"])
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"} <= set(
            v4["except"]
        )
        assert "fc00::/7" in v6["except"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_of_others_are_told_by_their_own_labels(overlay: str) -> None:
    """Where we name them by `matchLabels`, kustomize adds ours, and nobody is meant."""
    peers = [
        peer
        for policy in of_kind(manifests.rendered(f"overlays/{overlay}"), "NetworkPolicy")
        for rule in (*policy["spec"].get("egress", []), *policy["spec"].get("ingress", []))
        for peer in (*rule.get("to", []), *rule.get("from", []))
        if "namespaceSelector" in peer
    ]
    assert len(peers) == 4, "name servers, the ingress twice, Prometheus"
    assert not [peer for peer in peers if "app.kubernetes.io/name" in str(peer)]
    [names] = [peer["podSelector"] for peer in peers if "podSelector" in peer]
    assert names == {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_ingress_reaches_the_pods_by_which_cert_manager_proves_the_name(overlay: str) -> None:
    [policy] = [
        policy["spec"]
        for policy in of_kind(manifests.rendered(f"overlays/{overlay}"), "NetworkPolicy")
        if component(policy) == "certificates-from-ingress"
    ]
    solver = {"key": "acme.cert-manager.io/http01-solver", "operator": "Exists"}
    assert policy["podSelector"] == {"matchExpressions": [solver]}, "which have none of our labels"
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8089}]


def test_errors_get_out_where_an_overlay_says_so() -> None:
    [policy] = [
        policy["spec"]
        for policy in of_kind(manifests.with_component("sentry"), "NetworkPolicy")
        if component(policy) == "errors-to-the-internet"
    ]
    assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "laurel"}, "every process"
    assert policy["egress"][0]["ports"] == [{"protocol": "TCP", "port": 443}]
    v4, v6 = (one["ipBlock"] for one in policy["egress"][0]["to"])
    assert "10.0.0.0/8" in v4["except"]
    assert "fc00::/7" in v6["except"]


def test_who_reopens_a_restored_database_reaches_the_buckets() -> None:
    """The page's job is made of a deployment with the labels by which a policy lets it out."""
    page = (BASE_DIR / "docs" / "operations" / "backups.md").read_text()
    found = re.search(r"get deployment (\S+) -o json", page)
    assert found
    documents = manifests.rendered("overlays/small")
    labels = next(
        document["spec"]["template"]["metadata"]["labels"]
        for document in of_kind(documents, "Deployment")
        if document["metadata"]["name"] == found[1]
    )
    policy = next(
        policy["spec"]
        for policy in of_kind(documents, "NetworkPolicy")
        if component(policy) == "bulk-to-the-internet"
    )
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert {"protocol": "TCP", "port": 443} in policy["egress"][0]["ports"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_may_be_several_scales_and_is_not_drained_at_once(overlay: str) -> None:
    documents = manifests.rendered(f"overlays/{overlay}")
    scaled = {
        component(document): document["spec"] for document in of_kind(documents, "HorizontalPodAutoscaler")
    }
    assert set(scaled) == set(SCALED)
    for name, spec in scaled.items():
        assert spec["scaleTargetRef"]["name"] == f"laurel-{name}"
        assert spec["minReplicas"] < spec["maxReplicas"]
    for document in of_kind(documents, "Deployment"):
        assert ("replicas" in document["spec"]) == (component(document) not in scaled), "two would pull at it"
    kept = {component(document) for document in of_kind(documents, "PodDisruptionBudget")}
    assert kept == {*SCALED, "relay"}


def test_keda_takes_the_place_of_our_autoscalers() -> None:
    documents = manifests.with_component("keda")
    assert list(of_kind(documents, "HorizontalPodAutoscaler")) == []
    scaled = {component(document): document["spec"] for document in of_kind(documents, "ScaledObject")}
    assert set(scaled) == set(SCALED)
    assert not [name for name, spec in scaled.items() if "fallback" in spec], (
        "Prometheus is away: few are left"
    )


def test_each_listener_is_counted_to_the_pool_that_it_works_in() -> None:
    """A listener that no autoscaler knows would fall behind unseen."""
    expected: dict[str, set[str]] = {}
    for subscription in SUBSCRIPTIONS:
        expected.setdefault(subscription.queue, set()).add(subscription.name)
    rules = yaml.safe_load((K8S / "components" / "custom-metrics" / "adapter-rules.yaml").read_text())[
        "rules"
    ]
    by_adapter = {
        rule["name"]["as"].removeprefix("laurel_lag_of_").removesuffix("_seconds"): followers(
            rule["metricsQuery"]
        )
        for rule in rules["external"]
    }
    by_keda = {
        component(document).removeprefix("worker-"): followers(
            document["spec"]["triggers"][0]["metadata"]["query"]
        )
        for document in of_kind(manifests.with_component("keda"), "ScaledObject")
        if "worker" in component(document)
    }
    assert by_adapter == expected
    assert by_keda == expected


def followers(query: str) -> set[str]:
    found = re.search(r'follower=~"([^"]+)"', query)
    assert found
    return set(found[1].split("|"))


def test_a_pod_answers_where_services_and_probes_ask() -> None:
    documents = manifests.rendered("overlays/large")
    ports = {
        component(document): {port["name"] for port in pod(document)["containers"][0]["ports"]}
        for document in of_kind(documents, "Deployment")
    }
    assert all("metrics" in names for names in ports.values())
    for service in of_kind(documents, "Service"):
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports[component(service)]
    [monitor] = of_kind(documents, "PodMonitor")
    assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} == {"metrics"}
    [ingress] = of_kind(documents, "Ingress")
    paths = {
        path["path"]: path["backend"]["service"]["name"]
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    assert paths == {"/ws/v1/live": "laurel-live", "/api/v1/live": "laurel-live", "/": "laurel-web"}


def test_what_an_operator_has_to_keep_secret_is_on_the_page() -> None:
    page = (BASE_DIR / "docs" / "operations" / "kubernetes.md").read_text()
    for name in (
        "SECRET_KEY",
        "DATABASE_URL",
        "DATABASE_ANSWERING_URL",
        "REDIS_URL",
        "CELERY_BROKER_URL",
        "EMAIL_URL",
    ):
        assert f"`{name}`" in page

"""Histories of metrics that make each alert of the product and its pods fire, and ones a step short of that."""

from tests.data.alert_cases import API, POD, Case, against, durations, one

RATE = "http_request_duration_seconds_count"
DURATION = "http_request_duration_seconds_bucket"
AVAILABLE = 'kube_deployment_status_replicas_available{namespace="n",deployment="d"}'


def requests(good: str, bad: str) -> dict[str, str]:
    """Requests that are answered with 200, and with 500."""
    return {f'{RATE}{{{API},status="200"}}': good, f'{RATE}{{{API},status="500"}}': bad}


PRODUCT: dict[str, Case] = {
    "ServiceErrorRateHigh": Case(requests("0+94x40", "0+6x40"), requests("0+95x40", "0+5x40")),
    "ServiceRouteFails": Case(  # a tenth of the traffic: too little for ServiceErrorRateHigh
        {f'{RATE}{{{API},route="/a",status="200"}}': "0+9x40", f'{RATE}{{{API},route="/a",status="500"}}': "0+10x40"},
        {f'{RATE}{{{API},route="/a",status="200"}}': "0+9x40", f'{RATE}{{{API},route="/a",status="500"}}': "0+9x40"},
    ),
    "ServiceSlow": Case(
        durations(DURATION, {"0.5": 90, "1": 94, "2": 100, "+Inf": 100}),
        durations(DURATION, {"0.5": 90, "1": 96, "2": 100, "+Inf": 100}),
    ),
    "ServiceVerySlow": Case(
        durations(DURATION, {"1": 90, "2": 94, "5": 100, "+Inf": 100}),
        durations(DURATION, {"1": 90, "2": 96, "5": 100, "+Inf": 100}),
    ),
    "QueueDeep": one('queue_depth{namespace="n",queue="q"}', "101x40", "100x40"),
    "QueueLate": one('queue_oldest_job_timestamp_seconds{namespace="n",queue="q"}', "1379x40", "1500x20 0x20"),
    "QueueStuck": against(
        'queue_depth{namespace="n",queue="q"}',
        "1x40",
        "1x15 0 1x24",
        'queue_jobs_total{namespace="n",queue="q",result="success"}',
        "9x40",
    ),
    "EngineMissesTicks": one(f"engine_last_tick_timestamp_seconds{{{API}}}", "1754x40", "1756x40"),
    "LlmSlow": Case(
        durations("llm_request_duration_seconds_bucket", {"30": 94, "60": 100, "+Inf": 100}),
        durations("llm_request_duration_seconds_bucket", {"30": 96, "60": 100, "+Inf": 100}),
    ),
    "LlmBudgetNearlySpent": against(
        f"llm_tokens_today{{{API}}}", "81x40", "80x40", f"llm_tokens_daily_limit{{{API}}}", "100x40"
    ),
    "WorkloadGone": against(
        'kube_deployment_status_replicas_available{namespace="n",deployment="d"}',
        "0x40",
        "1x40",
        'kube_deployment_spec_replicas{namespace="n",deployment="d"}',
        "2x40",
    ),
    "WorkloadIncomplete": against(
        'kube_deployment_status_replicas_available{namespace="n",deployment="d"}',
        "1x40",
        "1x20 2x20",
        'kube_deployment_spec_replicas{namespace="n",deployment="d"}',
        "2x40",
    ),
    "RolloutStuck": one(
        'kube_deployment_status_condition{namespace="n",deployment="d",condition="Progressing",status="false"}',
        "1x40",
        "1x20 0x20",
    ),
    "PodRestartsOften": one(f"kube_pod_container_status_restarts_total{{{POD}}}", "0x20 1 2 3 4 5x15", "0x20 1 2x20"),
    "PodCpuHigh": against(
        f"container_cpu_usage_seconds_total{{{POD}}}",
        "0+49x40",
        "0+47x40",
        f'kube_pod_container_resource_requests{{{POD},resource="cpu"}}',
        "1x40",
    ),
    "PodMemoryHigh": against(
        f"container_memory_working_set_bytes{{{POD}}}",
        "91x40",
        "90x40",
        f'kube_pod_container_resource_limits{{{POD},resource="memory"}}',
        "100x40",
    ),
    "VolumeFilling": against(
        'kubelet_volume_stats_used_bytes{persistentvolumeclaim="v"}',
        "86x40",
        "85x40",
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="v"}',
        "100x40",
    ),
    "VolumeAlmostFull": against(
        'kubelet_volume_stats_used_bytes{persistentvolumeclaim="v"}',
        "96x40",
        "95x40",
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="v"}',
        "100x40",
    ),
    # A sample each five minutes, as probes are.
    "PublicHostDown": one('probe_success{namespace="n",instance="i"}', "1x15 _x4 0 _x4 0", "1x20 _x4 0"),
    "CertificateExpires": one(
        'probe_ssl_earliest_cert_expiry{namespace="n",instance="i"}',
        f"{14 * 86400 + 30 * 60}x200",
        f"{14 * 86400 + 130 * 60}x200",
        120,
    ),
    "PodPending": one('kube_pod_status_phase{namespace="n",pod="p-0",phase="Pending"}', "1x40", "1x20 0x20"),
    "JobFailed": Case(
        {
            'kube_job_failed{namespace="n",job_name="drill-1",condition="true"}': "1x40",
            'kube_job_status_start_time{namespace="n",job_name="drill-1"}': "0x40",
        },
        {  # a job that failed two days ago, and one that did not fail
            'kube_job_failed{namespace="n",job_name="drill-1",condition="true"}': "1x40",
            'kube_job_status_start_time{namespace="n",job_name="drill-1"}': "-172800x40",
            'kube_job_failed{namespace="n",job_name="drill-2",condition="false"}': "1x40",
            'kube_job_status_start_time{namespace="n",job_name="drill-2"}': "0x40",
        },
    ),
}

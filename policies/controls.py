"""The controls that rules serve: framework, id and what the control is called, each looked up in its framework.

SOC 2: AICPA Trust Services Criteria (2017, points of focus 2022). ISO/IEC 27001:2022: Annex A. NIST 800-53: revision 5.
CIS: Kubernetes Benchmark 1.9, section 5. PSS: Kubernetes' Pod Security Standards.
"""

from typing import Final

SOC_2: Final = "SOC 2"
ISO: Final = "ISO/IEC 27001:2022"
NIST: Final = "NIST 800-53 r5"
CIS: Final = "CIS Kubernetes 1.9"
PSS: Final = "PSS"

FRAMEWORKS: Final[dict[str, dict[str, str]]] = {
    SOC_2: {
        "A1.1": "Capacity is monitored and managed",
        "A1.2": "Environmental protection, backup and recovery infrastructure",
        "A1.3": "Recovery procedures are tested",
        "CC2.2": "Responsibilities are communicated internally",
        "CC6.1": "Logical access security",
        "CC6.3": "Access by role and least privilege",
        "CC6.6": "Protection against threats from outside the boundaries",
        "CC6.7": "Protection of information in transmission and movement",
        "CC6.8": "Unauthorised or malicious software is prevented or detected",
        "CC7.1": "Vulnerabilities and configuration changes are detected",
        "CC7.2": "Anomalies are monitored",
        "CC7.3": "Security events are evaluated",
        "CC7.4": "Incidents are responded to",
        "CC7.5": "Recovery from incidents",
        "CC8.1": "Changes are authorised, tested and approved",
    },
    ISO: {
        "5.15": "Access control",
        "5.17": "Authentication information",
        "5.24": "Incident management planning and preparation",
        "5.26": "Response to information security incidents",
        "5.28": "Collection of evidence",
        "5.30": "ICT readiness for business continuity",
        "5.36": "Compliance with policies, rules and standards",
        "8.2": "Privileged access rights",
        "8.3": "Information access restriction",
        "8.4": "Access to source code",
        "8.5": "Secure authentication",
        "8.6": "Capacity management",
        "8.9": "Configuration management",
        "8.12": "Data leakage prevention",
        "8.13": "Information backup",
        "8.14": "Redundancy of information processing facilities",
        "8.15": "Logging",
        "8.16": "Monitoring activities",
        "8.19": "Installation of software on operational systems",
        "8.20": "Networks security",
        "8.21": "Security of network services",
        "8.22": "Segregation of networks",
        "8.24": "Use of cryptography",
        "8.29": "Security testing in development and acceptance",
        "8.31": "Separation of development, test and production environments",
        "8.32": "Change management",
    },
    NIST: {
        "AC-3": "Access Enforcement",
        "AC-6": "Least Privilege",
        "AU-2": "Event Logging",
        "AU-4": "Audit Log Storage Capacity",
        "AU-6": "Audit Record Review, Analysis, and Reporting",
        "AU-11": "Audit Record Retention",
        "AU-12": "Audit Record Generation",
        "CA-2": "Control Assessments",
        "CA-5": "Plan of Action and Milestones",
        "CA-7": "Continuous Monitoring",
        "CM-2": "Baseline Configuration",
        "CM-3": "Configuration Change Control",
        "CM-5": "Access Restrictions for Change",
        "CM-6": "Configuration Settings",
        "CM-7": "Least Functionality",
        "CM-8": "System Component Inventory",
        "CM-14": "Signed Components",
        "CP-2": "Contingency Plan",
        "CP-4": "Contingency Plan Testing",
        "CP-6": "Alternate Storage Site",
        "CP-9": "System Backup",
        "CP-10": "System Recovery and Reconstitution",
        "IA-5": "Authenticator Management",
        "IR-4": "Incident Handling",
        "IR-5": "Incident Monitoring",
        "IR-6": "Incident Reporting",
        "SC-5": "Denial-of-service Protection",
        "SC-6": "Resource Availability",
        "SC-7": "Boundary Protection",
        "SC-28": "Protection of Information at Rest",
        "SI-4": "System Monitoring",
        "SI-7": "Software, Firmware, and Information Integrity",
        "SI-13": "Predictable Failure Prevention",
    },
    CIS: {
        "5.1.1": "cluster-admin only where required",
        "5.1.2": "Access to secrets minimised",
        "5.1.3": "Wildcards in roles minimised",
        "5.1.4": "Access to create pods minimised",
        "5.1.5": "Default service accounts not used",
        "5.1.6": "Service account tokens mounted only where necessary",
        "5.1.8": "bind, impersonate and escalate limited",
        "5.1.10": "Access to the proxy of nodes minimised",
        "5.1.13": "Access to create service account tokens minimised",
        "5.2.2": "No privileged containers",
        "5.2.3": "No containers in the host's process namespace",
        "5.2.4": "No containers in the host's IPC namespace",
        "5.2.5": "No containers in the host's network namespace",
        "5.2.6": "No privilege escalation",
        "5.2.7": "No root containers",
        "5.2.8": "No containers with NET_RAW",
        "5.2.9": "No containers with added capabilities",
        "5.2.12": "No hostPath volumes",
        "5.2.13": "No host ports",
        "5.3.2": "All namespaces have network policies",
        "5.4.1": "Secrets as files preferred over variables",
        "5.7.2": "seccomp profile set",
        "5.7.3": "Security contexts applied",
        "5.7.4": "Default namespace not used",
    },
    PSS: {
        "baseline": "Known privilege escalations are prevented",
        "restricted": "Current practice of hardening pods",
    },
}


def parts(control: str) -> tuple[str, str]:
    """Framework and id of a control as rules name it. Raises KeyError for one that is not known."""
    for framework, controls in FRAMEWORKS.items():
        number = control.removeprefix(f"{framework} ")
        if number != control and number in controls:
            return framework, number
    raise KeyError(control)

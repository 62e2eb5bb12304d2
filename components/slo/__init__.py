"""What users are promised, as plain data, and everything Prometheus needs to watch over the promise.

- objective.py: an SLO: the promise, its indicator, who is called
- promise.py: what an environment says of a promise
- indicators.py: how good and bad events are counted
- selector.py: a PromQL selector as data
- rules.py: recording rules, and the alerts on burn rates
- alerts.py: what those alerts say, and what the person who is called does
- histories.py: a course of events, as the series that a service would have exposed
- scenario.py: what happens to a service, and what must follow
- episodes.py: scenarios of minutes: outages, absences, idle hours
- windows.py: scenarios of hours and days: each pair of windows, the budget
- proof.py: all scenarios as promtool tests of the rules of an SLO
- openslo.py: from and to OpenSLO v1
"""

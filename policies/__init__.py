"""What must be true of an environment: rules over plain data, and the pack by which the Pulumi engine asks for them.

    values.py, model.py    what a rule sees: plain values, resources, a stack; what it answers: a verdict
    rules/                 the rules, one a file; pack.py lists them
    promql.py, series.py   what expressions read, and the labels of what they yield
    watching.py, burn.py   rules and alerts, who evaluates them, and how fast a budget burns when one fires
    routing.py             where Alertmanager leads an alert
    collecting.py          where logs and traces go, from collector (alloy.py) to store
    targets.py, monitors.py   pods as others find them, and which of them are scraped
    evaluation.py          every rule over every resource: findings with an outcome and a reason
    normalise.py           the border: what the engine sends becomes plain data, without secrets
    analyzer.py            the engine's side: gRPC in, diagnostics out
    results.py             the file that carries the findings to whoever shows them

Nothing here imports components/ or stacks/: a policy that reads the code it judges would believe it.
"""

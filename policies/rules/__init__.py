"""The rules, one a file. Each is a `Rule` named RULE; `policies/pack.py` lists them."""

"""The rules: a folder a theme, a file a rule, named as its id. Each is a `Rule` named RULE, which its folder lists."""

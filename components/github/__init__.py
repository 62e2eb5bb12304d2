"""What a repository on GitHub must know of an environment, and what it must demand before deploying to it."""

from components.github.github import GitHub, GitHubArgs, Ruleset

__all__ = ["GitHub", "GitHubArgs", "Ruleset"]

"""A local GitHub: the REST API in front of real bare git repositories.

Source of every shape: GitHub's own OpenAPI description. Source of every rule: docs.github.com/rest, where it
says one; what it does not say is listed in ``docs/lab.md``.
"""

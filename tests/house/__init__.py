"""The project's set-up and habits, held by tests: names, lock files, what committed text may say."""

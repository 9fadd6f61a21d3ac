"""The promises of azmdr, each as a test that can fail; house/ holds the project's own set-up."""

"""What ``make validation`` runs: pages whose truth is known, captured by the real command, and what it got wrong."""

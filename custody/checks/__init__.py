"""The numbered checks of a verification, about one a module; ``custody.verify`` runs them in order."""

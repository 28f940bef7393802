from __future__ import annotations

from hypothesis import Phase, settings

# A mutant is killed by any example that fails; the simplest is for people.
settings.register_profile(
    "mutants",
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
)

# A busy machine takes its time.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

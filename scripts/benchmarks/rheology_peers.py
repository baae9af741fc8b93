#!/usr/bin/env python3
"""Fits of flow curves by other packages: curves as JSON from standard input, parameters and seconds as JSON to standard
output. Run by a Python of their own (``rheofit`` 1.1.0, ``lmfit``, ``rheojax`` 0.7.1), for they need another NumPy."""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings

import numpy as np

# Laws by our names: theirs, and the order of their parameters in ours.
RHEOFIT = {"bingham": "bingham", "casson": "casson", "herschel-bulkley": "herschel_bulkley", "power-law": "power_law"}
STRESSES = {
    "bingham": lambda g, tau0, eta: tau0 + eta * g,
    "casson": lambda g, tau0, eta: (np.sqrt(tau0) + np.sqrt(eta * g)) ** 2,
    "herschel-bulkley": lambda g, tau0, K, n: tau0 + K * g**n,
    "power-law": lambda g, K, n: K * g**n,
}
RHEOJAX = {"bingham": "Bingham", "herschel-bulkley": "HerschelBulkley", "power-law": "PowerLaw"}


def by_rheofit(law, rate, stress):
    """Its fast effort, relative weights."""
    import pandas
    from rheofit.analysis import fit

    frame = pandas.DataFrame({"Shear rate / 1/s": rate, "Stress / Pa": stress})
    result = fit(frame, RHEOFIT[law], effort="fast")
    return [each["value"] for each in result["params"].values()]


def by_lmfit(law, rate, stress):
    """One search by its default method from 1, weights 1/stress."""
    import lmfit

    model = lmfit.Model(STRESSES[law], independent_vars=["g"])
    start = model.make_params(**{name: {"value": 1.0, "min": 1e-12} for name in model.param_names})
    return list(model.fit(stress, start, g=rate, weights=1 / stress).best_values.values())


def by_rheojax(law, rate, stress):
    """Its defaults."""
    import rheojax.models

    model = getattr(rheojax.models, RHEOJAX[law])()
    model.fit(rate, stress, test_mode="rotation")
    return [float(model.parameters.get_value(key)) for key in model.parameters]


def main() -> None:
    """Fit each law of each package to each curve: the first of all, which may compile, does not count."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    curves, found = json.load(sys.stdin), []
    for name, fit, laws in (
        ("rheofit", by_rheofit, RHEOFIT),
        ("lmfit", by_lmfit, STRESSES),
        ("rheojax", by_rheojax, RHEOJAX),
    ):
        for law in laws:
            for k, (rate, stress) in enumerate(curves):
                try:
                    if k == 0:
                        fit(law, np.array(rate), np.array(stress))
                    start = time.perf_counter()
                    parameters = fit(law, np.array(rate), np.array(stress))
                    seconds = time.perf_counter() - start
                except Exception as error:
                    print(f"{name} {law}: {error!r}", file=sys.stderr)
                    continue
                found.append({"package": name, "law": law, "curve": k, "parameters": parameters, "seconds": seconds})
    print(json.dumps(found))


if __name__ == "__main__":
    main()

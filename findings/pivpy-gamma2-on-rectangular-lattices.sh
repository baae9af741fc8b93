#!/usr/bin/env bash
# Γ2 of pivpy on lattices that are finer along one axis, and by borders and gaps.
#
# Graftieaux, Michard & Grosjean (Meas. Sci. Technol. 12, 1422, 2001) define Γ2 as a mean over a region about each place;
# in pure shear it is ∓2/π = 0.637 in size, which is why |Γ2| > 2/π marks the core of a vortex. pivpy 0.4.0 takes all
# vectors within so many lattice steps: on a lattice that is twice as fine along x, as PIV windows of 16 x 32 pixels make,
# its window is a tall ellipse, and pure shear, which has no vortex, comes out at -0.76: all of it is marked as a core. On
# the square lattice it is -0.61. Where the window reaches beyond the border the result is 0, as in irrotational flow, and
# a missing vector counts as one along the radius: in rigid rotation, whose Γ2 is 1, beside a gap of 3 x 3 it falls to 0.82.
#
# flowgrad's windows are of distance, on any points, of the vectors that are there, and NaN stands where one is one-sided.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pivpy==0.4.0
cat > "$folder/try.py" <<'PY'
import numpy as np
import xarray as xr
from pivpy.compute_funcs import gamma2


def middle(u, v, x, y, gap=False):
    """Γ2 in the middle of a field, or of one beside a gap, and at its border."""
    u, v = (np.array(each, float) for each in np.broadcast_arrays(u, v))
    if gap:
        u[19:22, 22:25] = v[19:22, 22:25] = np.nan
    fields = {"u": (("y", "x", "t"), u[..., None]), "v": (("y", "x", "t"), v[..., None])}
    fields["chc"] = (("y", "x", "t"), np.isfinite(u)[..., None].astype(float))
    found = gamma2(xr.Dataset(fields, coords={"x": x, "y": y, "t": [0.0]}))["gamma2"].values.squeeze()
    return f"{found[20, 20]:.2f}, at the border {found[0, 20]:.2f}"


axis = np.linspace(-1, 1, 41)
y = axis[:, None]
print("shear, square lattice:", middle(y, 0 * axis, axis, axis))
print("shear, twice as fine along x:", middle(y, 0 * axis, axis / 2, axis))
print("rotation, square lattice:", middle(-y, axis, axis, axis))
print("rotation, beside a gap:", middle(-y, axis, axis, axis, gap=True))
PY
"$folder/env/bin/python" -W ignore "$folder/try.py" | tee "$folder/found"
diff "$folder/found" - <<'TEXT'
shear, square lattice: -0.61, at the border 0.00
shear, twice as fine along x: -0.76, at the border 0.00
rotation, square lattice: 1.00, at the border 0.00
rotation, beside a gap: 0.82, at the border 0.00
TEXT
echo "as found: windows of pivpy 0.4.0 are of lattice steps, and what they lack counts as a vector along the radius"

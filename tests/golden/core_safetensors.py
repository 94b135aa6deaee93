"""Golden values of safetensors: a file that the reference implementation wrote, and what it reads in one of ours.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 safetensors==0.8.0
deno eval 'import { encodeSafetensors } from "./core/safetensors.ts"; import { made } from "./tests/made_tensors.ts"; console.log(encodeSafetensors(made).toBase64())' \
  | venv/bin/python tests/golden/core_safetensors.py > tests/golden/core_safetensors.json
"""
import base64
import json
import sys
import tempfile

import numpy as np
import safetensors
from safetensors import safe_open
from safetensors.numpy import save

arrays = {
    "G/down1/0": np.arange(12, dtype=np.float32).reshape(3, 2, 2) / 8,
    "a scalar": np.array(-0.0, dtype=np.float32),
    "no values": np.zeros((0, 3), dtype=np.float32),
}
ours = base64.b64decode(sys.stdin.read())
with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
    file.write(ours)
    file.flush()
    with safe_open(file.name, framework="numpy") as read:
        metadata = read.metadata()
        found = {name: read.get_tensor(name) for name in read.keys()}

print(json.dumps({
    "version": safetensors.__version__,
    "theirs": base64.b64encode(save(arrays, metadata={"who": "Python"})).decode(),
    "holds": {name: {"shape": list(a.shape), "data": a.ravel().tolist()} for name, a in arrays.items()},
    "ours": base64.b64encode(ours).decode(),
    "read": {name: {"shape": list(a.shape), "data": a.ravel().tolist()} for name, a in found.items()},
    "metadata": metadata,
}, indent=2, sort_keys=True))

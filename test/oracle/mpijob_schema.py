"""What an MPIJob may hold, as JSON schema: of the CRD of the MPI operator (Apache-2.0), version v2beta1, the types of its fields.

    git clone https://github.com/kubeflow/mpi-operator
    python3 test/oracle/mpijob_schema.py mpi-operator/manifests/base/kubeflow.org_mpijobs.yaml

Descriptions go, and of a pod all but what docs/several-machines.md has: the schema of a pod is 600 kB. Fields that are not there are
refused, as `kubectl apply --validate=strict` refuses them.
"""

import json
import sys
from pathlib import Path

import yaml

KEPT = {
    "template": ["metadata", "spec"],
    "template.spec": ["containers", "volumes"],
    "template.spec.containers": ["name", "image", "command", "args", "env", "resources", "securityContext", "volumeMounts"],
    "template.spec.containers.securityContext": ["runAsUser"],
    "template.spec.volumes": ["name", "persistentVolumeClaim"],
}


def trimmed(schema, path=""):
    kept = {key: schema[key] for key in ("type", "enum", "required", "format") if key in schema}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "items" in schema:
        kept["items"] = trimmed(schema["items"], path)
    if "properties" in schema:
        wanted = KEPT.get(path)
        kept["properties"] = {
            name: trimmed(each, f"{path}.{name}" if path else (name if name == "template" else ""))
            for name, each in schema["properties"].items()
            if wanted is None or name in wanted
        }
        kept["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = trimmed(schema["additionalProperties"], path)
    return kept


crd = yaml.safe_load(Path(sys.argv[1]).read_text())
version = next(each for each in crd["spec"]["versions"] if each["name"] == "v2beta1")
schema = trimmed(version["schema"]["openAPIV3Schema"])
schema["properties"].pop("status", None)
schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
schema["properties"]["apiVersion"] = {"const": f"{crd['spec']['group']}/v2beta1"}
schema["properties"]["kind"] = {"const": crd["spec"]["names"]["kind"]}
schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
target = Path(__file__).parent.parent / "golden" / "mpijob.schema.json"
target.write_text(json.dumps(schema, indent=2) + "\n")

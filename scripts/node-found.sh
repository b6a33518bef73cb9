# shellcheck shell=bash
# Sourced: whether the machine's own Node and npm can build the web page (the bounds of Vite and ESLint).
least_node=20.19

# A Node that did not come with the machine trusts the authorities that the machine trusts, as pip does there.
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
    export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi

machine_node_serves() {
    command -v node >/dev/null && command -v npm >/dev/null || return 1
    node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19) ? 0 : 1);
    ' >/dev/null 2>&1
}

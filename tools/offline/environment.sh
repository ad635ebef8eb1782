# Inside a closed network: source this in the folder `program` of an unpacked bundle. Packages,
# Pulumi and its plugins then come from the folders beside it, and nothing is asked of any network.
bundle=$(cd .. && pwd)
export PIP_NO_INDEX=1
export PIP_FIND_LINKS="$bundle/wheels"
export BREAKEVEN_CACHE="$bundle/cache"
export PULUMI_SKIP_UPDATE_CHECK=true
export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
export PULUMI_DISABLE_REGISTRY_RESOLVE=true
export PULUMI_NEO=false
unset bundle

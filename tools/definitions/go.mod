module breakeven/tools/definitions

go 1.26

// Modules from which only files of resource definitions are copied: no Go code uses them, so
// `go mod tidy` would drop them. To change one: edit its version, then
// `go mod download -json MODULE` here writes its checksum.
require (
	github.com/Azure/karpenter-provider-azure v1.5.1
	github.com/aws/karpenter-provider-aws v1.13.1
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/cluster-api v1.14.2
)

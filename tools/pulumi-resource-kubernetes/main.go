// Command pulumi-resource-kubernetes serves the Kubernetes resource provider.
//
// The provider's own main package embeds generated files that its Go module does not ship, so it
// cannot be built with `go install`. This one embeds the two files from which those are generated;
// tools/bootstrap copies them beside this file, in the cache, before it builds.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version.Version, schema, terraformMapping)
}

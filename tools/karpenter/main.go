// Karpenter with its simulated cloud (the kwok provider), for the rig of this repository: the node
// classes of real clouds are accepted as they are, so that a stack runs here unchanged. Karpenter's
// own code decides about nodes; only machines and clouds are simulated.
package main

import (
	"sigs.k8s.io/controller-runtime/pkg/log"
	kwok "sigs.k8s.io/karpenter/kwok/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator"
)

func main() {
	ctx, op := operator.NewOperator()
	types, err := kwok.ConstructInstanceTypes(ctx)
	if err != nil {
		log.FromContext(ctx).Error(err, "the instance types cannot be read")
		panic(err)
	}
	cloud := newCloud(ctx, op.GetClient(), types)
	decorated := overlay.Decorate(cloud, op.GetClient(), op.InstanceTypeStore)
	cluster := state.NewCluster(op.Clock, op.GetClient(), decorated)
	op.WithControllers(ctx, controllers.NewControllers(
		ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder,
		decorated, cloud, cluster, op.InstanceTypeStore,
	)...).Start(ctx)
}
